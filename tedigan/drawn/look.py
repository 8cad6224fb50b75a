"""A look is what changes from picture to picture of one person: expression, pose, style, light."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tedigan.drawn.colours import Colour, from_hsv, mix
from tedigan.drawn.person import Person

LIPSTICKS: tuple[Colour, ...] = ((186, 18, 42), (214, 44, 92), (150, 22, 66), (222, 70, 62))
EYE_SHADOWS: tuple[Colour, ...] = ((108, 62, 128), (52, 92, 148), (46, 122, 112), (96, 54, 44))
METALS: tuple[Colour, ...] = ((236, 190, 74), (226, 230, 238), (232, 160, 128))

SHORT_STYLES = ("crop", "side", "curls_short", "pixie")


@dataclass(frozen=True)
class Look:
    """Passing traits; angles in degrees, shifts in units of the 512 frame."""

    yaw: float  # how far the nearest part of the face moves to the right
    pitch: float
    roll: float
    gaze: float
    light: float  # -1 from the left of the picture, 1 from the right
    light_strength: float
    is_smiling: bool
    is_mouth_open: bool
    smile: float
    mouth_gap: float
    hair_style: str
    hair_volume: float
    part: float  # where the hair is parted, -1..1 across the face
    has_bangs: bool
    has_sideburns: bool
    facial_hair: str  # none, stubble, mustache, goatee, goatee_mustache or beard
    hat: str  # none, beanie, cap or brim
    hat_colour: Colour
    glasses: str  # none, round, square or cat
    glasses_colour: Colour
    has_heavy_makeup: bool
    eye_shadow: Colour
    lipstick: Colour | None
    has_rosy_cheeks: bool
    has_bags: bool
    earrings: str  # none, stud, hoop or drop
    necklace: str  # none, chain, beads or pendant
    metal: Colour
    gem: Colour
    clothes: str  # crew, vneck, shirt, suit, turtleneck or scoop
    has_tie: bool
    cloth_colour: Colour
    accent_colour: Colour
    ground: str  # plain, bokeh, stripes or horizon
    ground_colours: tuple[Colour, Colour]
    texture_seed: int

    @property
    def is_long(self) -> bool:
        """Whether the hair hangs beside the face, so that a hat leaves it in sight."""
        return self.hair_style in ("long", "bob", "medium")


def sample_look(rng: np.random.Generator, person: Person) -> Look:
    """Draw a look that the person can wear without contradiction."""
    hat = _choose(rng, {"none": 0.89, "beanie": 0.04, "cap": 0.035, "brim": 0.035})
    if person.hairline == "bald":
        hat = "none"
    style = _sample_hair_style(rng, person, has_hat=hat != "none")
    clothes = _sample_clothes(rng, person)
    return Look(
        hat=hat,
        hat_colour=_sample_vivid(rng),
        **_sample_pose(rng),
        **_sample_expression(rng),
        **style,
        **_sample_beard(rng, person, is_sleek=style["hair_style"] in SHORT_STYLES),
        **_sample_makeup(rng, person),
        **_sample_jewellery(rng, person, has_collar=clothes["clothes"] in ("shirt", "suit")),
        **clothes,
        **_sample_ground(rng),
        texture_seed=int(rng.integers(2**31)),
    )


def _choose(rng: np.random.Generator, weights: dict[str, float]) -> str:
    values = np.array(list(weights.values()))
    return str(rng.choice(list(weights), p=values / values.sum()))


def _sample_vivid(rng: np.random.Generator) -> Colour:
    """A garment's colour: vivid, muted or nearly neutral."""
    saturation = float(rng.choice([0.12, 0.4, 0.65]))
    return from_hsv(rng.random(), saturation + rng.uniform(-0.08, 0.1), rng.uniform(0.3, 0.88))


def _sample_pose(rng: np.random.Generator) -> dict[str, Any]:
    return {
        "yaw": float(np.clip(rng.normal(0, 6.5), -14, 14)),
        "pitch": float(np.clip(rng.normal(0, 2.2), -5, 5)),
        "roll": float(np.clip(rng.normal(0, 2.2), -5, 5)),
        "gaze": float(rng.uniform(-3.5, 3.5)),
        "light": float(rng.choice([-1, 1]) * rng.uniform(0.35, 1)),
        "light_strength": float(rng.uniform(0.25, 0.75)),
    }


def _sample_expression(rng: np.random.Generator) -> dict[str, Any]:
    is_smiling = bool(rng.random() < 0.5)
    is_open = bool(rng.random() < (0.62 if is_smiling else 0.3))
    gap = rng.uniform(15, 23) if is_smiling else rng.uniform(13, 19)
    return {
        "is_smiling": is_smiling,
        "is_mouth_open": is_open,
        "smile": float(rng.uniform(0.8, 1.15) if is_smiling else rng.uniform(0.06, 0.3)),
        "mouth_gap": float(gap) if is_open else 0.0,
    }


def _sample_hair_style(
    rng: np.random.Generator, person: Person, *, has_hat: bool
) -> dict[str, Any]:
    if person.hairline == "bald":
        style = "bald"
    elif person.hairline == "receding":
        style = "crop"
    elif person.is_male:
        style = _choose(rng, {"crop": 0.44, "side": 0.3, "curls_short": 0.13, "medium": 0.13})
    else:
        styles = {"long": 0.42, "bob": 0.22, "medium": 0.12, "updo": 0.12, "curls": 0.08}
        style = _choose(rng, {**styles, "pixie": 0.04})
    if style in ("curls_short", "curls") and not person.is_wavy:
        style = "crop" if person.is_male else "long"
    if has_hat and style in ("curls", "updo"):
        style = "long"
    can_have_bangs = not has_hat and person.hairline == "full" and "curls" not in style
    odds = 0.26 if person.is_male else 0.32
    return {
        "hair_style": style,
        "hair_volume": float(rng.uniform(0.75, 1.3)),
        "part": float(rng.choice([-1, 1]) * rng.choice([0.05, 0.45]) + rng.uniform(-0.05, 0.05)),
        "has_bangs": bool(can_have_bangs and style != "updo" and rng.random() < odds),
    }


def _sample_beard(rng: np.random.Generator, person: Person, *, is_sleek: bool) -> dict[str, Any]:
    kind = "none"
    if person.is_male:
        odds = {"none": 0.44, "stubble": 0.17, "mustache": 0.1, "goatee": 0.05}
        kind = _choose(rng, {**odds, "goatee_mustache": 0.09, "beard": 0.15})
    can_grow = person.is_male and is_sleek and person.hairline != "bald"
    has_sideburns = can_grow and (kind == "beard" or rng.random() < 0.16)
    return {"facial_hair": kind, "has_sideburns": bool(has_sideburns)}


def _sample_makeup(rng: np.random.Generator, person: Person) -> dict[str, Any]:
    is_heavy = bool(not person.is_male and rng.random() < 0.38)
    has_lipstick = bool(not person.is_male and (is_heavy or rng.random() < 0.38))
    lipstick = mix(LIPSTICKS[rng.integers(4)], LIPSTICKS[rng.integers(4)], 0.3 * rng.random())
    is_rosy = rng.random() < (0.07 if person.is_male else 0.28)
    return {
        "has_heavy_makeup": is_heavy,
        "eye_shadow": EYE_SHADOWS[rng.integers(4)],
        "lipstick": lipstick if has_lipstick else None,
        "has_rosy_cheeks": bool(is_rosy),
        "has_bags": bool(not is_heavy and rng.random() < (0.17 if person.is_young else 0.42)),
    }


def _sample_jewellery(
    rng: np.random.Generator, person: Person, *, has_collar: bool
) -> dict[str, Any]:
    kinds = {"stud": 0.2, "hoop": 0.4, "drop": 0.4}
    has_earrings = rng.random() < (0.05 if person.is_male else 0.44)
    has_necklace = not has_collar and rng.random() < (0.07 if person.is_male else 0.36)
    has_glasses = rng.random() < (0.16 if person.is_young else 0.25)
    frame = from_hsv(rng.random(), rng.uniform(0.1, 0.7), rng.uniform(0.1, 0.4))
    shapes = {"round": 0.35, "square": 0.45, "cat": 0.0 if person.is_male else 0.25}
    return {
        "earrings": _choose(rng, kinds) if has_earrings else "none",
        "necklace": _choose(rng, {"chain": 1.0, "beads": 1.0, "pendant": 1.0})
        if has_necklace
        else "none",
        "metal": METALS[rng.integers(len(METALS))],
        "gem": from_hsv(rng.random(), 0.7, 0.85),
        "glasses": _choose(rng, shapes) if has_glasses else "none",
        "glasses_colour": frame,
    }


def _sample_clothes(rng: np.random.Generator, person: Person) -> dict[str, Any]:
    if person.is_male:
        odds = {"crew": 0.3, "vneck": 0.12, "shirt": 0.2, "suit": 0.3, "turtleneck": 0.08}
    else:
        odds = {"scoop": 0.36, "vneck": 0.24, "crew": 0.18, "shirt": 0.12, "turtleneck": 0.1}
    kind = _choose(rng, odds)
    return {
        "clothes": kind,
        "has_tie": kind == "suit" or (kind == "shirt" and person.is_male and rng.random() < 0.25),
        "cloth_colour": _sample_vivid(rng),
        "accent_colour": from_hsv(rng.random(), rng.uniform(0.55, 0.85), rng.uniform(0.4, 0.75)),
    }


def _sample_ground(rng: np.random.Generator) -> dict[str, Any]:
    hue = rng.random()
    saturation = rng.uniform(0.08, 0.5)
    value = rng.uniform(0.45, 0.95)
    second = from_hsv(hue + rng.uniform(-0.1, 0.1), saturation, value * rng.uniform(0.5, 0.8))
    return {
        "ground": _choose(rng, {"plain": 0.45, "bokeh": 0.25, "stripes": 0.12, "horizon": 0.18}),
        "ground_colours": (from_hsv(hue, saturation, value), second),
    }
