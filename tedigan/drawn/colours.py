"""Colour arithmetic for drawn faces; a colour is three numbers, red green blue, 0..255."""

import colorsys

import numpy as np

Number = float | int
Colour = tuple[Number, Number, Number]

WHITE: Colour = (255.0, 255.0, 255.0)
BLACK: Colour = (0.0, 0.0, 0.0)

SKIN_SCALE: tuple[tuple[Number, Colour], ...] = (
    (0.0, (243, 201, 172)),
    (0.25, (233, 186, 152)),
    (0.5, (205, 148, 109)),
    (0.75, (150, 98, 68)),
    (1.0, (96, 60, 43)),
)
PALE_SKIN: Colour = (255, 231, 218)


def mix(first: Colour, second: Colour, amount: Number) -> Colour:
    """The colour `amount` (0..1) of the way from `first` to `second`."""
    return (
        first[0] + (second[0] - first[0]) * amount,
        first[1] + (second[1] - first[1]) * amount,
        first[2] + (second[2] - first[2]) * amount,
    )


def lighter(colour: Colour, amount: Number) -> Colour:
    """`colour` moved towards white."""
    return mix(colour, WHITE, amount)


def darker(colour: Colour, amount: Number) -> Colour:
    """`colour` moved towards black."""
    return mix(colour, BLACK, amount)


def from_hsv(hue: Number, saturation: Number, value: Number) -> Colour:
    """A colour from hue (turns), saturation and value (0..1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return (255 * red, 255 * green, 255 * blue)


def css(colour: Colour) -> str:
    """`colour` as SVG writes it, such as `#cc0000`."""
    return "#" + "".join(f"{round(min(max(channel, 0.0), 255.0)):02x}" for channel in colour)


def skin_tone(melanin: Number, undertone: Number, *, is_pale: bool) -> Colour:
    """Base skin colour.

    melanin: 0 (light) to 1 (deep); a pale skin is lighter than melanin 0 and ignores it.
    undertone: -1 (cool, rosy) to 1 (warm, golden).
    """
    red, green, blue = PALE_SKIN
    if not is_pale:
        knots = [knot for knot, _ in SKIN_SCALE]
        channels = zip(*(colour for _, colour in SKIN_SCALE), strict=True)
        red, green, blue = (float(np.interp(melanin, knots, channel)) for channel in channels)
    return (red, green + 3.0 * undertone, blue - 8.0 * undertone)
