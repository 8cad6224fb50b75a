"""Which photographs, captions and faces an evaluation looks at."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import (
    DIVERSITY_CAPTIONS,
    DIVERSITY_FACES,
    Networks,
    Subjects,
    gather,
)
from tedigan.tensors import stream
from tests.dataset import datasets_made

SIZE, SEED = 16, 5


def faces(captions: list[str], seed: int) -> Tensor:
    """Each shows its seed, its place and its caption's length."""
    shown = [torch.tensor([seed, place, len(one)]) for place, one in enumerate(captions)]
    return torch.stack(shown)[:, :, None, None].expand(-1, -1, SIZE, SIZE).to(torch.uint8)


NETWORKS = Networks(
    faces,
    lambda count, seed: torch.full((count, 3, SIZE, SIZE), seed, dtype=torch.uint8),
    lambda pixels: 255 - pixels,
    torch.full((1, 3, SIZE, SIZE), 9, dtype=torch.uint8),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """60 drawn faces with five captions each; 24 or so are for the test."""
    sizes = {"resolution": SIZE, "num_images": 60, "kinds": ["text"], "captions_per_image": 5}
    splits = {"split": "identity", "val_fraction": 0.1, "test_fraction": 0.4}
    folder = tmp_path_factory.mktemp("gather")
    return datasets_made.run(folder, source="drawn", **sizes, **splits)[0]


def gathered(data: Dataset, *, seed: int = SEED, **sizes: int) -> Subjects:
    sizes = {"num_prompts": 21, "num_images": 7, "batch_size": 4} | sizes
    return gather(data, NETWORKS, seed=seed, **sizes)


def drawn(data: Dataset, split: str, count: int, seed: int = SEED) -> list[int]:
    """The first of a split's photographs in the order of the seed."""
    ids = data.split(split)
    order = torch.randperm(len(ids), generator=stream(seed, "evaluate", split))
    return [ids[row] for row in order.tolist()][:count]


@pytest.mark.parametrize(("num_prompts", "num_images"), [(21, 7), (3, 8), (5, 5)])
def test_as_many_test_photographs_as_the_larger_number_asks_for(
    data: Dataset, num_prompts: int, num_images: int
) -> None:
    seen = gathered(data, num_prompts=num_prompts, num_images=num_images)
    test = drawn(data, "test", max(num_prompts, num_images))
    assert torch.equal(seen.photographs, data.pixels(test))
    assert torch.equal(seen.identities, data.identities(test))
    train = drawn(data, "train", num_images)
    assert torch.equal(seen.train_photographs, data.pixels(train))


def test_where_there_are_fewer_photographs_all_are_taken(data: Dataset) -> None:
    assert len(gathered(data, num_prompts=1000).captions) == len(data.split("test"))


def test_each_photograph_lends_one_of_its_captions_by_seed_and_id_alone(data: Dataset) -> None:
    test = drawn(data, "test", 21)
    places = [
        int(torch.randint(5, (), generator=stream(SEED, "caption", photograph)))
        for photograph in test
    ]
    expected = [data.captions(one)[place] for one, place in zip(test, places, strict=True)]
    assert gathered(data).captions == expected
    assert set(places) == {0, 1, 2, 3, 4}


def test_every_set_of_faces_has_a_seed_of_its_own(data: Dataset) -> None:
    seen = gathered(data)
    assert torch.equal(seen.texts, faces(seen.captions, SEED))
    assert torch.equal(seen.unconditional, torch.full_like(seen.texts, SEED + 1))
    assert (seen.variants[:, :, 0] == SEED + 2).all()
    assert torch.equal(seen.inversions, 255 - seen.photographs)
    assert torch.equal(seen.mean_face, NETWORKS.mean_face)


def test_the_first_twenty_captions_have_eight_faces_each(data: Dataset) -> None:
    seen = gathered(data)
    assert seen.variants.shape == (DIVERSITY_CAPTIONS, DIVERSITY_FACES, 3, SIZE, SIZE)
    places, lengths = seen.variants[:, :, 1, 0, 0], seen.variants[:, :, 2, 0, 0]
    assert places.flatten().tolist() == list(range(160))
    assert lengths.tolist() == [[len(one)] * 8 for one in seen.captions[:20]]
    assert gathered(data, num_prompts=3, num_images=3).variants.shape[:2] == (3, 8)


def test_photographs_are_inverted_a_batch_at_a_time(data: Dataset) -> None:
    sizes: list[int] = []

    def invert(pixels: Tensor) -> Tensor:
        sizes.append(len(pixels))
        return pixels

    networks = Networks(faces, NETWORKS.random_faces, invert, NETWORKS.mean_face)
    gather(data, networks, num_prompts=10, num_images=3, batch_size=4, seed=SEED)
    assert sizes == [4, 4, 2]


def test_rivals_see_the_same_captions_and_seed(data: Dataset) -> None:
    way = NETWORKS.faces
    networks = replace(NETWORKS, rivals={"upside down": lambda *given: way(*given).flip(1)})
    seen = gather(data, networks, num_prompts=5, num_images=3, batch_size=4, seed=SEED)
    assert torch.equal(seen.rivals["upside down"], seen.texts.flip(1))


def test_prevalence_is_counted_in_all_of_train(data: Dataset) -> None:
    expected = data.attributes(data.split("train")).float().mean(dim=0)
    assert torch.equal(gathered(data).prevalence, expected)
