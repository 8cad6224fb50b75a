"""Text-guided edits: what moves, by how much, what is held, and what the stage leaves."""

import csv
from dataclasses import replace
from typing import TypeVar

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import CaptionError
from tedigan.method.edit import Editor
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.inversion_terms import encoder_term, perceptual_term, pixel_term
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.models.makers import open_inverter, open_sentence_reader, open_steering
from tedigan.params import chosen
from tedigan.stages import manipulate
from tedigan.store import pictures
from tedigan.tensors import stream, to_images, to_pixels
from tedigan.workspace import Workspace
from tests.stages.small import CONFIG, TEXT_LAYERS

TEXTS = ["She has blond hair.", "The man has a beard."]
OTHER_LAYERS = [3, 4, 6, 7]
T = TypeVar("T", Inverter, Steering)


@pytest.fixture(scope="module")
def inverter(untrained: Workspace) -> Inverter:
    settings = replace(chosen(untrained.params.manipulate, InversionSettings), num_steps=0)
    return open_inverter(untrained.models, untrained.device, settings)


@pytest.fixture(scope="module")
def editor(untrained: Workspace) -> Editor:
    device, settings = untrained.device, chosen(untrained.params.manipulate, SteeringSettings)
    steering = open_steering(untrained.models, device, settings)
    reader = open_sentence_reader(untrained.grammar, untrained.model("text_mapper"), device)
    return Editor(reader.reading, steering)


def changed(network: T, **values: object) -> T:
    """With other settings."""
    return replace(network, settings=replace(network.settings, **values))


@pytest.fixture(scope="module")
def photographs(untrained: Workspace) -> Tensor:
    data = Dataset.open(untrained.dataset)
    return to_images(data.pixels(data.split("test")[:2]))


def codes() -> Tensor:
    return torch.randn(2, CONFIG.num_ws, CONFIG.w_dim, generator=stream("codes"))


def test_an_edit_moves_only_the_layers_that_its_attributes_act_on(editor: Editor) -> None:
    moved = editor.edit(codes(), TEXTS) - codes()
    assert moved[:, OTHER_LAYERS].abs().max() == 0
    assert moved[:, TEXT_LAYERS].abs().mean() > 0.001


def test_an_edit_moves_towards_what_its_text_names_by_its_strength(editor: Editor) -> None:
    steering = changed(editor.steering, num_search_steps=80, num_picture_steps=0)
    editor = replace(editor, steering=steering)
    tagger = editor.steering.tagger
    column = tagger.names.index("Blond_Hair")
    found = [
        tagger(editor.edit(codes(), ["This person has blond hair."] * 2, [strength] * 2))[:, column]
        for strength in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ]
    assert (torch.stack(found).diff(dim=0) >= -0.02).all()
    assert (found[-1] - found[0] > 0.3).all()


def test_strength_nothing_and_a_text_that_says_nothing_edit_nothing(editor: Editor) -> None:
    torch.testing.assert_close(editor.edit(codes(), TEXTS, [0.0, 0.0]), codes())
    torch.testing.assert_close(editor.edit(codes(), ["This person."] * 2), codes())


def test_an_edit_does_not_depend_on_the_edits_beside_it(editor: Editor) -> None:
    own = replace(editor, steering=changed(editor.steering, num_picture_steps=3))
    both, alone = own.edit(codes(), TEXTS), own.edit(codes()[1:], TEXTS[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-4, rtol=1e-4)


ONLY = {
    f"weight_{name}": 0.0 for name in ("pixel", "perceptual", "encoder", "norm", "coherence")
}  # all but one are off


@pytest.mark.parametrize("name", ["pixel", "perceptual", "encoder"])
def test_inversion_lowers_the_term_that_has_a_weight_and_no_other_decides(
    inverter: Inverter, photographs: Tensor, name: str
) -> None:
    features = inverter.features
    assert features is not None
    terms = {
        "pixel": pixel_term(photographs),
        "perceptual": perceptual_term(photographs, features.features),
        "encoder": encoder_term(inverter.encoder, inverter.encoder.w_std),
    }

    def value(weighted: str) -> float:
        weights = ONLY | {f"weight_{weighted}": 1.0}
        ws = changed(inverter, num_steps=12, **weights).invert(photographs)
        images = inverter.generator.synthesis(ws, noise_mode="const")
        return terms[name](ws, images, torch.arange(2)).mean().item()

    assert all(value(name) < value(other) for other in terms if other != name)


def test_inversion_starts_from_the_encoders_code(inverter: Inverter, photographs: Tensor) -> None:
    torch.testing.assert_close(inverter.invert(photographs), inverter.encoder(photographs))


def trace_of(workspace: Workspace) -> list[dict[str, str]]:
    with (workspace.result("manipulated") / "trace.csv").open() as file:
        return list(csv.DictReader(file))


def test_the_stage_writes_the_trace_of_each_inversion(untrained: Workspace) -> None:
    ids = Dataset.open(untrained.dataset).split("test")[:2]
    manipulated(untrained, [f"*,{TEXTS[0]}"], num_steps=15, batch_size=1, min_progress=0.0)
    rows = trace_of(untrained)
    assert [(row["photograph"], row["step"]) for row in rows] == [
        (str(id), step) for id in ids for step in ("0", "10")
    ]
    assert float(rows[1]["pixel"]) < float(rows[0]["pixel"])


def test_the_stage_tunes_layers_to_each_photograph(untrained: Workspace) -> None:
    def distance(num_tuning_steps: int) -> float:
        rows = manipulated(
            untrained,
            [f"*,{TEXTS[0]}"],
            num_tuning_steps=num_tuning_steps,
            tuning_blocks=[16, 32],
            tuning_learning_rate=0.05,
        )
        return sum(difference(untrained, row["before"], row["inversion"]) for row in rows)

    assert distance(10) < 0.95 * distance(0)


def manipulated(workspace: Workspace, edits: list[str], **values: object) -> list[dict[str, str]]:
    """The rows of edits.csv that the stage itself writes."""
    first = "photograph,text,strength" if edits[0].count(",") > 1 else "photograph,text"
    (workspace.root / "edits.csv").write_text("\n".join([first, *edits]) + "\n")
    steps = {"num_steps": 0}
    section = workspace.params.manipulate.model_copy(update=steps | values)
    params = workspace.params.model_copy(update={"manipulate": section})
    manipulate.run(Workspace(workspace.root, params))
    with (workspace.result("manipulated") / "edits.csv").open() as file:
        return list(csv.DictReader(file))


def difference(workspace: Workspace, one: str, other: str) -> float:
    """Of two of the stage's pictures, mean in levels of 255."""
    folder = workspace.result("manipulated")
    return (
        (pictures.load(folder / one).float() - pictures.load(folder / other).float()).abs().mean()
    ).item()


def test_the_stage_edits_by_each_rows_strength(untrained: Workspace) -> None:
    for strength, moves in ((0.0, False), (2.0, True)):
        for row in manipulated(untrained, [f"*,{TEXTS[0]},{strength}"]):
            assert row["strength"] == str(strength)
            assert (difference(untrained, row["inversion"], row["after"]) > 0.2) == moves


def test_the_stage_shows_each_edit_at_the_strengths_of_the_strip(untrained: Workspace) -> None:
    strip = [-1.0, 0.0, 1.0]
    (row, *_) = manipulated(untrained, [f"*,{TEXTS[0]}"], strip=strip)
    folder = untrained.result("manipulated")
    shown = pictures.load(folder / row["strip"])
    after, inversion = (pictures.load(folder / row[name]) for name in ("after", "inversion"))
    side = after.shape[-1]
    faces = [shown[:, :, x : x + side] for x in range(0, shown.shape[-1], side + 2)]
    assert torch.equal(faces[1], inversion)
    assert torch.equal(faces[2], after)
    assert not torch.equal(faces[0], after)
    assert manipulated(untrained, [f"*,{TEXTS[0]}"], strip=[])[0]["strip"] == ""


@pytest.mark.parametrize("strength", ["4", "much", "nan"])
def test_a_strength_that_is_none_is_refused_with_its_line(
    untrained: Workspace, strength: str
) -> None:
    with pytest.raises(CaptionError, match=rf"edits.csv.*{strength}.*-3\.\.3"):
        manipulated(untrained, [f"*,{TEXTS[0]},{strength}"])


def test_the_stage_edits_each_photograph_by_its_own_text(
    untrained: Workspace, inverter: Inverter, editor: Editor, photographs: Tensor
) -> None:
    first, second = Dataset.open(untrained.dataset).split("test")[:2]
    rows = manipulated(untrained, [f"{second},{TEXTS[0]}", f"*,{TEXTS[1]}"])
    done = [(row["photograph"], row["text"]) for row in rows]
    assert done == [
        (str(first), TEXTS[1]),
        (str(second), TEXTS[0]),
        (str(second), TEXTS[1]),
    ]
    owners, texts = [0, 1, 1], [row["text"] for row in rows]
    inverted = inverter.invert(photographs)[owners]
    expected = to_pixels(editor.images(editor.edit(inverted, texts)))
    for row, picture in zip(rows, expected, strict=True):
        saved = pictures.load(untrained.result("manipulated") / row["after"])
        assert (saved.float() - picture.float()).abs().mean() < 0.01
