"""The layer table as a picture: attributes by layers, the stronger the gain the darker, acting layers outlined."""

from dataclasses import dataclass
from typing import Any

CELL, LABEL, HEAD = 30.0, 150.0, 34.0  # within the viewBox of templates/charts.html
STEP = CELL * 0.62  # from row to row


@dataclass(frozen=True)
class Cell:
    """shade: 0 = no gain .. 1 = the largest of the table. said: for people who point at it."""

    x: float
    y: float
    shade: float
    acts: bool
    said: str


@dataclass(frozen=True)
class LayerRow:
    """An attribute. y: of its words. is_drawn: whether any layer acts on it."""

    name: str
    y: float
    is_drawn: bool
    cells: list[Cell]


@dataclass(frozen=True)
class LayerChart:
    """columns: (x, layer, px) of each layer; px is None where the layer before has said it."""

    width: float
    height: float
    columns: list[tuple[float, str, str | None]]
    rows: list[LayerRow]


def layer_chart(attributes: dict[str, dict[str, Any]]) -> LayerChart | None:
    """The drawing of layers.json's attributes, what the generator draws first; None without any."""
    if not attributes:
        return None
    num_ws = len(next(iter(attributes.values()))["gain"])
    most = max(max(one["gain"]) for one in attributes.values())
    scale = most if most > 0 else 1.0
    ordered = sorted(attributes.items(), key=lambda item: (not item[1]["is_drawn"], item[0]))
    rows = [_row(place, name, one, scale) for place, (name, one) in enumerate(ordered)]
    columns = [
        (LABEL + layer * CELL, str(layer), f"{_px(layer)} px" if layer % 2 == 0 else None)
        for layer in range(num_ws)
    ]
    return LayerChart(LABEL + num_ws * CELL + 4, HEAD + len(rows) * STEP + 4, columns, rows)


def _row(place: int, name: str, one: dict[str, Any], scale: float) -> LayerRow:
    y = HEAD + place * STEP
    acting = one["layers"] if one["is_drawn"] else []
    cells = [
        Cell(
            LABEL + layer * CELL,
            y,
            min(1.0, max(0.0, gain / scale)),
            layer in acting,
            f"layer {layer}, {_px(layer)} px: gain {gain:.2f}",
        )
        for layer, gain in enumerate(one["gain"])
    ]
    return LayerRow(name, y + STEP * 0.7, one["is_drawn"], cells)


def _px(layer: int) -> int:
    return 4 * 2 ** (layer // 2)
