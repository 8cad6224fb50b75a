"""pSp's and e4e's files become an encoder and a generator; what ours cannot be is refused by name.

The files are whole in names and shapes; their values are single zeros, seen many times, so that nothing is copied.
"""

import ast
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tedigan.encoders.psp import PyramidEncoder
from tedigan.errors import KeysError, WeightsError
from tedigan.foreign.dialects import psp_and_e4e as psp
from tedigan.foreign.dialects import rosinality
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.stylegan import Generator
from tests.parity.case import shapes_of
from tests.parity.cases_psp import CASES
from tests.parity.filling import fill_shapes
from tests.parity.foreign_file import foreign_file

KEY_LISTS = Path(__file__).parents[3] / "shared/facts/checkpoint-keys"
AVERAGE = torch.linspace(-1, 1, 512)
W_AVG = "mapping.w_avg"

Tensors = dict[str, Tensor]


@dataclass
class HeldCheckpoint:
    """As a file that has been read."""

    content: dict[str, Any]
    name: str = "theirs.pt"

    def state_dict(self, *sections: str) -> Tensors:
        here: Mapping[str, Any] = self.content
        for section in sections:
            here = here[section]
        return {name: value for name, value in here.items() if isinstance(value, Tensor)}


def seen_many_times(shapes: Mapping[str, list[int]]) -> Tensors:
    kernels = {name: shape for name, shape in shapes.items() if name.endswith("kernel")}
    zeros = {name: torch.zeros(()).expand(shape) for name, shape in shapes.items()}
    return zeros | fill_shapes(kernels)


def whole(**opts: Any) -> dict[str, Any]:
    """A file of pSp for photographs and a generator of 32 px; opts: None leaves an option out."""
    [case] = [case for case in CASES if case.name == "psp_photographs_32"]
    saved = {
        "encoder_type": "GradualStyleEncoder",
        "output_size": 32,
        "start_from_latent_avg": True,
    } | opts
    return {
        "state_dict": seen_many_times(case.shapes()["state_dict"]),
        "latent_avg": AVERAGE.repeat(8, 1),
        "opts": {name: value for name, value in saved.items() if value is not None},
    }


def translated(content: dict[str, Any]) -> tuple[ForeignModel, ForeignModel]:
    file = HeldCheckpoint(content)
    assert psp.recognises(file)
    encoder, generator = psp.translate(file)
    return encoder, generator


def test_a_file_is_an_encoder_and_a_generator() -> None:
    encoder, generator = translated(whole())
    assert encoder.config == {
        "architecture": "psp_encoder",
        "input_channels": 3,
        "input_size_px": 256,
        "num_ws": 8,
        "w_dim": 512,
    }
    assert GeneratorConfig.from_json(generator.config).img_resolution == 32
    assert (set(encoder.networks), set(generator.networks)) == ({"encoder"}, {"G_ema"})
    assert encoder.notes == generator.notes == []


def test_both_fit_our_networks() -> None:
    encoder, generator = translated(whole())
    with torch.device("meta"):
        one = PyramidEncoder.from_json(encoder.config)
        other = Generator(GeneratorConfig.from_json(generator.config))
    assert shapes_of(one.state_dict()) == shapes_of(encoder.networks["encoder"])
    assert shapes_of(other.state_dict()) == shapes_of(generator.networks["G_ema"])


@pytest.mark.parametrize("option", ["output_size", "stylegan_size"])
def test_the_encoder_type_decides(option: str) -> None:
    content = whole(**{"encoder_type": "Encoder4Editing", "output_size": None, option: 32})
    encoder, generator = translated(content)
    assert encoder.config["architecture"] == "e4e_encoder"
    assert (encoder.dialect, generator.dialect) == ("e4e", "e4e")


def test_an_average_that_repeats_is_w_avg_of_both() -> None:
    encoder, generator = translated(whole())
    assert torch.equal(generator.networks["G_ema"][W_AVG], AVERAGE)
    assert torch.equal(encoder.networks["encoder"]["w_avg"], AVERAGE.repeat(8, 1))


@pytest.mark.parametrize("average", [AVERAGE, AVERAGE[None]])
def test_an_average_without_layers_is_repeated(average: Tensor) -> None:
    encoder, generator = translated(whole(learn_in_w=True) | {"latent_avg": average})
    assert torch.equal(generator.networks["G_ema"][W_AVG], AVERAGE)
    assert torch.equal(encoder.networks["encoder"]["w_avg"], AVERAGE.repeat(8, 1))


def test_an_average_for_each_layer_stays_in_the_encoder_and_is_said() -> None:
    average = AVERAGE * torch.arange(8)[:, None]
    encoder, generator = translated(whole() | {"latent_avg": average})
    assert torch.equal(encoder.networks["encoder"]["w_avg"], average)
    assert generator.networks["G_ema"][W_AVG].shape == (512,)
    assert generator.notes[-1] == (
        "The file's latent_avg has a mean for each layer; the encoder keeps it."
    )


def test_without_an_average_the_encoder_adds_the_generators_and_says_so() -> None:
    content = whole()
    del content["latent_avg"]
    content["state_dict"]["decoder.style.8.bias"] = torch.full([512], 50.0)
    encoder, generator = translated(content)
    w_avg = generator.networks["G_ema"][W_AVG]
    assert w_avg.mean() > 0.5
    assert torch.equal(encoder.networks["encoder"]["w_avg"], w_avg.repeat(8, 1))
    assert encoder.notes == ["The file has no latent_avg; the encoder adds the generator's w_avg."]


def test_an_encoder_trained_without_the_average_adds_nothing() -> None:
    encoder, generator = translated(whole(start_from_latent_avg=False))
    assert torch.equal(encoder.networks["encoder"]["w_avg"], torch.zeros(8, 512))
    assert torch.equal(generator.networks["G_ema"][W_AVG], AVERAGE)
    assert encoder.notes == ["It was trained without latent_avg; its w_avg is zero."]


def test_old_options_that_lack_sizes_are_enough() -> None:
    encoder, _ = translated(whole(output_size=None, start_from_latent_avg=None))
    assert torch.equal(encoder.networks["encoder"]["w_avg"], AVERAGE.repeat(8, 1))


def test_options_may_be_a_namespace(tmp_path: Path) -> None:
    content = {"state_dict": {}, "opts": Namespace(encoder_type="SingleStyleCodeEncoder")}
    with pytest.raises(WeightsError, match="SingleStyleCodeEncoder, expected Gradual"):
        psp.translate(foreign_file(tmp_path, content))


@pytest.mark.parametrize(
    ("opts", "message"),
    [
        (
            {"encoder_type": None},
            " has no encoder_type.* cannot be guessed.*--encoder-type psp",
        ),
        (
            {"encoder_type": "BackboneEncoderUsingLastLayerIntoW"},
            "encoder_type is BackboneEncoderUsingLastLayerIntoW, .* Choose a file of pSp",
        ),
        ({"encoder_type": "BackboneEncoderUsingLastLayerIntoWPlus"}, "IntoWPlus, expected Gradual"),
        ({"encoder_type": 7}, "encoder_type is 7"),
        ({"output_size": 1024}, "output_size is 1024, but the decoder's tensors are a 32 px"),
        ({"stylegan_size": 64}, "stylegan_size is 64, but .* Download"),
    ],
)
def test_options_that_ours_cannot_follow_are_refused(opts: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=r"^theirs\.pt: opts.*" + message):
        psp.translate(HeldCheckpoint(whole(**opts)))


def test_a_file_without_options_is_refused() -> None:
    content = whole()
    del content["opts"]
    with pytest.raises(WeightsError, match="opts has no encoder_type"):
        psp.translate(HeldCheckpoint(content))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        (
            "encoder.body.3.shortcut_layer.0.weight",
            None,
            "body.3.shortcut_layer.0.weight is missing",
        ),
        ("encoder.styles.7.convs.10.bias", None, "styles.7.convs.10.bias is missing; .* Download"),
        (
            "encoder.body.24.res_layer.0.weight",
            [512],
            "1 tensors have no place in our network .body.24",
        ),
        ("face_pool.weight", [3], "1 tensors have no place in our network .face_pool.weight"),
        (
            "encoder.latlayer1.weight",
            [512, 128, 1, 1],
            r"latlayer1.weight is \[512, 128, 1, 1\], expected \[512, 256, 1, 1\].*export it",
        ),
    ],
)
def test_tensors_that_do_not_fit_are_named(
    name: str, shape: list[int] | None, message: str
) -> None:
    content = whole()
    content["state_dict"].pop(name, None)
    if shape is not None:
        content["state_dict"][name] = torch.zeros(()).expand(shape)
    with pytest.raises(KeysError, match=r"^theirs\.pt: encoder: .*" + message):
        psp.translate(HeldCheckpoint(content))


def test_a_generators_tensor_that_is_missing_is_named() -> None:
    content = whole()
    del content["state_dict"]["decoder.convs.3.activate.bias"]
    with pytest.raises(KeysError, match=r"decoder: convs\.3\.activate\.bias is missing"):
        psp.translate(HeldCheckpoint(content))


def test_other_pictures_are_refused() -> None:
    content = whole()
    content["state_dict"]["encoder.input_layer.0.weight"] = torch.zeros(()).expand(64, 6, 3, 3)
    with pytest.raises(WeightsError, match=r"have 6 channels, expected 1 \(sketches\), 3 .photo"):
        psp.translate(HeldCheckpoint(content))


def test_another_number_of_codes_than_the_generators_is_refused() -> None:
    content = whole()
    del content["state_dict"]["encoder.styles.7.linear.weight"]
    with pytest.raises(WeightsError, match="gives 7 codes, but the decoder takes 8"):
        psp.translate(HeldCheckpoint(content))


def test_an_average_of_another_shape_is_refused() -> None:
    with pytest.raises(KeysError, match=r"latent_avg is \[8, 256\], expected \[num_ws, 512\]"):
        psp.translate(HeldCheckpoint(whole() | {"latent_avg": torch.zeros(8, 256)}))


def test_other_files_are_not_recognised() -> None:
    encoder_alone = {"encoder.input_layer.0.weight": torch.zeros(64, 3, 3, 3)}
    for content in ({"state_dict": encoder_alone}, {"state_dict": 3}, {"g_ema": {}}, encoder_alone):
        assert not psp.recognises(HeldCheckpoint(content))
    assert not rosinality.recognises(HeldCheckpoint(whole()))


@pytest.mark.shared
@pytest.mark.skipif(not KEY_LISTS.is_dir(), reason="the recorded key lists are not on this machine")
@pytest.mark.parametrize(
    ("names", "kind", "channels"),
    [
        ("psp_encoder_ffhq", "GradualStyleEncoder", 3),
        ("psp_encoder_seg19", "GradualStyleEncoder", 19),
        ("e4e_encoder", "Encoder4Editing", 3),
    ],
)
def test_the_published_files_names_are_translated_whole(
    names: str, kind: str, channels: int
) -> None:
    encoder, generator = read_key_list(names), read_key_list("rosinality_g_ema_1024")
    shapes = {f"encoder.{name}": shape for name, shape in encoder.items()}
    shapes |= {f"decoder.{name}": shape for name, shape in generator.items()}
    content = whole(encoder_type=kind, output_size=1024) | {"latent_avg": AVERAGE.repeat(18, 1)}
    one, other = translated(content | {"state_dict": seen_many_times(shapes)})
    assert (one.config["input_channels"], one.config["num_ws"]) == (channels, 18)
    assert GeneratorConfig.from_json(other.config) == GeneratorConfig(1024)


def read_key_list(name: str) -> dict[str, list[int]]:
    lines = (KEY_LISTS / f"{name}.txt").read_text().splitlines()
    pairs = (line.split("\t")[:2] for line in lines)
    return {key: ast.literal_eval(shape) for key, shape in pairs}
