"""Drawings made of a label map's borders."""

import torch

from tedigan.training.drawing_lessons import sketches_and_outlines, sketches_of
from tedigan.training.outlines import outlines_of
from tedigan.vocabulary.labels import LABEL_NAMES

SKIN, MOUTH, LOWER_LIP = (LABEL_NAMES.index(name) for name in ("skin", "mouth", "l_lip"))


def a_square(name: int, *, on: int = 0, side: int = 64) -> torch.Tensor:
    labels = torch.full((1, side, side), on, dtype=torch.uint8)
    labels[:, side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = name
    return labels


def test_ink_lies_on_the_border_of_a_part_and_nowhere_else() -> None:
    ink = 255 - outlines_of(a_square(SKIN))[0, 0].int()
    assert ink[16, 20:44].min() > 60
    assert ink[20:44, 16].min() > 60
    assert ink[22:42, 22:42].max() == 0
    assert ink[:12].max() == 0


def test_a_map_of_one_class_is_white_paper() -> None:
    assert outlines_of(torch.full((2, 64, 64), SKIN, dtype=torch.uint8)).min() == 255


def test_no_line_parts_a_mouth_from_its_lip() -> None:
    assert outlines_of(a_square(MOUTH, on=LOWER_LIP)).min() == 255
    assert outlines_of(a_square(MOUTH, on=SKIN)).min() < 255


def test_pens_of_several_widths_take_turns() -> None:
    ink = (255 - outlines_of(a_square(SKIN).expand(4, -1, -1)).int()).sum(dim=[1, 2, 3])
    assert (ink.diff() > 0).all()


def test_a_large_map_is_outlined_at_its_own_size() -> None:
    drawn = outlines_of(a_square(SKIN, side=512))
    assert drawn.shape == (1, 1, 512, 512)
    assert drawn.min() < 60


def test_every_other_face_is_outlined() -> None:
    class Squares:
        origin = "squares"

        def parse(self, images: torch.Tensor) -> torch.Tensor:
            return a_square(SKIN).expand(len(images), -1, -1)

    pixels = (255 * torch.rand(3, 3, 64, 64)).to(torch.uint8)
    drawn = sketches_and_outlines(Squares())(pixels)
    assert torch.equal(drawn[0::2], sketches_of(pixels[0::2]))
    assert torch.equal(drawn[1:2], outlines_of(a_square(SKIN)))
    assert len(sketches_and_outlines(Squares())(pixels[:1])) == 1
