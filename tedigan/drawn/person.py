"""A person is what does not change between the pictures of one identity: bones, skin, colours, age."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tedigan.drawn.colours import Colour, from_hsv, mix, skin_tone

IRIS_COLOURS: dict[str, Colour] = {
    "brown": (104, 62, 34),
    "dark": (60, 38, 28),
    "hazel": (130, 104, 52),
    "green": (88, 134, 88),
    "blue": (74, 128, 186),
    "grey": (122, 142, 158),
}


@dataclass(frozen=True)
class Person:
    """Lasting traits. Lengths are in units of the 512 frame, flags are CelebA's words."""

    is_male: bool
    is_young: bool
    skin: Colour
    is_pale: bool
    face_shape: str  # oval, round, square or heart
    half_width: float
    jaw_width: float  # fraction of half_width
    chin_width: float  # fraction of half_width
    chin_y: float
    is_chubby: bool
    has_double_chin: bool
    has_high_cheekbones: bool
    eye_distance: float  # between the centres
    eye_width: float
    eye_height: float
    eye_tilt: float
    has_narrow_eyes: bool
    iris: Colour
    nose_kind: str  # normal, big or pointy
    nose_width: float
    nose_length: float
    has_big_lips: bool
    lip_height: float
    mouth_width: float
    has_bushy_brows: bool
    has_arched_brows: bool
    brow_thickness: float
    hair_family: str  # black, brown, blond, gray or red
    hair: Colour
    hairline: str  # full, receding or bald
    is_wavy: bool


def sample_person(rng: np.random.Generator) -> Person:
    """Draw a person; every pair of opposed traits is kept clearly apart."""
    is_male = bool(rng.random() < 0.48)
    is_young = bool(rng.random() < 0.72)
    is_pale = bool(rng.random() < 0.12)
    melanin = float(rng.beta(1.3, 1.6))
    family = _sample_hair_family(rng, melanin=melanin, is_pale=is_pale, is_young=is_young)
    return Person(
        is_male=is_male,
        is_young=is_young,
        skin=skin_tone(melanin, rng.uniform(-1, 1), is_pale=is_pale),
        is_pale=is_pale,
        iris=_sample_iris(rng, melanin=0.0 if is_pale else melanin),
        hair_family=family,
        hair=_sample_hair_colour(rng, family),
        hairline=_sample_hairline(rng, is_male=is_male, is_young=is_young),
        is_wavy=bool(rng.random() < 0.45),
        **_sample_bones(rng, is_male=is_male),
        **_sample_eyes(rng, is_male=is_male),
        **_sample_nose(rng, is_male=is_male),
        **_sample_mouth(rng),
        **_sample_brows(rng, is_male=is_male),
    )


def _sample_hair_family(
    rng: np.random.Generator, *, melanin: float, is_pale: bool, is_young: bool
) -> str:
    if not is_young and rng.random() < 0.5:
        return "gray"
    light = 1.0 if is_pale else max(0.0, 1.0 - 1.6 * melanin)
    weights = np.array([0.22 + 0.5 * (1 - light), 0.42, 0.03 + 0.58 * light, 0.01 + 0.12 * light])
    return str(rng.choice(["black", "brown", "blond", "red"], p=weights / weights.sum()))


def _sample_hair_colour(rng: np.random.Generator, family: str) -> Colour:
    first, second = {
        "black": ((22, 20, 24), (38, 33, 36)),
        "brown": ((82, 48, 28), (134, 88, 54)),
        "blond": ((212, 166, 92), (244, 216, 150)),
        "gray": ((148, 148, 154), (216, 216, 220)),
        "red": ((150, 58, 28), (190, 86, 40)),
    }[family]
    return mix(first, second, float(rng.random()))


def _sample_iris(rng: np.random.Generator, *, melanin: float) -> Colour:
    light = max(0.0, 1.0 - 1.8 * melanin)
    weights = np.array([0.5, 0.6 - 0.4 * light, 0.25, 0.3 * light, 0.6 * light, 0.2 * light])
    colour = IRIS_COLOURS[str(rng.choice(list(IRIS_COLOURS), p=weights / weights.sum()))]
    return mix(colour, from_hsv(rng.random(), 0.3, 0.6), 0.12)


def _sample_hairline(rng: np.random.Generator, *, is_male: bool, is_young: bool) -> str:
    if not is_male:
        return "full"
    weights = [0.77, 0.13, 0.1] if is_young else [0.46, 0.34, 0.2]
    return str(rng.choice(["full", "receding", "bald"], p=weights))


def _sample_bones(rng: np.random.Generator, *, is_male: bool) -> dict[str, Any]:
    shape = str(rng.choice(["oval", "round", "square", "heart"], p=[0.36, 0.2, 0.24, 0.2]))
    half_width, jaw, chin = {
        "oval": (rng.uniform(107, 113), rng.uniform(0.72, 0.76), rng.uniform(0.36, 0.4)),
        "round": (rng.uniform(118, 124), rng.uniform(0.83, 0.87), rng.uniform(0.5, 0.55)),
        "square": (rng.uniform(112, 119), rng.uniform(0.88, 0.93), rng.uniform(0.52, 0.6)),
        "heart": (rng.uniform(112, 119), rng.uniform(0.66, 0.71), rng.uniform(0.28, 0.33)),
    }[shape]
    is_chubby = bool(shape != "oval" and rng.random() < 0.22)
    jaw += -0.04 + 0.06 * is_male + (0.14 if shape == "heart" else 0.07) * is_chubby
    return {
        "face_shape": shape,
        "half_width": float(half_width + 2 * is_male + 7 * is_chubby),
        "jaw_width": float(min(jaw, 0.93)),
        "chin_width": float(chin - 0.04 + 0.06 * is_male + 0.05 * is_chubby),
        "chin_y": float(rng.uniform(424, 436) + 4 * is_male),
        "is_chubby": is_chubby,
        "has_double_chin": bool(is_chubby and rng.random() < 0.6),
        "has_high_cheekbones": bool(not is_chubby and rng.random() < 0.48),
    }


def _sample_eyes(rng: np.random.Generator, *, is_male: bool) -> dict[str, Any]:
    is_narrow = bool(rng.random() < 0.16)
    height = rng.uniform(11, 13) if is_narrow else rng.uniform(26, 32) - 1.5 * is_male
    return {
        "eye_distance": float(rng.uniform(100, 110)),
        "eye_width": float(rng.uniform(60, 67)),
        "eye_height": float(height),
        "eye_tilt": float(rng.uniform(-2.5, 6.0)),
        "has_narrow_eyes": is_narrow,
    }


def _sample_nose(rng: np.random.Generator, *, is_male: bool) -> dict[str, Any]:
    kind = str(rng.choice(["normal", "big", "pointy"], p=[0.52, 0.22, 0.26]))
    width = {
        "normal": rng.uniform(26, 30),
        "big": rng.uniform(38, 44),
        "pointy": rng.uniform(19, 22),
    }[kind]
    length = {
        "normal": rng.uniform(66, 72),
        "big": rng.uniform(72, 78),
        "pointy": rng.uniform(71, 77),
    }[kind]
    return {
        "nose_kind": kind,
        "nose_width": float(width + 1.5 * is_male),
        "nose_length": float(length),
    }


def _sample_mouth(rng: np.random.Generator) -> dict[str, Any]:
    is_big = bool(rng.random() < 0.26)
    return {
        "has_big_lips": is_big,
        "lip_height": float(rng.uniform(44, 50) if is_big else rng.uniform(22, 28)),
        "mouth_width": float(rng.uniform(82, 96) + 3 * is_big),
    }


def _sample_brows(rng: np.random.Generator, *, is_male: bool) -> dict[str, Any]:
    is_bushy = bool(rng.random() < (0.26 if is_male else 0.06))
    thin, thick = (9.5, 11.0) if is_male else (7.0, 9.0)
    return {
        "has_bushy_brows": is_bushy,
        "has_arched_brows": bool(rng.random() < (0.12 if is_male else 0.42)),
        "brow_thickness": float(rng.uniform(17, 20) if is_bushy else rng.uniform(thin, thick)),
    }
