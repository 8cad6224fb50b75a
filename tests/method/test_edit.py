"""Text-guided edits: which layers move, by how much, and what the optimisation holds."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.text import NEUTRAL_TEXT
from tedigan.method.edit import Editor, EditSettings
from tedigan.method.inversion import InversionSettings
from tedigan.method.inversion_terms import encoder_term, perceptual_term, pixel_term
from tedigan.models.makers import open_inverter
from tedigan.models.opening import load_text_encoder
from tedigan.params import chosen
from tedigan.stages import manipulate
from tedigan.store import pictures
from tedigan.tensors import stream, to_images, to_pixels
from tedigan.workspace import Workspace
from tests.stages.small import CONFIG, TEXT_LAYERS

TEXTS = ["She has blond hair.", "The man has a beard."]
OTHER_LAYERS = [3, 4, 6, 7]


@pytest.fixture(scope="module")
def editor(untrained: Workspace) -> Editor:
    params, device = untrained.params.manipulate, untrained.device
    inverter = open_inverter(untrained.models, device, chosen(params, InversionSettings))
    captions = load_text_encoder(untrained.model("text_encoder"), device)
    editor = Editor(inverter, captions, chosen(params, EditSettings))
    return changed(editor, num_steps=0, num_edit_steps=0)


def changed(editor: Editor, **values: object) -> Editor:
    """Of the editor's settings or its inverter's."""
    own = {name: v for name, v in values.items() if hasattr(editor.settings, name)}
    others = {name: v for name, v in values.items() if name not in own}
    settings = replace(editor.inverter.settings, **others)
    inverter = replace(editor.inverter, settings=settings)
    return replace(editor, inverter=inverter, settings=replace(editor.settings, **own))


@pytest.fixture(scope="module")
def photographs(untrained: Workspace) -> Tensor:
    data = Dataset.open(untrained.dataset)
    return to_images(data.pixels(data.split("test")[:2]))


def codes() -> Tensor:
    return torch.randn(2, CONFIG.num_ws, CONFIG.w_dim, generator=stream("codes"))


def direction(editor: Editor) -> Tensor:
    """Of TEXTS against a text that says nothing, one deviation long."""
    captions = editor.captions
    shift = captions.ws(TEXTS) - captions.ws([NEUTRAL_TEXT])
    lengths = (shift / captions.encoder.ws_std).square().mean(dim=[1, 2], keepdim=True).sqrt()
    return shift / lengths


@pytest.mark.parametrize("strength", [0.0, 0.8, 2.0])
def test_a_shift_moves_only_the_texts_layers_and_by_its_strength(
    editor: Editor, photographs: Tensor, strength: float
) -> None:
    own = changed(editor, mode="shift", strength=strength)
    moved = own.edit(photographs, codes(), TEXTS) - codes()
    assert moved[:, OTHER_LAYERS].abs().max() == 0
    expected = strength * direction(editor)[:, TEXT_LAYERS]
    torch.testing.assert_close(moved[:, TEXT_LAYERS], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.8])
def test_replacing_takes_the_texts_own_code_on_its_layers(
    editor: Editor, photographs: Tensor, strength: float
) -> None:
    own = changed(editor, mode="replace", strength=strength)
    edited = own.edit(photographs, codes(), TEXTS)
    torch.testing.assert_close(edited[:, OTHER_LAYERS], codes()[:, OTHER_LAYERS])
    expected = editor.captions.ws(TEXTS)
    torch.testing.assert_close(edited[:, TEXT_LAYERS], expected[:, TEXT_LAYERS])


def test_a_text_that_says_nothing_edits_nothing(editor: Editor, photographs: Tensor) -> None:
    edited = editor.edit(photographs, codes(), [NEUTRAL_TEXT] * 2)
    torch.testing.assert_close(edited, codes())


def test_named_text_layers_replace_the_measured_ones(editor: Editor, photographs: Tensor) -> None:
    moved = changed(editor, text_layers=[7]).edit(photographs, codes(), TEXTS) - codes()
    assert moved[:, :7].abs().max() == 0
    assert moved[:, 7].abs().min() > 0


def test_an_edit_does_not_depend_on_the_edits_beside_it(
    editor: Editor, photographs: Tensor
) -> None:
    own = changed(editor, num_edit_steps=3)
    both = own.edit(photographs, codes(), TEXTS)
    alone = own.edit(photographs[1:], codes()[1:], TEXTS[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-4)


ONLY = {
    f"weight_{name}": 0.0
    for name in ("pixel", "perceptual", "encoder", "norm", "coherence", "text")
}  # all but one are off


@pytest.mark.parametrize("name", ["pixel", "perceptual", "encoder"])
def test_inversion_lowers_the_term_that_has_a_weight_and_no_other_decides(
    editor: Editor, photographs: Tensor, name: str
) -> None:
    features = editor.inverter.features
    assert features is not None
    terms = {
        "pixel": pixel_term(photographs),
        "perceptual": perceptual_term(photographs, features.features),
        "encoder": encoder_term(editor.inverter.encoder, editor.inverter.encoder.w_std),
    }

    def value(weighted: str) -> float:
        weights = ONLY | {f"weight_{weighted}": 1.0}
        ws = changed(editor, num_steps=12, **weights).inverter.invert(photographs)
        return terms[name](ws, editor.images(ws), torch.arange(2)).mean().item()

    assert all(value(name) < value(other) for other in terms if other != name)


def test_inversion_starts_from_the_encoders_code(editor: Editor, photographs: Tensor) -> None:
    inverter = editor.inverter
    torch.testing.assert_close(inverter.invert(photographs), inverter.encoder(photographs))


def test_the_texts_layers_are_held_where_the_text_put_them(
    editor: Editor, photographs: Tensor
) -> None:
    mixed = editor.edit(photographs, codes(), TEXTS)

    def strayed(weight: float) -> Tensor:
        own = changed(editor, num_edit_steps=10, weight_text=weight)
        return (own.edit(photographs, codes(), TEXTS) - mixed).square().mean(dim=[0, 2])

    free, held = strayed(0.0), strayed(1000.0)
    assert (held[TEXT_LAYERS] < 0.3 * free[TEXT_LAYERS]).all()
    assert (held[OTHER_LAYERS] > 0.7 * free[OTHER_LAYERS]).all()


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
    (workspace.root / "edits.csv").write_text("\n".join(["photograph,text", *edits]) + "\n")
    steps = {"num_steps": 0, "num_edit_steps": 0}
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


def test_the_stage_edits_by_its_strength(untrained: Workspace) -> None:
    for strength, moves in ((0.0, False), (0.8, True)):
        for row in manipulated(untrained, [f"*,{TEXTS[0]}"], strength=strength):
            assert (difference(untrained, row["inversion"], row["after"]) > 1) == moves


def test_the_stage_edits_each_photograph_by_its_own_text(
    untrained: Workspace, editor: Editor, photographs: Tensor
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
    inverted = editor.inverter.invert(photographs)[owners]
    expected = to_pixels(editor.images(editor.edit(photographs[owners], inverted, texts)))
    for row, picture in zip(rows, expected, strict=True):
        saved = pictures.load(untrained.result("manipulated") / row["after"])
        assert (saved.float() - picture.float()).abs().mean() < 0.01
