"""Cut-outs: the person on nothing, with soft edges and without the background's colour."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from tedigan.dataset.kinds.cutouts import alpha_of_labels, cut_out, soften
from tedigan.drawn import draw_face
from tedigan.errors import LabelError, ShapeError
from tedigan.store.pictures import encode, rasterise
from tedigan.vocabulary.labels import colours_to_labels

RED, BLUE = torch.tensor([220.0, 30, 30]), torch.tensor([20.0, 40, 200])


def blend(alpha: torch.Tensor) -> torch.Tensor:
    """A photograph of a red person before a blue background."""
    mixed = RED[:, None, None] * alpha + BLUE[:, None, None] * (1 - alpha)
    return mixed.round().to(torch.uint8)


def halves(column: int, size: int = 96) -> torch.Tensor:
    """1 left of the column, 0 right of it."""
    return (torch.arange(size) < column).float().expand(size, size)


def test_alpha_follows_the_photograph_where_the_mask_is_a_little_off() -> None:
    truth, mask = halves(48), halves(46)
    alpha = soften(mask > 0, blend(truth))
    assert torch.equal(alpha > 0.5, truth > 0.5)


def test_a_soft_edge_of_the_photograph_gives_a_soft_alpha() -> None:
    truth = ((51 - torch.arange(96)) / 6).clamp(0, 1).expand(96, 96)
    alpha = soften(truth > 0.5, blend(truth))
    row = alpha[48]
    assert ((row > 0.05) & (row < 0.95)).sum() >= 3
    assert (row[1:] <= row[:-1] + 1e-5).all()
    assert (alpha - truth).abs().max() < 0.25


def test_far_from_the_border_alpha_is_the_mask() -> None:
    mask = halves(48)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(0, 256, (3, 96, 96), generator=generator).to(torch.uint8)
    alpha = soften(mask > 0, noise)
    assert torch.equal(alpha[:, :36], torch.ones(96, 36))
    assert torch.equal(alpha[:, 60:], torch.zeros(96, 36))


def test_the_background_s_colour_is_taken_out_of_a_soft_edge() -> None:
    alpha = ((50 - torch.arange(96)) / 4).clamp(0, 1).expand(96, 96)
    is_edge = (alpha > 0.1) & (alpha < 1)
    cut, uncut = cut_out(blend(alpha), alpha)[:3].float(), blend(alpha).float()
    halo = [(colours - RED[:, None, None]).abs()[:, is_edge].mean() for colours in (cut, uncut)]
    assert halo[0] < 0.1 * halo[1]


def test_the_person_keeps_every_pixel_and_the_background_leaves_none() -> None:
    pixels, alpha = blend(halves(48)), halves(48)
    cut = cut_out(pixels, alpha)
    assert torch.equal(cut[:3, :, :48], pixels[:, :, :48])
    assert not cut[:, :, 48:].any()
    assert torch.equal(cut[3], (alpha * 255).to(torch.uint8))


@pytest.mark.parametrize("size_px", [64, 500])
def test_a_drawn_face_is_cut_along_its_exact_mask(size_px: int) -> None:
    face = draw_face(0, 3)
    labels = colours_to_labels(rasterise(face.label_svg, size_px, is_label=True))
    alpha = alpha_of_labels(labels, rasterise(face.svg, size_px))
    assert alpha.shape == (size_px, size_px)
    assert ((alpha > 0.5) == (labels > 0)).float().mean() > 0.97
    assert 0 < ((alpha > 0) & (alpha < 1)).float().mean() < 0.2


def test_a_cut_out_is_written_as_a_png_with_transparency() -> None:
    cut = cut_out(blend(halves(48)), halves(48))
    picture = Image.open(io.BytesIO(encode(cut, "png")))
    assert picture.mode == "RGBA"
    assert np.array_equal(np.array(picture), cut.permute(1, 2, 0).numpy())


@pytest.mark.parametrize("index", [0, 1])
def test_where_there_is_nothing_to_cut_it_says_so(index: int) -> None:
    labels = torch.full((64, 64), index, dtype=torch.uint8)
    with pytest.raises(LabelError, match="matting model"):
        alpha_of_labels(labels, torch.zeros(3, 64, 64, dtype=torch.uint8))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match="with NEAREST"):
        soften(torch.ones(32, 32) > 0, torch.zeros(3, 64, 64, dtype=torch.uint8))
