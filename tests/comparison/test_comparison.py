"""Pure parts of a comparison: moments, neighbourhoods, retrieval, folders, protocols."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import linalg
from torch import Tensor

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.court import Places, _familiar
from tedigan.comparison.method_folder import MethodFolder, picture_name
from tedigan.comparison.moments import Moments, frechet_of_moments
from tedigan.comparison.neighbourhoods import neighbourhoods
from tedigan.comparison.ranking import best_of
from tedigan.comparison.retrieval import retrieve
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError, ShapeError
from tedigan.evaluation.distances import frechet_distance
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.text_fidelity import Mentions
from tedigan.store import pictures
from tests.stages.toy import toy_workspace


def some(n: int, d: int = 6, *, seed: int = 0, shift: float = 0.0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) + shift


def moments_of(features: Tensor, *, parts: int = 1) -> Moments:
    found = Moments.none(features.shape[1])
    for part in features.tensor_split(parts):
        found.add(part)
    return found


def test_moments_that_pass_by_are_those_of_the_whole():
    features = some(50, shift=1e4)
    found = moments_of(features, parts=7)
    np.testing.assert_allclose(found.mean, features.double().mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(features.numpy().T), atol=1e-6)


def test_the_streamed_frechet_distance_is_that_of_the_formula_and_of_all_features():
    one, other = some(60), some(40, seed=1, shift=0.5)
    found = frechet_of_moments(moments_of(one, parts=3), moments_of(other, parts=4))
    assert found == pytest.approx(frechet_distance(one, other), rel=1e-8)
    (mean, cov), (mean2, cov2) = (
        (x.double().mean(0).numpy(), np.cov(x.double().numpy().T)) for x in (one, other)
    )
    root = linalg.sqrtm(cov @ cov2).real
    assert found == pytest.approx(((mean - mean2) ** 2).sum() + np.trace(cov + cov2 - 2 * root))
    assert frechet_of_moments(moments_of(one), moments_of(one)) == 0.0


def test_neighbourhoods_agree_with_the_definitions_point_by_point():
    photographs, faces = some(30, 3), some(20, 3, seed=1)
    found = neighbourhoods(photographs, faces)

    def distance(a: Tensor, b: Tensor) -> float:
        return float((a.double() - b.double()).norm())

    def radius(points: Tensor, i: int, k: int) -> float:
        return sorted(distance(points[i], q) for j, q in enumerate(points) if j != i)[k - 1]

    def covers(centres: Tensor, point: Tensor, k: int) -> list[bool]:
        return [distance(point, c) <= radius(centres, i, k) for i, c in enumerate(centres)]

    in_photographs = [covers(photographs, face, 3) for face in faces]
    in_faces = [covers(faces, one, 3) for one in photographs]
    near = np.array([covers(photographs, face, 5) for face in faces])
    assert found.precision == np.mean([any(row) for row in in_photographs])
    assert found.recall == np.mean([any(row) for row in in_faces])
    assert found.density == pytest.approx(near.sum(1).mean() / 5)
    assert found.coverage == near.any(0).mean()


def test_one_face_again_and_again_has_no_recall_and_strangers_no_precision():
    photographs = some(40)
    repeated = neighbourhoods(photographs, photographs[:1].expand(40, -1))
    assert repeated.precision == 1.0
    assert repeated.recall < 0.1
    assert repeated.coverage < 0.3
    assert neighbourhoods(photographs, some(40, seed=1, shift=9)).precision == 0.0
    with pytest.raises(ShapeError, match="more than 5 of each"):
        neighbourhoods(photographs[:5], photographs)


def mentions_of(rows: list[dict[int, bool]], k: int = 3) -> Mentions:
    said = torch.tensor([[i in row for i in range(k)] for row in rows])
    wanted = torch.tensor([[row.get(i, False) for i in range(k)] for row in rows])
    return Mentions(said, wanted)


def test_only_captions_that_are_false_of_the_photograph_are_distractors_and_an_oracle_finds_its_own():
    mentions = mentions_of([{0: True}, {0: True, 1: True}, {0: False, 1: False}, {2: True}])
    truth = torch.tensor([[True, True, True], [True, True, False], [False] * 3, [True] * 3])
    found = retrieve(truth, mentions, truth, num_distractors=99, seed=0)
    assert found.num_distractors.tolist() == [1, 2, 3, 1]
    assert found.hits.tolist() == [1.0] * 4
    turned = retrieve(~truth, mentions, truth, num_distractors=99, seed=0)
    assert turned.hits.tolist() == [0.0] * 4


def test_captions_that_fit_equally_well_share_the_hit_and_one_that_says_nothing_has_none():
    mentions = mentions_of([{0: True, 1: True}, {0: False, 1: False}, {}])
    half = torch.tensor([[True, False, False]] * 3)
    hits = retrieve(half, mentions, mentions.wanted, num_distractors=9, seed=0).hits
    assert hits[:2].tolist() == [0.5, 0.5]
    assert hits[2].isnan()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(3):
        sheet = torch.full((3, 16, 16), number, dtype=torch.uint8)
        pictures.save(tmp_path / picture_name(number), sheet)
        pictures.save(tmp_path / picture_name(number, 1), sheet + 10)
    (tmp_path / "notes.txt").write_text("of no matter")
    return tmp_path


def test_a_folder_s_faces_come_by_prompt_and_its_further_faces_apart(folder):
    method = MethodFolder.open("ours", folder, num_prompts=3, size_px=16)
    assert torch.cat([*method.faces(2)])[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert method.variants(2, 2)[..., 0, 0, 0].tolist() == [[0, 10], [1, 11]]
    assert method.variants(2, 3) is None


def test_a_missing_a_strange_and_a_doubled_picture_are_each_named(folder):
    for broken, said in (
        (lambda: (folder / "00001.png").unlink(), r"1 of 3 prompts, such as 00001\.png"),
        (lambda: (folder / "00002.png").rename(folder / "00007.png"), r"00007\.png"),
        (lambda: (folder / "0.png").write_bytes(b""), r"0\.png"),
    ):
        broken()
        with pytest.raises(DataError, match=said):
            MethodFolder.open("theirs", folder, num_prompts=3, size_px=16)


PROTOCOL = ComparisonProtocol(
    "toy", "d" * 64, "test", (4, 2), ("a man", "a woman"), "g" * 64, "r" * 64, "net", "lpips", 8,
    num_reference=2, variety_prompts=1, variety_faces=2, num_distractors=9, num_kept=10, seed=0,
)  # fmt: skip


class MeanColour:
    """A feature network that counts the photographs it looked at."""

    name = "mean_colour"
    looked = 0

    def __call__(self, images: Tensor) -> Tensor:
        self.looked += len(images)
        return images.mean(dim=[2, 3])


def test_a_protocol_of_another_seed_looks_at_no_training_photograph_again(tmp_path):
    data, cpu = toy_workspace(tmp_path, num_images=40).dataset, torch.device("cpu")
    places = Places(data, tmp_path, tmp_path, None, tmp_path / "cache", cpu, batch_size=8)
    net = MeanColour()
    other_seed, other_size = replace(PROTOCOL, seed=1), replace(PROTOCOL, size_px=16)
    other_data = replace(PROTOCOL, dataset="e" * 64)
    looks = ((PROTOCOL, 32), (other_seed, 32), (other_size, 64), (other_data, 96))
    for protocol, looked in looks:
        _familiar(places, protocol, Dataset.open(data), net)
        assert net.looked == looked
    net.name = "another"
    _familiar(places, PROTOCOL, Dataset.open(data), net)
    assert net.looked == 128


def test_a_protocol_is_known_by_its_digest_and_a_changed_one_is_another(tmp_path):
    path = tmp_path / "protocol.json"
    PROTOCOL.write(path)
    assert ComparisonProtocol.read(path) == PROTOCOL
    assert replace(PROTOCOL, seed=1).digest != PROTOCOL.digest
    content = json.loads(path.read_text())
    for wrong in (content | {"format": 9}, content | {"more": 1}, [], {"format": 1}):
        path.write_text(json.dumps(wrong))
        with pytest.raises(DataError, match="is no protocol of a comparison"):
            ComparisonProtocol.read(path)


def test_another_referee_or_data_set_is_refused():
    PROTOCOL.check({"referee": "r" * 64})
    with pytest.raises(DataError, match=r"the referee here is xxx.*no figure can be compared"):
        PROTOCOL.check({"referee": "x" * 64})


def test_whose_interval_reaches_the_best_is_best_too():
    def metric(value: float | None, ci=None, better="up") -> Metric:
        return Metric("m", value, 9, better, "", ci=ci)

    told = [metric(0.5, (0.4, 0.6)), metric(0.58), metric(0.4), metric(None)]
    assert best_of(told) == [0, 1]
    assert best_of([metric(3.0, better="down"), metric(2.0, better="down")]) == [1]
    assert best_of([metric(0.3, better="near ceiling")]) == []
