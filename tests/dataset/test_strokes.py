"""Strokes: few, single, and where a face's parts end."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from scipy import ndimage

from benchmarks.sketches import border_of, doubled, num_strokes, recall, thinned
from tedigan.dataset.kinds.irises import irises
from tedigan.dataset.kinds.ridges import find_lines
from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.dataset.kinds.strokes import MAX_STROKES, strokes_of
from tedigan.drawn import draw_face
from tedigan.store.pictures import rasterise
from tedigan.vocabulary.labels import LABEL_NAMES, colours_to_labels

Plane = np.ndarray


def paper(value: float = 0.0) -> Plane:
    return np.full((256, 256), value, dtype=np.float32)


def strokes(luma: Plane) -> Sequence[Plane]:
    """Of a picture that is softened as a lens does."""
    return strokes_of(find_lines(ndimage.gaussian_filter(luma, 0.8)))


def test_a_dark_band_gives_one_stroke_along_its_middle() -> None:
    luma = paper()
    luma[126:130] = -1.0
    (stroke,) = strokes(luma)
    assert np.abs(stroke[:, 0] - 127.5).max() < 1


def test_a_highlight_gives_none_along_its_middle() -> None:
    luma = paper()
    luma[126:130] = 1.0
    assert all(np.abs(stroke[:, 0] - 127.5).min() >= 2 for stroke in strokes(luma))


def test_an_edge_gives_one_stroke_where_it_is() -> None:
    luma = paper()
    luma[128:] = 1.0
    (stroke,) = strokes(luma)
    assert np.abs(stroke[:, 0] - 127.5).max() <= 1


@pytest.mark.parametrize("angle", [0, 17, 45, 70, 90, 135])
def test_a_line_of_any_angle_is_one_stroke(angle: int) -> None:
    y, x = np.mgrid[:256, :256] - 128.0
    off = y * np.cos(np.radians(angle)) - x * np.sin(np.radians(angle))
    along = x * np.cos(np.radians(angle)) + y * np.sin(np.radians(angle))
    luma = np.where(np.abs(along) < 80, -np.exp(-0.5 * (off / 1.5) ** 2), 0)
    (stroke,) = strokes_of(find_lines(luma.astype(np.float32)))
    off_line = (stroke[:, 0] - 128) * np.cos(np.radians(angle))
    off_line -= (stroke[:, 1] - 128) * np.sin(np.radians(angle))
    assert 140 < len(stroke) < 190
    assert np.abs(off_line)[8:-8].max() < 2


def test_a_gap_in_a_line_is_bridged_and_a_wide_one_is_not() -> None:
    def num_pieces(gap_px: int) -> int:
        luma = paper()
        luma[127:130, 30:226] = -1.0
        luma[:, 128 - gap_px // 2 : 128 + gap_px // 2] = 0
        return len(strokes(luma))

    assert num_pieces(24) == 1
    assert num_pieces(50) == 2


def test_of_many_hairs_side_by_side_few_are_drawn() -> None:
    luma = paper()
    luma[4:48:4, 20:200] = -1.0
    rows = np.unique([round(float(stroke[:, 0].mean())) for stroke in strokes(luma)])
    assert 3 <= len(rows) <= 6
    assert np.diff(rows).min() >= 8


def test_noise_gives_no_more_than_the_bound() -> None:
    noise = np.random.default_rng(0).normal(size=(256, 256)).astype(np.float32)
    assert len(strokes_of(find_lines(noise))) <= MAX_STROKES


def test_eyes_that_look_aside_have_their_irises_there() -> None:
    luma = paper()
    y, x = np.mgrid[:256, :256]
    for column in (90, 150):
        luma[np.hypot(y - 120, x - column) < 5] = -1.0
    found = [ring[:, :2].mean(0) for ring in irises(luma)]
    assert np.abs(np.array(found) - [[120, 90], [120, 150]]).max() < 1.5
    assert irises(paper()) == []


@pytest.mark.parametrize("size_px", [64, 256])
def test_a_drawn_face_has_few_single_strokes_along_its_outline(size_px: int) -> None:
    for number in range(3):
        face = draw_face(0, number)
        sketch = sketch_of(rasterise(face.svg, 256), size_px)[None].float()
        large = torch.nn.functional.interpolate(sketch, (256, 256), mode="bilinear")[0, 0]
        thin = thinned(large.numpy() < 160)
        labels = colours_to_labels(rasterise(face.label_svg, 256, is_label=True))
        hair = border_of(labels, ["hair", "hat"])
        assert num_strokes(thin) <= 40
        assert doubled(thin) < 0.25
        assert recall(thin, hair) > 0.65


def test_what_sketches_are_measured_by_tells_one_line_from_two() -> None:
    ink = np.zeros((256, 256), bool)
    ink[100:104, 20:200] = True
    assert (thinned(ink)[:, 60:160].sum(0) == 1).all()
    assert num_strokes(thinned(ink)) == 1
    assert doubled(thinned(ink)) < 0.02
    ink[105:108, 20:200] = True
    assert num_strokes(thinned(ink)) == 2
    assert doubled(thinned(ink)) > 0.9
    labels = torch.zeros(256, 256, dtype=torch.uint8)
    labels[100:, :] = LABEL_NAMES.index("hair")
    assert recall(thinned(ink), border_of(labels, ["hair"])) == pytest.approx(0.7, abs=0.05)
