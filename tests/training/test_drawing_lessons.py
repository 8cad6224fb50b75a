"""What encoders of drawings learn from, and what is measured of them."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import load_tensors
from tedigan.tensors import stream
from tedigan.training import data_order
from tedigan.training.data_order import TrainingImages
from tedigan.training.drawing_layers import (
    linearly_explained,
    loss_weights,
    report_layers,
)
from tedigan.training.drawing_lessons import (
    DrawingLessons,
    DrawingPairs,
    PairMaker,
    PairSettings,
    draw_pairs,
    drawings_of,
    open_lessons,
    sketches_of,
)
from tedigan.training.meter import Meter
from tests.generator.nets import tiny_generator
from tests.stages.small import small_workspace, write_codes

SETTINGS = PairSettings(num_pairs=40, style_mixing_prob=0.5, seed=0)


def maker(folder: Path, draw=sketches_of) -> PairMaker:
    (folder / "network").mkdir(exist_ok=True)
    return PairMaker(draw, SETTINGS, [folder / "network"])


def grey(pixels: Tensor) -> Tensor:
    return pixels[:, :1]


def test_pairs_are_faces_and_their_exact_codes() -> None:
    generator, seen = tiny_generator(), []

    def draw(pixels: Tensor) -> Tensor:
        seen.append(pixels)
        return grey(pixels)

    for name in generator.state_dict():
        if name.endswith("noise_strength"):
            generator.get_parameter(name).zero_()
    pairs = draw_pairs(generator, draw, SETTINGS)
    images = generator.synthesis(pairs.ws, noise_mode="none")
    drawn = ((images + 1) * 127.5).clamp(0, 255)
    assert (torch.cat(seen).float() - drawn).abs().max() < 1
    assert torch.equal(pairs.drawings, torch.cat(seen)[:, :1])


def test_pairs_are_made_once(tmp_path: Path) -> None:
    calls = []

    def draw(pixels: Tensor) -> Tensor:
        calls.append(len(pixels))
        return grey(pixels)

    made = maker(tmp_path, draw).pairs(tiny_generator(), tmp_path / "pairs", "sketch")
    again = maker(tmp_path, draw).pairs(tiny_generator(), tmp_path / "pairs", "sketch")
    assert sum(calls) == 40
    assert torch.equal(made.drawings, again.drawings)
    assert torch.equal(made.ws, again.ws)
    (tmp_path / "network" / "weights").write_text("others")
    maker(tmp_path, draw).pairs(tiny_generator(), tmp_path / "pairs", "sketch")
    assert sum(calls) == 80
    assert len(list((tmp_path / "pairs").iterdir())) == 1


@pytest.fixture
def data(tmp_path: Path) -> tuple[Dataset, dict[str, Tensor]]:
    workspace = small_workspace(tmp_path)
    write_codes(workspace)
    codes = load_tensors(workspace.codes / "codes.safetensors")
    return Dataset.open(workspace.dataset), codes


def test_photographs_come_with_their_own_drawings_and_codes(data, tmp_path: Path) -> None:
    dataset, codes = data
    lessons = open_lessons(
        tiny_generator(), dataset, codes, "label", None, drawn(dataset), work=tmp_path
    )
    lesson = lessons.photographs(0, 8, stream("step"))
    assert lesson.inputs.shape == (8, 19, 32, 32)
    for image, ws in zip(lesson.photographs, lesson.ws, strict=True):
        (row,) = [i for i, one in enumerate(codes["ws"]) if torch.equal(one, ws)]
        pixels = dataset.pixels([int(codes["ids"][row])])[0]
        assert torch.equal(((image + 1) * 127.5).round().to(torch.uint8), pixels)
        assert int(codes["ids"][row]) in dataset.split("train")


def drawn(data: Dataset, **options: object) -> TrainingImages:
    """The train split with its label maps, as a stage opens them."""
    given = {"batch_size": 8, "seed": 0, "name": "x", "device": torch.device("cpu")} | options
    beside = partial(drawings_of, data, modality="label")
    return TrainingImages(data, data.split("train"), beside=beside, **given)


def test_photographs_held_in_memory_are_those_read_and_no_step_waits(
    data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_order, "CHUNK", 5)
    dataset, codes = data
    net = tiny_generator()
    meters = {True: Meter(), False: Meter()}
    found = {
        held: open_lessons(
            net,
            dataset,
            codes,
            "label",
            None,
            drawn(dataset, on_device=held, meter=meter),
            work=tmp_path,
        )
        for held, meter in meters.items()
    }
    for step in range(3):
        a, b = (lessons.photographs(step, 8, stream(0, "x", step)) for lessons in found.values())
        assert torch.equal(a.photographs, b.photographs)
        assert torch.equal(a.inputs, b.inputs)
        assert torch.equal(a.ws, b.ws)
    assert meters[False].read(3)["wait_ms"] > 0
    assert meters[True].read(3)["wait_ms"] == 0


def test_without_a_data_sets_drawings_generated_faces_stand_in(data, tmp_path: Path) -> None:
    dataset, codes = data
    del dataset.kinds["sketch"]
    generator = tiny_generator()
    lessons = open_lessons(
        generator, dataset, codes, "sketch", maker(tmp_path, grey), None, work=tmp_path
    )
    lesson = lessons.photographs(0, 4, stream("step"))
    assert lesson.photographs.shape == (4, 3, 16, 16)
    assert all((lessons.pairs.ws == ws).all(dim=(1, 2)).any() for ws in lesson.ws)
    with pytest.raises(DataError, match="no sketches"):
        open_lessons(generator, dataset, codes, "sketch", None, None, work=tmp_path)


def test_label_maps_are_first_seen_in_the_mean_colour_of_each_class() -> None:
    generator = tiny_generator()
    ws = generator.ws_of(torch.randn(6, 16, generator=stream("z")))
    images = generator.synthesis(ws, noise_mode="const")
    labels = (images[:, 0] > 0).to(torch.uint8) * 13
    held = DrawingPairs(labels, ws)
    lessons = DrawingLessons("label", generator, held, held, None, None, ws)
    paint = lessons.paint()
    hair = images.permute(0, 2, 3, 1)[labels == 13].mean(dim=0)
    torch.testing.assert_close(paint.colours[13], hair, atol=1e-4, rtol=1e-4)
    assert torch.equal(paint.colours[1], torch.zeros(3))  # no skin is there


class Told:
    """An encoder that was told codes of one axis by the brightness of a sketch, of layers 0 to 2 alone."""

    input_channels = 1
    w_avg = torch.zeros(12)
    w_std = torch.ones(12)

    def __call__(self, inputs: Tensor) -> Tensor:
        ws = torch.zeros(len(inputs), 6, 12)
        ws[:, :3] = 2 * inputs.mean(dim=[1, 2, 3])[:, None, None] - 1
        return ws


def told_pairs(n: int) -> DrawingPairs:
    """Grey sheets, and codes of their brightness in layers 0 to 2; the other layers are anything."""
    grey = torch.randint(0, 256, (n,), generator=stream("grey"))
    ws = torch.randn(n, 6, 12, generator=stream("others"))
    ws[:, :3] = (2 * grey / 255 - 1)[:, None, None]
    return DrawingPairs(grey.to(torch.uint8)[:, None, None, None].expand(n, 1, 16, 16), ws)


def lessons_of(generator: Generator) -> DrawingLessons:
    train, held = told_pairs(320).parts()
    return DrawingLessons("sketch", generator, train, held, None, None, train.ws)


def test_a_drawing_explains_the_layers_that_depend_on_it_and_no_others() -> None:
    explained = linearly_explained(lessons_of(tiny_generator()))
    assert explained[:3].min() > 0.9
    assert explained[3:].max() < 0.3
    weights = loss_weights(explained)
    assert weights.sum().item() == pytest.approx(1)
    assert weights[:3].sum() > 0.8
    assert torch.equal(loss_weights(torch.zeros(4)), torch.full((4,), 0.25))


def test_an_encoder_gives_the_layers_that_it_explains_where_nobody_draws_again() -> None:
    report = report_layers(Told(), Told(), lessons_of(tiny_generator()), draw=None, seed=0)
    assert report.layers == [0, 1, 2]
    assert report.agreement is None
    assert min(report.explained[:3]) > 0.99


def test_an_encoder_gives_as_few_layers_as_make_the_faces_drawing_agree() -> None:
    """Here the first three reach nine tenths of what all of them gain."""
    generator, lessons = tiny_generator(), lessons_of(tiny_generator())
    answers = iter([0.2, 0.5, 0.6, 0.99, 1.0, 0.98, 1.0])

    def draw(pixels: Tensor) -> Tensor:
        """A share of the sheets' strokes, by the number of the call."""
        drawn = lessons.unseen(len(pixels)).clone()
        drawn[round(next(answers) * len(drawn)) :] = 255
        return drawn

    strokes = torch.zeros(32, 1, 16, 16, dtype=torch.uint8)
    lessons = replace(lessons, held=DrawingPairs(strokes, told_pairs(32).ws))
    report = report_layers(Told(), Told(), lessons, draw=draw, seed=0)
    assert report.layers == [0, 1, 2]
    assert report.agreement is not None
    assert len(report.agreement) == generator.num_ws + 1
