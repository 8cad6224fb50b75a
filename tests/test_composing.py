"""Faces of drawings and other sources, in a notebook and on the command line, by untrained encoders."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw

import tedigan
from tedigan.__main__ import main
from tedigan.encoders.psp import PyramidEncoder
from tedigan.encoders.visual import Paint
from tedigan.errors import ImageError, LabelError, ParamsError, WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.method.drawing_fit import FittingEncoder
from tedigan.models.embedded import DRAWERS, EMBEDDED_PARTS
from tedigan.models.opening import load_discriminator
from tedigan.store.model_folders import save_model
from tedigan.training.encoder_trainer import new_encoder
from tedigan.vocabulary.labels import LABEL_PALETTE
from tests.stages.test_adoption import PAPERS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> dict[str, Path]:
    """Encoders that were never trained, but answer; the sketch's gives layers 0 to 4, the label map's 0 to 2."""
    root, generator = tmp_path_factory.mktemp("encoders"), tedigan.load(device="cpu").generator
    features = load_discriminator(EMBEDDED_PARTS["generator"], CPU)
    for name, channels, count in (("sketch", 1, 5), ("label", 19, 3)):
        paint = Paint(torch.full((channels, 3), 0.5), 0.0)
        encoder = new_encoder(
            generator, features, head_dim=16, num_passes=1, seed=channels, paint=paint
        )
        torch.nn.init.normal_(encoder.out.weight, std=0.5)
        config = encoder.to_json() | {"layers": list(range(count))}
        save_model(root / name, {"encoder": encoder}, config, "")
    return {f"{name}_encoder": root / name for name in ("sketch", "label")}


@pytest.fixture(scope="module")
def model(places):
    return tedigan.load(**places, device="cpu")


@pytest.fixture
def drawings(tmp_path) -> dict[str, Path]:
    sketch = Image.new("L", (200, 160), 255)
    ImageDraw.Draw(sketch).ellipse([40, 10, 150, 150], outline=0, width=3)
    label = Image.new("RGB", (128, 128))
    ImageDraw.Draw(label).ellipse([30, 20, 100, 120], fill=LABEL_PALETTE["skin"])
    ImageDraw.Draw(label).rectangle([30, 10, 100, 40], fill=LABEL_PALETTE["hat"])
    for name, picture in (("sketch", sketch), ("label", label)):
        picture.save(tmp_path / f"{name}.png")
    return {name: tmp_path / f"{name}.png" for name in ("sketch", "label")}


def test_a_face_of_every_source_takes_from_each_its_layers(model, drawings):
    style, photograph = model.random_ws(2, seed=3).split(1)
    made = model.compose(
        3, text="She is smiling.", **drawings, style=style, photograph=photograph, seed=1
    )
    assert len(made.faces) == 3
    assert made.ws.shape == (3, 10, 256)
    assert "layer 0-2: the sketch (1) and the label map (1)" in made.report
    assert "layer 3-4: the sketch (1)" in made.report
    assert any("padded to a square" in line for line in made.report)
    assert any("the sentence: Smiling" in line for line in made.report)
    again = model.compose(
        1, text="She is smiling.", **drawings, style=style, photograph=photograph, seed=1
    )
    torch.testing.assert_close(again.ws, made.ws[:1], atol=1e-4, rtol=1e-4)


def test_faces_of_one_drawing_share_its_layers_and_differ_in_the_others(model, drawings):
    made = model.compose(4, sketch=drawings["sketch"])
    assert torch.equal(made.ws[:1, :5].expand(4, -1, -1), made.ws[:, :5])
    assert not torch.equal(made.ws[0, 6], made.ws[1, 6])


def test_layers_and_weights_are_as_they_are_asked_for(model, drawings):
    plain = model.compose(sketch=drawings["sketch"], layers={"sketch": [0]})
    half = model.compose(sketch=drawings["sketch"], layers={"sketch": [0]}, weights={"sketch": 0.5})
    assert plain.report[0].startswith("sketch.png is 200 x 160 px")
    assert any(line == "layer 0: the sketch (1)" for line in plain.report)
    assert not torch.equal(plain.ws[:, 0], half.ws[:, 0])
    torch.testing.assert_close(plain.ws[:, 1:], half.ws[:, 1:])


@pytest.mark.parametrize(("text_weight", "winner"), [(1.0, "the sentence"), (0.3, "the label map")])
def test_a_painted_hat_and_no_hat_is_settled_by_the_weights(model, drawings, text_weight, winner):
    made = model.compose(
        text="She wears no hat.",
        label=drawings["label"],
        weights={"text": text_weight, "label": 0.8},
    )
    (line,) = [line for line in made.report if "Wearing_Hat" in line and "wins" in line]
    assert f"{winner} wins" in line


def test_without_encoders_of_drawings_codes_are_fitted_by_what_comes_along(drawings):
    model = tedigan.load(device="cpu")
    for kind, network in (("sketch", "drawer"), ("label", "parser")):
        found = model.drawing_encoders[kind]
        assert isinstance(found.encoder, FittingEncoder)
        assert found.layers == [0, 1, 2, 3, 4]
        (weights,) = (DRAWERS | EMBEDDED_PARTS)[f"{kind}_encoder"].glob("*.safetensors")
        assert weights.stem == network
    made = model.compose(2, sketch=drawings["sketch"])
    fitted = made.ws[:, :5]
    assert torch.equal(fitted[0], fitted[1])
    assert (fitted[0] - model.generator.mapping.w_avg).abs().max() > 0.1


def test_what_cannot_be_is_refused(model, drawings, tmp_path, monkeypatch):
    with pytest.raises(ParamsError, match="no source was given"):
        model.compose(2)
    with pytest.raises(ParamsError, match="this generator has layers 0 to 9"):
        model.compose(sketch=drawings["sketch"], layers={"sketch": [10]})
    monkeypatch.setattr("tedigan.models.embedded.DRAWERS", {})
    with pytest.raises(WeightsError, match=r"no sketch_encoder.*--sketch-encoder"):
        tedigan.load(EMBEDDED_PARTS["generator"], device="cpu").compose(sketch=drawings["sketch"])
    with pytest.raises(LabelError, match="which is no class"):
        model.compose(label=Image.new("RGB", (64, 64), (90, 90, 200)))
    with pytest.raises(ImageError, match="empty sheet"):
        model.compose(sketch=Image.new("L", (64, 64)))


def test_an_encoder_of_another_kind_is_refused(places):
    with pytest.raises(WeightsError, match="reads label maps"):
        tedigan.load(sketch_encoder=places["label_encoder"], device="cpu")


def test_official_encoders_of_drawings_go_the_same_way(drawings, tmp_path):
    torch.manual_seed(0)
    generator = Generator(replace(PAPERS, w_dim=512))
    save_model(tmp_path / "g", {"G_ema": generator}, generator.config.to_json(), "")
    places = {}
    for name, channels in (("sketch", 1), ("label", 19)):
        network = PyramidEncoder("psp_encoder", input_channels=channels, num_ws=8)
        save_model(tmp_path / name, {"encoder": network}, network.to_json(), "")
        places[f"{name}_encoder"] = tmp_path / name
    made = tedigan.load(tmp_path / "g", **places, device="cpu").compose(2, **drawings)
    assert made.ws.shape == (2, 8, 512)
    assert made.report[-1] == "layer 0-7: the sketch (1) and the label map (1)"


def test_the_command_writes_what_was_given_the_faces_and_the_report(
    places, drawings, tmp_path, capsys
):
    options = {
        f"--{name.replace('_', '-')}": place for name, place in {**places, **drawings}.items()
    }
    options |= {"--layers": "sketch=0-1+4,label=2", "--weights": "text=0.5,sketch=0.8", "-n": 2}
    options |= {"--out": tmp_path / "faces"}
    flat = [str(part) for pair in options.items() for part in pair]
    assert main(["face", "She is smiling.", *flat]) == 0
    names = {"given-sketch.png", "given-label.png", "0-000.png", "0-001.png"}
    assert {p.name for p in (tmp_path / "faces").iterdir()} == names | {"report.txt", "sheet.png"}
    printed = capsys.readouterr().out.splitlines()
    report = (tmp_path / "faces" / "report.txt").read_text().splitlines()
    assert printed[: len(report)] == report
    assert "layer 0-1: the sketch (0.8) and chance (seed 0)" in report
    assert printed[-1] == str(tmp_path / "faces" / "sheet.png")
    assert Image.open(tmp_path / "faces" / "given-sketch.png").size == (64, 64)


@pytest.mark.parametrize("value", ["sketch", "sketch=", "sketch=a-b", "sketch=-3"])
def test_layers_that_cannot_be_read_are_refused(value, capsys):
    with pytest.raises(SystemExit):
        main(["face", "x", "--layers", value])
    assert "expected" in capsys.readouterr().err
