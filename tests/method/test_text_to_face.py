"""Captions into faces: what the caption decides, what the seed, and what each number does."""

import csv
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tedigan.jobs import render_faces
from tedigan.method.text_to_face import FaceMaker, FaceSettings
from tedigan.models.makers import open_face_maker
from tedigan.params import chosen
from tedigan.stages import generate
from tedigan.store import pictures
from tedigan.tensors import to_pixels
from tedigan.workspace import Workspace
from tests.stages.small import CONFIG, TEXT_LAYERS

YOUNG, BEARD = "She is young.", "The man has a beard."
STYLE_LAYERS = [3, 4, 6, 7]


@pytest.fixture(scope="module")
def maker(untrained: Workspace) -> FaceMaker:
    settings = chosen(untrained.params.generate, FaceSettings)
    device = untrained.device
    made, _ = open_face_maker(
        untrained.models, device, settings, precision="fp32", compilation="never"
    )
    return made


def changed(maker: FaceMaker, **values: object) -> FaceMaker:
    return replace(maker, settings=replace(maker.settings, **values))


def faces(maker: FaceMaker, captions: list[str], *, seed: int = 5) -> Tensor:
    return torch.cat(list(maker.faces(captions, seed=seed)))


def style(maker: FaceMaker, n: int) -> Tensor:
    return maker.random_ws(range(n), seed=3)


def difference(one: Tensor, other: Tensor) -> float:
    """Mean, in levels of 255."""
    return (one.float() - other.float()).abs().mean().item()


def test_two_captions_give_two_faces_of_one_style(maker: FaceMaker) -> None:
    assert difference(faces(maker, [YOUNG])[0], faces(maker, [BEARD])[0]) > 1


def test_one_caption_with_one_seed_gives_one_face(maker: FaceMaker) -> None:
    assert torch.equal(faces(maker, [YOUNG]), faces(maker, [YOUNG]))
    assert difference(faces(maker, [YOUNG]), faces(maker, [YOUNG], seed=6)) > 1


def test_a_face_does_not_depend_on_the_captions_beside_it(maker: FaceMaker) -> None:
    beside = faces(maker, [YOUNG, BEARD, YOUNG, BEARD, BEARD])
    assert difference(beside[:1], faces(maker, [YOUNG])) < 0.01


def test_random_faces_are_those_of_their_seed(maker: FaceMaker) -> None:
    few, many = (torch.cat(list(maker.unconditional_faces(n, seed=1))) for n in (2, 5))
    assert difference(few, many[:2]) < 0.01
    assert difference(many[0], many[1]) > 1


def test_truncation_reaches_the_random_codes(maker: FaceMaker) -> None:
    mean = maker.generator.mapping.w_avg.expand(2, CONFIG.num_ws, -1)
    whole, half, none = (
        changed(maker, truncation_psi=psi).random_ws(range(2), seed=0) - mean
        for psi in (1.0, 0.5, 0.0)
    )
    torch.testing.assert_close(half, whole / 2)
    assert none.abs().max() < 1e-6


def test_codes_are_made_a_batch_at_a_time(maker: FaceMaker) -> None:
    """So that memory does not grow with the number of faces."""
    own = changed(maker, batch_size=2)
    asked: list[range] = []
    random_ws = own.random_ws
    object.__setattr__(
        own, "random_ws", lambda rows, **n: asked.append(rows) or random_ws(rows, **n)
    )
    few = own.faces([YOUNG] * 1000, seed=0)
    next(few)
    assert [len(rows) for rows in asked] == [2]


def test_a_caption_that_follows_itself_is_encoded_once(
    maker: FaceMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    embed = maker.captions.backbone.embed

    def watched(captions: list[str], **options: int) -> object:
        asked.extend(captions)
        return embed(captions, **options)

    neutral = maker.captions.neutral  # of the text that says nothing, also once
    monkeypatch.setattr(maker.captions.backbone, "embed", watched)
    list(maker.faces([YOUNG] * 9 + [BEARD] * 9, seed=0))
    assert asked == [YOUNG, BEARD]
    assert maker.captions.neutral is neutral


def test_the_grid_shows_the_first_faces_of_the_first_captions(
    untrained: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_faces, "GRID_FACES", 2)
    monkeypatch.setattr(render_faces, "GRID_CAPTIONS", 1)
    drawn = generated(untrained, [YOUNG, BEARD], faces_per_caption=5)
    grid = pictures.load(untrained.result("generated") / "grid.png")
    assert torch.equal(grid, pictures.grid(drawn[0, :2], 2))


def text(maker: FaceMaker, captions: list[str]) -> Tensor:
    return maker.captions.ws(captions)


def test_style_layers_come_whole_from_the_random_style(maker: FaceMaker) -> None:
    assert maker.style_layers == STYLE_LAYERS
    codes, random = text(maker, [YOUNG, BEARD]), style(maker, 2)
    ws = maker.text_ws(codes, random)
    torch.testing.assert_close(ws[:, STYLE_LAYERS], random[:, STYLE_LAYERS])
    assert (ws[:, TEXT_LAYERS] - random[:, TEXT_LAYERS]).abs().mean() > 0.1


def test_named_style_layers_replace_the_measured_ones(maker: FaceMaker) -> None:
    codes, random = text(maker, [YOUNG]), style(maker, 1)
    ws = changed(maker, style_layers=[0]).text_ws(codes, random)
    torch.testing.assert_close(ws[:, 0], random[:, 0])
    assert (ws[:, 1:] - random[:, 1:]).abs().mean() > 0.1


@pytest.mark.parametrize("strength", [0.0, 0.5, 2.0])
def test_without_variety_the_text_layers_lie_strength_deviations_from_neutral(
    maker: FaceMaker, strength: float
) -> None:
    own = changed(maker, strength=strength, variety=0.0, style_layers=[])
    encoder = maker.captions.encoder
    ws = own.text_ws(text(maker, [YOUNG, BEARD]), style(maker, 2))
    lengths = ((ws - maker.captions.neutral) / encoder.ws_std).square().mean(dim=[1, 2]).sqrt()
    torch.testing.assert_close(lengths, torch.full((2,), strength), atol=1e-5, rtol=1e-5)


def test_strength_stretches_the_texts_own_direction(maker: FaceMaker) -> None:
    own = changed(maker, strength=1.0, variety=0.0, style_layers=[])
    codes, mean = text(maker, [YOUNG, BEARD]), maker.captions.neutral
    moved = own.text_ws(codes, style(maker, 2)) - mean
    wanted = codes - mean
    cosines = torch.cosine_similarity(moved.flatten(1), wanted.flatten(1))
    torch.testing.assert_close(cosines, torch.ones(2))


@pytest.mark.parametrize("variety", [0.0, 0.25, 1.0])
def test_variety_adds_its_share_of_the_random_style_to_the_text_layers(
    maker: FaceMaker, variety: float
) -> None:
    codes, random = text(maker, [YOUNG, BEARD]), style(maker, 2)
    plain = changed(maker, variety=0.0).text_ws(codes, random)
    varied = changed(maker, variety=variety).text_ws(codes, random)
    offset = random - maker.generator.mapping.w_avg
    torch.testing.assert_close(
        (varied - plain)[:, TEXT_LAYERS], variety * offset[:, TEXT_LAYERS], atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(varied[:, STYLE_LAYERS], random[:, STYLE_LAYERS])


def generated(workspace: Workspace, captions: list[str], **values: object) -> Tensor:
    """What the stage itself draws of a captions file: `[captions, faces, 3, r, r]`."""
    (workspace.root / "captions.txt").write_text("\n".join(captions) + "\n")
    section = workspace.params.generate.model_copy(update=values)
    params = workspace.params.model_copy(update={"generate": section})
    generate.run(Workspace(workspace.root, params))
    folder = workspace.result("generated")
    with (folder / "faces.csv").open() as file:
        names = [row["file"] for row in csv.DictReader(file)]
    drawn = torch.stack([pictures.load(folder / name) for name in names])
    return drawn.unflatten(0, (len(captions), -1))


def test_the_stage_draws_what_the_caption_says(untrained: Workspace) -> None:
    young, beard = generated(untrained, [YOUNG]), generated(untrained, [BEARD])
    assert difference(young, beard) > 1
    assert torch.equal(generated(untrained, [YOUNG]), young)


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
    assert difference(drawn, generated(untrained, captions, batch_size=5)) < 0.01


def test_the_stage_s_faces_are_the_captions_in_order(
    untrained: Workspace, maker: FaceMaker
) -> None:
    drawn = generated(untrained, [YOUNG, BEARD], faces_per_caption=2)
    random = maker.random_ws(range(4), seed=untrained.params.generate.seed)
    ws = maker.text_ws(text(maker, [YOUNG, YOUNG, BEARD, BEARD]), random)
    expected = to_pixels(maker.generator.synthesis(ws, noise_mode="const"))
    assert difference(drawn.flatten(0, 1), expected) < 0.01
