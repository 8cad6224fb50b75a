"""docs/python.md is run as it stands, on the models that come along."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import tedigan
from tedigan.__main__ import main
from tedigan.errors import (
    CaptionError,
    ParamsError,
    ShapeError,
    StoreError,
    WeightsError,
)
from tedigan.method.bank import Bank
from tedigan.method.steering import SteeringSettings
from tedigan.models import single_faces
from tedigan.models.single_faces import (
    BANK_BEST,
    BANK_LACK,
    BANK_SIZE,
    EDITING,
    REGION_CELLS,
    STEERING,
)
from tedigan.params import chosen, read_params
from tedigan.store.sums import write_sums

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)


@pytest.fixture(scope="module", autouse=True)
def _small_bank():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(single_faces, "BANK_SIZE", 2000)
        yield


@pytest.fixture(scope="module")
def model():
    return tedigan.load(device="cpu")


@pytest.fixture
def photograph(tmp_path, model):
    (face,) = model.draw(model.random_ws(seed=5))
    face.resize((96, 128)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def test_every_block_of_the_page_runs(photograph, monkeypatch):
    monkeypatch.chdir(photograph.parent)
    names: dict[str, object] = {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    assert {"faces.png", "edited.png", "codes.png"} <= {p.name for p in Path().iterdir()}
    assert torch.equal(names["again"], names["ws"].cpu())


def test_no_example_is_longer_than_eight_lines():
    assert max(len(block.strip().splitlines()) for block in BLOCKS) <= 8


def test_importing_brings_no_torch():
    code = "import sys, tedigan; tedigan.__version__; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_offered_name_is_there():
    assert all(hasattr(tedigan, name) for name in tedigan.__all__)
    assert len(tedigan.__all__) <= 10


def test_a_face_depends_on_its_sentence_seed_and_place_alone(model):
    few, many = (model.faces("A man with a hat.", n, seed=3) for n in (2, 3))
    assert [a.tobytes() for a in few] == [b.tobytes() for b in many[:2]]
    (other,) = model.faces("A woman with blond hair.", 1, seed=3)
    assert other.tobytes() != few[0].tobytes()


def test_a_model_makes_its_bank_once(model, monkeypatch):
    made, of = [], Bank.of
    monkeypatch.setattr(Bank, "of", lambda *args, **kwargs: made.append(1) or of(*args, **kwargs))
    for _ in range(2):
        model.faces("A man.", truncation_psi=0.6)
        model.compose(text="A woman.", truncation_psi=0.6)
    assert len(made) == 1


def test_strength_zero_draws_the_inversion_and_more_moves_farther(model):
    ws = model.random_ws(seed=2)
    (plain,) = model.draw(ws)
    text = "This person has black hair."
    edits = [model.edit(ws, text, strength=s) for s in (0.0, 0.3, 3.0)]
    away = [_distance(edit, plain) for edit in edits]
    assert away[0] == 0
    assert away[1] <= away[2]
    assert away[2] > 0


def test_what_a_sentence_names_is_told(model):
    assert model.understand("She is not smiling.").wishes == {"Smiling": False, "Male": False}
    assert model.understand("This person.").names_nothing


def test_variants_share_the_code_and_differ_in_noise(model):
    ws = model.random_ws(seed=2)
    first, second = model.variants(ws, 2)
    (other,) = model.draw(model.random_ws(seed=3))
    assert 0 < _distance(first, second) < _distance(first, other) / 2
    (plain,), (varied,) = model.draw(ws), model.variants(ws, 1, layers=[1])
    assert 0 < _distance(varied, plain) < _distance(first, plain)
    with pytest.raises(ParamsError, match="Name some of these"):
        model.variants(ws, 1, layers=[9])


def test_inversion_comes_nearer_than_the_mean_face(model, photograph):
    (mean,) = model.draw(model.generator.ws_of_w(model.generator.mapping.w_avg[None]))
    (found,) = model.draw(model.invert(photograph, num_steps=30))
    seen = model.read(photograph)
    assert _distance(found, seen) < 0.7 * _distance(mean, seen)


def test_interpolation_keeps_both_ends(model):
    start, end = model.random_ws(2, seed=7).split(1)
    path = tedigan.interpolate(start, end, 5)
    assert torch.equal(path[:1], start)
    assert torch.allclose(path[-1:], end)


def test_codes_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ParamsError, match=r"\.safetensors or \.npy"):
        tedigan.save_ws(tmp_path / "codes.pt", torch.zeros(1, 10, 128))
    numpy.save(tmp_path / "flat.npy", numpy.zeros(128))
    with pytest.raises(ShapeError, match="Choose another file"):
        tedigan.load_ws(tmp_path / "flat.npy")
    (tmp_path / "no.npy").write_bytes(b"\x80\x04N.")
    with pytest.raises(StoreError, match=r"numpy\.save"):
        tedigan.load_ws(tmp_path / "no.npy")


def test_a_sentence_without_steering_says_what_to_name():
    model = tedigan.load(PAGE.parents[1] / "assets" / "stylegan2-drawn-64", device="cpu")
    assert len(model.draw(model.random_ws(2))) == 2
    with pytest.raises(WeightsError, match="steering=FOLDER"):
        model.faces("A man.")


@pytest.mark.parametrize(
    ("codes", "advice"),
    [
        (torch.zeros(1, 14, 256), "Were they made for another one"),
        (torch.zeros(0, 10, 256), "Were they made for another one"),
        (torch.full((1, 10, 256), float("nan")), "no numbers"),
    ],
)
def test_codes_that_do_not_fit_are_refused_by_whatever_takes_them(model, codes, advice):
    takers = (model.draw, lambda ws: model.variants(ws, 1), lambda ws: model.edit(ws, "A man."))
    for take in takers:
        with pytest.raises((ShapeError, WeightsError), match=advice):
            take(codes)


def test_codes_of_double_precision_are_taken(model):
    ws = model.random_ws(seed=2)
    assert model.draw(ws.double())[0].tobytes() == model.draw(ws)[0].tobytes()


def test_an_edit_takes_one_code(model):
    with pytest.raises(ShapeError, match=r"Take one: ws\[:1\]"):
        model.edit(model.random_ws(2), "A man.")


@pytest.mark.parametrize("text", ["", "42", "\n", "word " * 200])
def test_what_is_no_sentence_is_refused(model, text):
    with pytest.raises(CaptionError, match="the text"):
        model.faces(text)


@pytest.mark.parametrize("strength", [float("inf"), float("nan"), -3.1])
def test_a_strength_beyond_all_measure_draws_nothing_black(model, strength):
    for ask in (
        lambda: model.faces("A man.", strength=strength),
        lambda: model.edit(model.random_ws(), "A man.", strength=strength),
    ):
        with pytest.raises(ParamsError, match=r"-3\.\.3"):
            ask()


def test_counts_begin_at_one(model):
    ws = model.random_ws()
    for ask in (
        lambda: model.faces("A man.", 0),
        lambda: model.random_ws(0),
        lambda: model.variants(ws, 0),
        lambda: tedigan.interpolate(ws, ws, 0),
        lambda: tedigan.sheet([]),
    ):
        with pytest.raises(ParamsError, match="at least 1"):
            ask()


def test_steering_of_another_generator_is_refused(tmp_path):
    assets = PAGE.parents[1] / "assets"
    with pytest.raises(WeightsError, match="no folder guide"):
        tedigan.load(steering=assets / "stylegan2-drawn-64", device="cpu")
    other = tmp_path / "other"
    shutil.copytree(assets / "steering-drawn-64", other)
    config = other / "latent_tagger/config.json"
    config.write_text(config.read_text().replace('"num_ws": 10', '"num_ws": 14'))
    write_sums(config.parent)
    with pytest.raises(WeightsError, match="Name one that was trained with this one"):
        tedigan.load(steering=other, device="cpu")
    with pytest.raises(WeightsError, match="does not exist"):
        tedigan.load(tmp_path / "nowhere", device="cpu")


def test_face_writes_its_pictures_and_a_sheet_and_replaces_nothing(tmp_path, capsys):
    command = ["face", "A man with a hat.", "--n", "2", "--out", str(tmp_path / "faces")]
    assert main(command) == 0
    assert {p.name for p in (tmp_path / "faces").iterdir()} == {
        "0-000.png",
        "0-001.png",
        "report.txt",
        "sheet.png",
    }
    faces = tedigan.load(device="cpu").faces("A man with a hat.", 2)
    for name, face in zip(("0-000", "0-001"), faces, strict=True):
        assert _distance(Image.open(tmp_path / "faces" / f"{name}.png"), face) == 0
    assert main(command) == 1
    assert "Name another with --out" in capsys.readouterr().err


def test_edit_writes_photograph_inversion_edit_and_a_sheet(photograph):
    out = photograph.parent / "edited"
    text = "He has blond hair."
    assert main(["edit", str(photograph), text, "--steps", "3", "--out", str(out)]) == 0
    names = {"photograph.png", "inversion.png", "edit.png", "sheet.png"}
    assert {p.name for p in out.iterdir()} == names
    assert Image.open(out / "sheet.png").size == (3 * 64 + 4, 64)


def test_what_nobody_says_is_what_params_yaml_says():
    params = read_params(PAGE.parents[1] / "params.yaml")
    given = inspect.signature(tedigan.Model.faces).parameters
    for name in ("strength", "truncation_psi", "style_layers"):
        assert given[name].default == getattr(params.generate, name)
    composed = inspect.signature(tedigan.Model.compose).parameters
    for name in ("strength", "truncation_psi"):
        assert composed[name].default == getattr(params.generate, name)
    assert chosen(params.generate, SteeringSettings) == STEERING
    for name, value in (("size", BANK_SIZE), ("best", BANK_BEST), ("lack", BANK_LACK)):
        assert getattr(params.generate, f"bank_{name}") == value
    assert chosen(params.manipulate, SteeringSettings) == EDITING
    assert params.manipulate.region_cells == REGION_CELLS


def _distance(one: Image.Image, other: Image.Image) -> float:
    a, b = (
        torch.frombuffer(bytearray(i.tobytes()), dtype=torch.uint8).float() for i in (one, other)
    )
    return (a - b).square().mean().item()
