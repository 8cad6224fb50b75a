"""The layer table of a generator: models/layers."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.method.layer_analysis import MIN_GAIN, LayerTable
from tedigan.model_configs import check_layers
from tedigan.store.files import finished_folder, write_json, write_text
from tedigan.store.model_folders import LAYERS, read_layers
from tedigan.store.sums import write_sums
from tedigan.store.tables import write_table

COLUMNS = ["attribute", "layer", "px", "gain", "gain_low", "gain_high", "leak", "acts"]


def save_layers(folder: Path, table: LayerTable, *, num_faces: int) -> None:
    """Write layers.json, layers.csv, a card and their digests, whole or not at all."""
    found = layers_json(table, num_faces=num_faces)
    check_layers(found, LAYERS)
    with finished_folder(folder) as fresh:
        write_json(fresh / LAYERS, found)
        write_table(fresh / "layers.csv", COLUMNS, _rows(table))
        write_text(fresh / "README.md", _card(table, num_faces))
        write_sums(fresh)


def layers_json(table: LayerTable, *, num_faces: int) -> dict[str, Any]:
    """The table as plain values, six digits each."""
    found = {}
    for row, name in enumerate(table.names):
        columns = ("gain", "gain_low", "gain_high", "leak")
        numbers = {one: _digits(getattr(table, one)[row]) for one in columns}
        found[name] = {
            **numbers,
            "layers": torch.nonzero(table.used[row]).flatten().tolist(),
            "is_drawn": bool(table.acts[row].any()),
        }
    return {"num_faces": num_faces, "min_gain": MIN_GAIN, "attributes": found}


def load_layers(folder: Path, names: tuple[str, ...], num_ws: int) -> Bool[Tensor, "k num_ws"]:
    """Where each of these attributes acts; a table of other attributes or layers is a WeightsError."""
    found = read_layers(folder)["attributes"]
    layers = torch.zeros(len(names), num_ws, dtype=torch.bool)
    for row, name in enumerate(names):
        if name not in found or len(found[name]["gain"]) != num_ws:
            raise WeightsError(
                f"{folder / LAYERS} says nothing of {name} on {num_ws} layers, expected what the latent tagger "
                "and the generator have; it is of other models. Run the stage analyse_layers again."
            )
        layers[row, found[name]["layers"]] = True
    return layers


def _rows(table: LayerTable) -> list[list[Any]]:
    return [
        [name, layer, 4 * 2 ** (layer // 2)]
        + [_digits(getattr(table, one)[row, layer]) for one in COLUMNS[3:7]]
        + [str(bool(table.acts[row, layer])).lower()]
        for row, name in enumerate(table.names)
        for layer in range(table.gain.shape[1])
    ]


def _card(table: LayerTable, num_faces: int) -> str:
    rows = "".join(
        f"| {name} | {', '.join(map(str, torch.nonzero(table.acts[row]).flatten().tolist())) or 'none'} |\n"
        for row, name in enumerate(table.names)
    )
    return (
        "# Layers and attributes\n\n"
        f"Which of the generator's {table.gain.shape[1]} layers draw which attribute, measured on {num_faces}\n"
        f"random faces: those whose gain's 95 % interval lies above {MIN_GAIN} deviations of the guide's logit.\n"
        "An attribute with none is not drawn by this generator. Numbers: `layers.csv`. Made by the stage\n"
        "`analyse_layers`.\n\n"
        f"| attribute | layers (0-based, coarse to fine) |\n|---|---|\n{rows}"
    )


def _digits(values: Tensor) -> Any:
    numbers = values.tolist()
    if isinstance(numbers, list):
        return [float(f"{number:.6g}") for number in numbers]
    return float(f"{numbers:.6g}")
