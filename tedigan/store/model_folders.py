"""Model folders: `<network>.safetensors`, `config.json`, `README.md` (the model card), `SHA256SUMS` of the rest.

Tensors are read and written as safetensors only; nothing is unpickled. A tensor that is missing, left
over or of another shape is a KeysError, never a warning.
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tedigan.errors import KeysError, WeightsError
from tedigan.model_configs import check_config, check_layers
from tedigan.store.files import write_bytes, write_json, write_text
from tedigan.store.plain_files import parse_json, read_plain, sha256_plain
from tedigan.store.safe_tensors import read_tensors, to_safetensors
from tedigan.store.sums import check_listed, check_sums, has_sums, write_sums
from tedigan.tensors import first_not_finite

CONFIG, CARD, LAYERS = "config.json", "README.md", "layers.json"
MAX_CONFIG, MAX_CARD = 2**20, 2**18  # bytes

Network = TypeVar("Network", bound=nn.Module)


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write safetensors, whole or not at all; equal tensors give equal bytes. What is not finite is refused."""
    check_finite(tensors, path.name)
    write_bytes(path, to_safetensors(tensors))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors onto the CPU; what is not finite, or not what a SHA256SUMS beside it says, is refused."""
    tensors, digest = read_tensors(path)
    if has_sums(path.parent):
        check_listed(path, digest)
    check_finite(tensors, str(path))
    return tensors


def open_network(build: Callable[[], Network], path: Path) -> Network:
    """The network of a model folder's file. build: makes it; it takes no memory until its values are read."""
    with torch.device("meta"):
        network = build()
    load_into(network, path)
    return network


def load_into(network: nn.Module, path: Path) -> None:
    """Fill a network from a model folder's file, which is read once.

    Names and shapes must be exactly the network's, which is seen before values are read.
    """
    wanted = network.state_dict()
    tensors, digest = read_tensors(path, lambda shapes: _check_shapes(wanted, shapes, path.name))
    check_listed(path, digest)
    fill(network, tensors, path.name)


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse NaN and infinity, of which a generator draws black faces; `source` names the tensors' origin."""
    if broken := first_not_finite(tensors):
        raise WeightsError(
            f"{source}: {broken} has values that are no numbers (NaN or infinity), expected finite ones; a "
            "training diverged, or the file was damaged. Train it again with a lower learning rate, or import "
            "it again."
        )


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Fill a network; `source` names the tensors' origin in a KeysError or, if not finite, a WeightsError.

    A network without values (on the meta device) takes the tensors themselves, another one copies of them.
    """
    wanted = network.state_dict()
    _check_shapes(wanted, {name: tensor.shape for name, tensor in tensors.items()}, source)
    check_finite(tensors, source)
    if any(tensor.is_meta for tensor in wanted.values()):
        given = {name: tensors[name].to(wanted[name].dtype) for name in wanted}
        network.load_state_dict(given, assign=True)
    else:
        network.load_state_dict(dict(tensors))


def _check_shapes(
    wanted: Mapping[str, Tensor], given: Mapping[str, torch.Size], source: str
) -> None:
    missing, unknown = wanted.keys() - given.keys(), given.keys() - wanted.keys()
    if missing or unknown:
        raise KeysError(
            f"{source} does not fit this network: missing {_some(missing)}, left over "
            f"{_some(unknown)}. Is its configuration that of another network?"
        )
    for name, shape in given.items():
        if shape != wanted[name].shape:
            raise KeysError(
                f"{source}: {name} is {list(shape)}, expected "
                f"{list(wanted[name].shape)}. Is its configuration that of another network?"
            )


def save_model(
    folder: Path, networks: Mapping[str, nn.Module], config: Mapping[str, Any], card: str
) -> None:
    """Write every network as `<name>.safetensors` beside config.json, the model card and their digests.

    What else belongs to the folder (a log, a sheet) is written before, so that its digest is kept too.
    """
    check_config(config, CONFIG)
    for name, network in networks.items():
        save_tensors(folder / f"{name}.safetensors", network.state_dict())
    write_json(folder / CONFIG, config)
    write_text(folder / CARD, card)
    write_sums(folder)


def read_layers(folder: Path) -> dict[str, Any]:
    """A layer table's layers.json, as its schema and SHA256SUMS want it."""
    missing = (
        f"{folder} has no {LAYERS}, expected the layer table of a generator. Run the stage analyse_layers, or "
        "`dvc pull`."
    )
    table, digest = _read_json(folder / LAYERS, missing)
    check_layers(table, str(folder / LAYERS))
    check_sums(folder, {LAYERS: digest})
    return table


def is_layer_table(folder: Path) -> bool:
    """Whether a folder holds a layer table and no network."""
    return os.path.lexists(folder / LAYERS) and not os.path.lexists(folder / CONFIG)


def read_config(folder: Path) -> dict[str, Any]:
    """A model folder's config.json, as its schema and SHA256SUMS want it."""
    config, digest = _read_config(folder)
    check_config(config, str(folder / CONFIG))
    check_sums(folder, {CONFIG: digest})
    return config


def architecture_of(folder: Path) -> str | None:
    """What config.json calls the model, unchecked; None where it is none of ours, such as one of transformers."""
    if not (folder / CONFIG).is_file():
        return None
    config, _ = _read_config(folder)
    return str(config["architecture"])[:40] if "architecture" in config else None


def _read_config(folder: Path) -> tuple[dict[str, Any], str]:
    """config.json, unchecked, and its sha256."""
    missing = (
        f"{folder} is not a model folder: it has no {CONFIG}. Run the stage that trains the "
        "model, or `dvc pull`."
    )
    config, digest = _read_json(folder / CONFIG, missing)
    if not isinstance(config, dict):
        raise WeightsError(
            f"{folder / CONFIG} holds a {type(config).__name__}, expected a model's numbers under their names. "
            "Make or import the model again."
        )
    return config, digest


def _read_json(path: Path, missing: str) -> tuple[Any, str]:
    """What a plain file of at most MAX_CONFIG says, and its sha256. missing: the error where there is none."""
    if not os.path.lexists(path):
        raise WeightsError(missing)
    content = read_plain(path, MAX_CONFIG)
    return parse_json(content, str(path)), hashlib.sha256(content).hexdigest()


def model_digests(folders: Iterable[Path]) -> dict[str, str]:
    """sha256 of each model folder's safetensors, for a result's recipe."""
    return {
        f"{folder.name}/{path.name}": sha256_plain(path)
        for folder in folders
        for path in sorted(folder.glob("*.safetensors"))
    }


def freeze(network: nn.Module, device: torch.device) -> None:
    """Evaluation mode, no gradients to the weights, on the device."""
    network.eval().requires_grad_(False).to(device)


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} ({shown}{', ...' if len(names) > 3 else ''})" if names else "none"
