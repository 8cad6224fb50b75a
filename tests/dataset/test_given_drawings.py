"""Sketches and label maps as people give them."""

import io

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from tedigan.dataset.given_drawings import read_drawing, read_labels, read_sketch, shown_by
from tedigan.errors import ImageError, LabelError
from tedigan.method.structure import edge_f1
from tedigan.vocabulary.labels import LABEL_NAMES, LABEL_PALETTE, labels_to_colours


def strokes(
    side: int = 64, *, paper="white", ink="black", width: int = 1, mode: str = "RGB"
) -> Image.Image:
    """A face of four strokes."""
    picture = Image.new(mode, (side, side), paper)
    pen, k = ImageDraw.Draw(picture), side / 64
    pen.ellipse([14 * k, 8 * k, 50 * k, 58 * k], outline=ink, width=width)
    pen.line([24 * k, 28 * k, 30 * k, 28 * k], fill=ink, width=width)
    pen.line([36 * k, 28 * k, 42 * k, 28 * k], fill=ink, width=width)
    pen.line([26 * k, 46 * k, 40 * k, 46 * k], fill=ink, width=width)
    return picture


def content(picture: Image.Image, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=file_format)
    return buffer.getvalue()


PLAIN = read_sketch(content(strokes()), 64).drawing


def test_a_plain_sketch_is_taken_as_it_is() -> None:
    given = read_sketch(content(strokes()), 64)
    assert not given.notes
    assert torch.equal(
        given.drawing[0, 0] < 128, torch.from_numpy(np.array(strokes().convert("L"))) < 128
    )


@pytest.mark.parametrize(
    ("picture", "note"),
    [
        (strokes(paper="black", ink="white"), "light on dark"),
        (strokes(paper=(250, 240, 190), ink=(200, 160, 40)), None),
        (strokes(paper=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA"), "transparent"),
        (strokes(paper=(0, 0, 0, 0), ink=(255, 255, 255, 255), mode="RGBA"), "transparent"),
        (strokes(1024, width=4), None),
        (strokes(48), None),
    ],
    ids=["inverted", "coloured", "on nothing", "light on nothing", "large and thin", "small"],
)
def test_any_ink_on_any_paper_of_any_size_is_the_same_sketch(picture, note) -> None:
    given = read_sketch(content(picture), 64)
    assert edge_f1(given.drawing, PLAIN).item() > 0.95
    assert any(note in line for line in given.notes) if note else not given.notes
    assert given.drawing.float().mean() > 200


def test_a_sketch_that_is_no_square_is_padded_with_its_paper() -> None:
    wide = Image.new("RGB", (128, 64), "black")
    wide.paste(strokes(paper="black", ink="white"), (32, 0))
    given = read_sketch(content(wide), 64)
    assert given.drawing.shape == (1, 1, 64, 64)
    assert (given.drawing[0, 0, :14] == 255).all()
    assert (given.drawing[0, 0, -14:] == 255).all()
    assert any("padded" in line for line in given.notes)


def test_a_photograph_in_place_of_a_sketch_is_sketched_and_it_says_so() -> None:
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((96, 128), 3)
    given = read_sketch(content(smooth), 64)
    assert any("looks like a photograph" in line for line in given.notes)
    assert given.drawing.shape == (1, 1, 64, 64)


@pytest.mark.parametrize("sheet", ["white", "black", (200, 30, 30)])
def test_an_empty_sheet_is_refused(sheet) -> None:
    with pytest.raises(ImageError, match=r"empty sheet.*Draw some"):
        read_sketch(content(Image.new("RGB", (64, 64), sheet)), 64, name="s.png")


def face() -> Tensor:
    """Skin with eyes, a mouth and hair, as indices `[64, 64]`."""
    labels = torch.zeros(64, 64, dtype=torch.uint8)
    for name, top, bottom, left, right in [
        ("hair", 4, 60, 8, 56),
        ("skin", 14, 58, 16, 48),
        ("r_eye", 26, 30, 20, 28),
        ("l_eye", 26, 30, 36, 44),
        ("r_brow", 20, 22, 20, 28),
        ("u_lip", 44, 47, 26, 38),
    ]:
        labels[top:bottom, left:right] = LABEL_NAMES.index(name)
    return labels


def painted(labels: Tensor) -> Image.Image:
    return Image.fromarray(labels_to_colours(labels[None])[0].permute(1, 2, 0).numpy())


def test_indices_and_the_official_colours_are_one_map() -> None:
    indices = read_labels(content(Image.fromarray(face().numpy())), 64)
    colours = read_labels(content(painted(face())), 64)
    assert torch.equal(indices.drawing[0], face())
    assert torch.equal(colours.drawing[0], face())
    assert not [*indices.notes, *colours.notes]


def test_a_palette_in_another_order_is_read_by_its_colours() -> None:
    quantised = painted(face()).quantize(16)
    assert quantised.mode == "P"
    assert torch.equal(read_labels(content(quantised), 64).drawing[0], face())


def test_the_other_official_colour_of_a_brow_is_known() -> None:
    pixels = np.array(painted(face()))
    pixels[(pixels == LABEL_PALETTE["r_brow"]).all(axis=2)] = (51, 255, 255)
    assert torch.equal(read_labels(content(Image.fromarray(pixels)), 64).drawing[0], face())


def test_colours_that_mix_along_borders_become_the_class_beside_them() -> None:
    large = painted(face()).resize((512, 512), Image.Resampling.NEAREST)
    soft = large.resize((500, 500), Image.Resampling.BILINEAR)
    given = read_labels(content(soft), 64)
    assert (given.drawing[0] == face()).float().mean() > 0.97
    assert any("mixed colours" in line for line in given.notes)


def test_what_is_transparent_says_nothing() -> None:
    partial = painted(face()).convert("RGBA")
    partial.paste((0, 0, 0, 0), (0, 0, 64, 14))
    given = read_labels(content(partial), 64)
    assert (given.drawing[0, :14] == 0).all()
    assert torch.equal(given.drawing[0, 14:], face()[14:])
    assert any("says nothing of 22%" in line for line in given.notes)


def test_an_unknown_colour_is_refused_by_name_with_the_nearest_class() -> None:
    pixels = np.array(painted(face()))
    pixels[10:20, 10:20] = (120, 10, 200)
    with pytest.raises(
        LabelError, match=r"l\.png has the colour \(120, 10, 200\).*the nearest is"
    ) as error:
        read_labels(content(Image.fromarray(pixels)), 64, name="l.png")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("labels", "match"),
    [(face() * 0, "background and nothing else"), (face() * 12, "the grey value 156")],
)
def test_an_empty_map_and_grey_values_are_refused(labels, match) -> None:
    with pytest.raises(LabelError, match=match):
        read_labels(content(Image.fromarray(labels.numpy())), 64)


def test_a_map_shows_what_was_painted_and_lacks_nothing() -> None:
    labels = face()
    labels[4:12, 8:56] = LABEL_NAMES.index("hat")
    assert shown_by(labels[None]) == {"Wearing_Hat": True}
    assert shown_by(face()[None]) == {}


def test_pillow_and_files_are_read_alike(tmp_path) -> None:
    painted(face()).save(tmp_path / "l.png")
    given = read_drawing(painted(face()), "label", 64)
    assert torch.equal(given.drawing, read_drawing(tmp_path / "l.png", "label", 64).drawing)
    with pytest.raises(ImageError, match="cannot be read"):
        read_drawing(tmp_path / "none.png", "sketch", 64)
