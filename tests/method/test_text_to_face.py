"""Captions into faces: what the caption decides, what the seed, and what each number does."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.jobs import render_faces
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import (
    FaceMaker,
    FaceSettings,
    RegressedText,
    Start,
    StartSettings,
    SteeredText,
    random_ws,
)
from tedigan.models.makers import Way, open_face_makers, open_texts
from tedigan.params import chosen
from tedigan.stages import generate
from tedigan.store import pictures
from tedigan.tensors import to_pixels
from tedigan.workspace import Workspace
from tests.stages.small import CONFIG, TEXT_LAYERS

YOUNG, BEARD, NOTHING = "She is young.", "The man has a beard.", "This person."
STYLE_LAYERS = [3, 4, 6, 7]


def opened(workspace: Workspace, *ways: Way) -> dict[str, FaceMaker]:
    params = workspace.params.generate
    generator, texts, _ = open_texts(
        workspace.models,
        workspace.device,
        ways,
        workspace.grammar,
        chosen(params, StartSettings),
        chosen(params, SteeringSettings),
        strength=1.0,
    )
    settings = chosen(params, FaceSettings)
    return open_face_makers(generator, texts, settings, precision="fp32", compilation="never")[0]


@pytest.fixture(scope="module")
def maker(untrained: Workspace) -> FaceMaker:
    return opened(untrained, "search")["search"]


@pytest.fixture(scope="module")
def text(maker: FaceMaker) -> SteeredText:
    assert isinstance(maker.text, SteeredText)
    return maker.text


def faces(maker: FaceMaker, captions: list[str], *, seed: int = 5) -> Tensor:
    return torch.cat(list(maker.faces(captions, seed=seed)))


def difference(one: Tensor, other: Tensor) -> float:
    """Mean, in levels of 255."""
    return (one.float() - other.float()).abs().mean().item()


def starting(text: SteeredText, **values: object) -> Start:
    return replace(text.start, settings=replace(text.start.settings, **values))


@pytest.mark.parametrize("way", ["search", "one_pass", "regression"])
def test_two_captions_give_two_faces_and_one_with_one_seed_gives_one(
    untrained: Workspace, way: Way
) -> None:
    maker = opened(untrained, way)[way]
    assert difference(faces(maker, [YOUNG])[0], faces(maker, [BEARD])[0]) > 1
    assert torch.equal(faces(maker, [YOUNG]), faces(maker, [YOUNG]))
    assert difference(faces(maker, [YOUNG]), faces(maker, [YOUNG], seed=6)) > 1


@pytest.mark.parametrize("way", ["search", "one_pass", "regression"])
def test_a_face_does_not_depend_on_the_captions_beside_it(untrained: Workspace, way: Way) -> None:
    maker = opened(untrained, way)[way]
    beside = faces(maker, [YOUNG, BEARD, NOTHING, BEARD, BEARD])
    assert difference(beside[:1], faces(maker, [YOUNG])) < 0.01


def test_a_caption_that_names_nothing_gives_any_faces(maker: FaceMaker) -> None:
    plain = torch.cat(list(maker.unconditional_faces(2, seed=5)))
    assert difference(faces(maker, [NOTHING] * 2), plain) < 0.01
    beside = faces(maker, [YOUNG, NOTHING])
    assert difference(beside[1], plain[1]) < 0.01


def test_random_faces_are_those_of_their_seed(maker: FaceMaker) -> None:
    few, many = (torch.cat(list(maker.unconditional_faces(n, seed=1))) for n in (2, 5))
    assert difference(few, many[:2]) < 0.01
    assert difference(many[0], many[1]) > 1


def test_ways_that_are_opened_together_share_what_they_need(untrained: Workspace) -> None:
    together = opened(untrained, "one_pass", "regression", "search")
    assert [*together] == ["one_pass", "regression", "search"]
    texts = [together[way].text for way in ("one_pass", "search")]
    assert texts[0].start.bank is texts[1].start.bank
    assert texts[0].steering.tagger is texts[1].steering.tagger
    assert len({id(maker.generator) for maker in together.values()}) == 1
    assert len({id(maker.synthesise) for maker in together.values()}) == 1
    for way, maker in together.items():
        alone = opened(untrained, way)[way]
        assert torch.equal(faces(maker, [YOUNG, BEARD]), faces(alone, [YOUNG, BEARD])), way


def test_truncation_reaches_the_random_codes(maker: FaceMaker) -> None:
    mean = maker.generator.mapping.w_avg.expand(2, CONFIG.num_ws, -1)
    whole, half, none = (
        random_ws(maker.generator, range(2), seed=0, truncation_psi=psi) - mean
        for psi in (1.0, 0.5, 0.0)
    )
    torch.testing.assert_close(half, whole / 2)
    assert none.abs().max() < 1e-6


def test_codes_are_made_a_batch_at_a_time(maker: FaceMaker) -> None:
    """So that memory does not grow with the number of faces."""
    asked: list[int] = []

    class Watched:
        def ws(self, texts: list[str], indices: range, *, seed: int) -> Tensor:
            asked.append(len(texts))
            return maker.text.ws(texts, indices, seed=seed)

    own = replace(maker, text=Watched(), settings=replace(maker.settings, batch_size=2))
    next(own.faces([YOUNG] * 1000, seed=0))
    assert asked == [2]


def test_layers_that_no_attribute_acts_on_come_whole_from_a_random_code(text: SteeredText) -> None:
    assert text.style_layers == STYLE_LAYERS
    generator = text.steering.generator
    psi = text.start.settings.truncation_psi
    random = random_ws(generator, range(2), seed=3, truncation_psi=psi)
    ws = text.ws([YOUNG, BEARD], range(2), seed=3)
    torch.testing.assert_close(ws[:, STYLE_LAYERS], random[:, STYLE_LAYERS])
    assert (ws[:, TEXT_LAYERS] - random[:, TEXT_LAYERS]).abs().mean() > 0.1


def test_named_style_layers_replace_the_measured_ones(text: SteeredText) -> None:
    own = replace(text, start=starting(text, style_layers=[0]))
    psi = text.start.settings.truncation_psi
    random = random_ws(text.steering.generator, range(1), seed=3, truncation_psi=psi)
    ws = own.ws([YOUNG], range(1), seed=3)
    torch.testing.assert_close(ws[:, 0], random[:, 0])
    assert (ws[:, 1:] - random[:, 1:]).abs().mean() > 0.1


def test_a_text_brings_its_attributes_nearer_to_where_they_shall_be(text: SteeredText) -> None:
    tagger, column = text.steering.tagger, text.steering.tagger.names.index("Young")
    none = random_ws(text.steering.generator, range(8), seed=0, truncation_psi=0.7)
    long = replace(text.steering, settings=replace(text.steering.settings, num_search_steps=80))
    young, contrary = (
        replace(text, steering=long, strength=strength).ws([YOUNG] * 8, range(8), seed=0)
        for strength in (1.0, -1.0)
    )
    means = [tagger(ws)[:, column].mean().item() for ws in (contrary, none, young)]
    assert means == sorted(means)
    assert means[2] - means[0] > 0.1


def test_without_a_bank_a_face_begins_at_the_random_code(text: SteeredText) -> None:
    still = replace(text.steering.settings, num_search_steps=0)
    own = replace(
        text,
        start=starting(text, bank_best=0),
        steering=replace(text.steering, settings=still),
    )
    random = random_ws(text.steering.generator, range(3), seed=1, truncation_psi=0.7)
    torch.testing.assert_close(own.ws([YOUNG] * 3, range(3), seed=1), random)


def test_regression_takes_the_text_encoders_code_on_its_layers(untrained: Workspace) -> None:
    text = opened(untrained, "regression")["regression"].text
    assert isinstance(text, RegressedText)
    ws = text.ws([YOUNG, BEARD], range(2), seed=3)
    random = random_ws(text.generator, range(2), seed=3, truncation_psi=text.truncation_psi)
    torch.testing.assert_close(ws[:, STYLE_LAYERS], random[:, STYLE_LAYERS])
    expected = text.captions.ws([YOUNG, BEARD])
    torch.testing.assert_close(ws[:, TEXT_LAYERS], expected[:, TEXT_LAYERS])


def test_the_grid_shows_the_first_faces_of_the_first_captions(
    untrained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_faces, "GRID_FACES", 2)
    monkeypatch.setattr(render_faces, "GRID_CAPTIONS", 1)
    drawn = generated(untrained, [YOUNG, BEARD], faces_per_caption=5)
    grid = pictures.load(untrained.result("generated") / "grid.png")
    assert torch.equal(grid, pictures.grid(drawn[0, :2], 2))


def rows_of(workspace: Workspace) -> list[dict[str, str]]:
    with (workspace.result("generated") / "faces.csv").open() as file:
        return list(csv.DictReader(file))


def generated(workspace: Workspace, captions: list[str], **values: object) -> Tensor:
    """What the stage itself draws of a captions file: `[captions, faces, 3, r, r]`."""
    (workspace.root / "captions.txt").write_text("\n".join(captions) + "\n")
    section = workspace.params.generate.model_copy(update=values)
    params = workspace.params.model_copy(update={"generate": section})
    generate.run(Workspace(workspace.root, params))
    folder = workspace.result("generated")
    drawn = torch.stack([pictures.load(folder / row["file"]) for row in rows_of(workspace)])
    return drawn.unflatten(0, (len(captions), -1))


def test_the_stage_draws_what_the_caption_says(untrained: Workspace) -> None:
    young, beard = generated(untrained, [YOUNG]), generated(untrained, [BEARD])
    assert difference(young, beard) > 1
    assert torch.equal(generated(untrained, [YOUNG]), young)


def test_the_stage_says_what_it_understood_and_reports_a_caption_that_names_nothing(
    untrained: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    generated(untrained, ["The man is not smiling.", NOTHING], faces_per_caption=1)
    assert [row["understood"] for row in rows_of(untrained)] == [
        "not Smiling, Male",
        "names nothing",
    ]
    assert f"{NOTHING!r} names nothing" in capsys.readouterr().err


def test_the_stage_gives_a_caption_as_many_different_faces_as_it_is_told(
    untrained: Workspace,
) -> None:
    drawn = generated(untrained, [YOUNG, YOUNG], faces_per_caption=3)
    assert drawn.shape[:2] == (2, 3)
    every = drawn.flatten(0, 1)
    for i, j in torch.triu_indices(6, 6, offset=1).T.tolist():
        assert difference(every[i], every[j]) > 1, (i, j)


def test_the_stage_follows_its_seed_and_the_batch_size_changes_nothing(
    untrained: Workspace,
) -> None:
    captions = [YOUNG, BEARD, YOUNG]
    drawn = generated(untrained, captions)
    assert difference(drawn, generated(untrained, captions, seed=77)) > 1
    assert difference(drawn, generated(untrained, captions, batch_size=5)) < 0.1


def test_the_stage_s_faces_are_the_captions_in_order(
    untrained: Workspace, maker: FaceMaker
) -> None:
    drawn = generated(untrained, [YOUNG, BEARD], faces_per_caption=2)
    captions = [YOUNG, YOUNG, BEARD, BEARD]
    ws = maker.text.ws(captions, range(4), seed=untrained.params.generate.seed)
    expected = to_pixels(maker.generator.synthesis(ws, noise_mode="const"))
    assert difference(drawn.flatten(0, 1), expected) < 0.01


def test_a_face_of_the_contrary_begins_where_the_contrary_is(text: SteeredText) -> None:
    still = replace(text.steering, settings=replace(text.steering.settings, num_search_steps=0))
    column = still.tagger.names.index("Young")
    begun = replace(text, steering=still, start=starting(text, bank_best=1, style_layers=[]))
    means = [
        still.tagger(replace(begun, strength=strength).ws([YOUNG] * 8, range(8), seed=0))[:, column]
        for strength in (-1.0, 1.0)
    ]
    assert means[0].max() < means[1].min()
