"""Drawn faces: the picture, the label map and the attributes agree, and depend on their number alone."""

import io
from collections import Counter
from functools import cache

import numpy as np
import pytest
import resvg_py
from PIL import Image

from tedigan.drawn import (
    ATTRIBUTE_NAMES,
    LABEL_COLOURS,
    DrawnFace,
    describe_face,
    draw_face,
)
from tedigan.drawn.exact_attributes import attributes_of
from tedigan.drawn.face import LOOK_STREAM, PERSON_STREAM
from tedigan.drawn.look import sample_look
from tedigan.drawn.person import sample_person

SEED = 13  # its first faces include each of the things worn, and bald heads
NUM_DRAWN = 24
SHARED = (
    "Male",
    "Young",
    "Pale_Skin",
    "Oval_Face",
    "Chubby",
    "Double_Chin",
    "Big_Nose",
    "Big_Lips",
)
SHARED += ("Pointy_Nose", "Narrow_Eyes", "Bald", "High_Cheekbones", "Bushy_Eyebrows", "Gray_Hair")
HAIR_COLOURS = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")
EXCLUSIVE = [
    HAIR_COLOURS,
    ("Straight_Hair", "Wavy_Hair", "Bald"),
    ("Big_Nose", "Pointy_Nose"),
    ("No_Beard", "Goatee", "5_o_Clock_Shadow"),
    ("No_Beard", "Mustache", "5_o_Clock_Shadow"),
    ("Wearing_Hat", "Bangs", "Bald", "Receding_Hairline"),
    ("Bald", *HAIR_COLOURS),
    ("Bald", "Sideburns"),
    ("Wearing_Necktie", "Wearing_Necklace"),
    ("Male", "Heavy_Makeup"),
    ("Male", "Wearing_Lipstick"),
    ("Young", "Gray_Hair"),
    ("Oval_Face", "Chubby"),
]


@cache
def drawn(index: int) -> DrawnFace:
    return draw_face(SEED, index)


@cache
def label_colours(index: int) -> Counter:
    """Number of pixels of each colour on the label map."""
    drawing = drawn(index).label_svg
    png = resvg_py.svg_to_bytes(
        svg_string=drawing, width=256, height=256, shape_rendering="crisp_edges"
    )
    pixels = np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB")).reshape(-1, 3)
    colours, counts = np.unique(pixels, axis=0, return_counts=True)
    return Counter({tuple(map(int, c)): int(n) for c, n in zip(colours, counts, strict=True)})


@cache
def sampled_attributes() -> tuple[dict[str, bool], ...]:
    """Attributes of 2000 faces, without the cost of drawing them."""
    rows = []
    for index in range(2000):
        if index % 3 == 0:
            person = sample_person(np.random.default_rng([SEED, PERSON_STREAM, index // 3]))
        look = sample_look(np.random.default_rng([SEED, LOOK_STREAM, index]), person)
        rows.append(attributes_of(person, look))
    return tuple(rows)


def num_pixels(index: int, name: str) -> int:
    return label_colours(index)[LABEL_COLOURS[name]]


def test_same_seed_and_index_give_the_same_bytes():
    again = draw_face(SEED, 7)
    assert (again.svg, again.label_svg) == (drawn(7).svg, drawn(7).label_svg)
    assert again == drawn(7)


def test_another_seed_or_index_gives_another_face():
    assert len({draw_face(SEED, 8).svg, draw_face(SEED, 9).svg, draw_face(SEED + 1, 8).svg}) == 3


def test_global_random_state_has_no_influence():
    np.random.seed(1)
    assert draw_face(SEED, 3).svg == drawn(3).svg


def test_every_face_has_the_forty_attributes_in_order():
    assert len(ATTRIBUTE_NAMES) == 40
    assert all(tuple(drawn(index).attributes) == ATTRIBUTE_NAMES for index in range(5))


def test_attribute_and_label_tables_are_those_of_the_data_room():
    attributes = pytest.importorskip("tedigan.vocabulary.attributes")
    labels = pytest.importorskip("tedigan.vocabulary.labels")
    assert tuple(attributes.ATTRIBUTE_NAMES) == ATTRIBUTE_NAMES
    assert list(labels.LABEL_PALETTE.items()) == list(LABEL_COLOURS.items())


@pytest.mark.parametrize("names", EXCLUSIVE, ids="-".join)
def test_contradicting_attributes_never_meet(names: tuple[str, ...]):
    assert all(sum(row[name] for name in names) <= 1 for row in sampled_attributes())


def test_implied_attributes_follow():
    for row in sampled_attributes():
        assert row["Male"] or row["No_Beard"]
        assert row["Wearing_Lipstick"] or not row["Heavy_Makeup"]
        assert row["Chubby"] or not row["Double_Chin"]
        assert not row["Attractive"]
        assert not row["Blurry"]


@pytest.mark.parametrize("name", [n for n in ATTRIBUTE_NAMES if n not in ("Attractive", "Blurry")])
def test_attribute_is_frequent_enough_to_be_learnt(name: str):
    frequency = np.mean([row[name] for row in sampled_attributes()])
    assert 0.03 <= frequency <= 0.97


def test_faces_of_one_identity_share_lasting_traits():
    rows = sampled_attributes()
    for start in range(0, 1998, 3):
        trio = rows[start : start + 3]
        assert all(len({row[name] for row in trio}) == 1 for name in SHARED)


def test_a_description_is_that_of_the_drawing():
    for index in range(6):
        face = drawn(index)
        assert describe_face(SEED, index) == (face.attributes, face.identity)


def test_identity_counts_the_faces_off():
    assert [draw_face(SEED, index, 2).identity for index in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize("index", range(NUM_DRAWN))
def test_label_map_holds_only_official_colours(index: int):
    assert set(label_colours(index)) <= set(LABEL_COLOURS.values())


def test_every_class_is_seen_among_the_faces():
    seen = set().union(*(label_colours(index) for index in range(NUM_DRAWN)))
    assert seen == set(LABEL_COLOURS.values())


@pytest.mark.parametrize("index", range(NUM_DRAWN))
def test_every_face_shows_its_parts(index: int):
    for name in ("background", "skin", "nose", "l_eye", "r_eye", "u_lip", "l_lip", "cloth"):
        assert num_pixels(index, name) > 40, name
    assert num_pixels(index, "l_brow") + num_pixels(index, "r_brow") > 40


@pytest.mark.parametrize(
    ("attribute", "label"),
    [
        ("Wearing_Hat", "hat"),
        ("Eyeglasses", "eye_g"),
        ("Wearing_Earrings", "ear_r"),
        ("Wearing_Necklace", "neck_l"),
        ("Mouth_Slightly_Open", "mouth"),
    ],
)
def test_attribute_holds_exactly_where_its_label_shows(attribute: str, label: str):
    assert len({drawn(index).attributes[attribute] for index in range(NUM_DRAWN)}) == 2
    for index in range(NUM_DRAWN):
        has_pixels = num_pixels(index, label) > 30
        assert drawn(index).attributes[attribute] == has_pixels, index
        assert has_pixels or num_pixels(index, label) == 0, index


def test_bald_heads_have_no_hair_and_all_others_have():
    assert len({drawn(index).attributes["Bald"] for index in range(NUM_DRAWN)}) == 2
    for index in range(NUM_DRAWN):
        assert drawn(index).attributes["Bald"] == (num_pixels(index, "hair") < 100), index


def test_the_persons_left_eye_stands_on_the_right_as_in_celebamask_hq():
    drawing = drawn(0).label_svg
    assert drawing.index('fill="#cc00cc"') < drawing.index('fill="#3333ff"')
    png = resvg_py.svg_to_bytes(
        svg_string=drawing, width=128, height=128, shape_rendering="crisp_edges"
    )
    pixels = np.asarray(Image.open(io.BytesIO(bytes(png))).convert("RGB"))
    left = (pixels == LABEL_COLOURS["l_eye"]).all(axis=2)
    right = (pixels == LABEL_COLOURS["r_eye"]).all(axis=2)
    assert right.nonzero()[1].mean() < left.nonzero()[1].mean()
