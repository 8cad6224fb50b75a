"""Model folders: `<network>.safetensors`, `config.json`, `README.md` (the model card), `SHA256SUMS` of the rest.

Tensors are read and written as safetensors only; nothing is unpickled. A tensor that is missing, left
over or of another shape is a KeysError, never a warning.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from tedigan.errors import KeysError, WeightsError
from tedigan.store.files import (
    read_json,
    read_text,
    sha256_file,
    write_bytes,
    write_json,
    write_text,
)
from tedigan.tensors import first_not_finite

CONFIG, CARD, SUMS = "config.json", "README.md", "SHA256SUMS"


def save_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write safetensors, whole or not at all; equal tensors give equal bytes. What is not finite is refused."""
    check_finite(tensors, path.name)
    contiguous = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, save(contiguous))


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Read safetensors onto the CPU; what is not finite is refused."""
    tensors = _read(path)
    check_finite(tensors, str(path))
    return tensors


def load_into(network: nn.Module, path: Path) -> None:
    """Fill a network from a safetensors file; names and shapes must be exactly the network's."""
    fill(network, _read(path), path.name)


def check_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse NaN and infinity, of which a generator draws black faces; `source` names the tensors' origin."""
    if broken := first_not_finite(tensors):
        raise WeightsError(
            f"{source}: {broken} has values that are no numbers (NaN or infinity), expected finite ones; a "
            "training diverged, or the file was damaged. Train it again with a lower learning rate, or import "
            "it again."
        )


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> None:
    """Fill a network; `source` names the tensors' origin in a KeysError or, if not finite, a WeightsError."""
    wanted = network.state_dict()
    missing, unknown = wanted.keys() - tensors.keys(), tensors.keys() - wanted.keys()
    if missing or unknown:
        raise KeysError(
            f"{source} does not fit this network: missing {_some(missing)}, left over "
            f"{_some(unknown)}. Is its configuration that of another network?"
        )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape:
            raise KeysError(
                f"{source}: {name} is {list(tensor.shape)}, expected "
                f"{list(wanted[name].shape)}. Is its configuration that of another network?"
            )
    check_finite(tensors, source)
    network.load_state_dict(dict(tensors))


def save_model(
    folder: Path, networks: Mapping[str, nn.Module], config: Mapping[str, Any], card: str
) -> None:
    """Write every network as `<name>.safetensors` beside config.json, the model card and their digests."""
    for name, network in networks.items():
        save_tensors(folder / f"{name}.safetensors", network.state_dict())
    write_json(folder / CONFIG, config)
    write_text(folder / CARD, card)
    files = sorted(path for path in folder.iterdir() if path.name != SUMS)
    write_text(folder / SUMS, "".join(f"{sha256_file(path)}  {path.name}\n" for path in files))


def check_sums(folder: Path) -> bool:
    """Compare a model folder with its SHA256SUMS; False if it has none.

    Raises WeightsError for a file that is missing or not the one that was written.
    """
    if not (folder / SUMS).is_file():
        return False
    for line in read_text(folder / SUMS).splitlines():
        expected, _, name = line.partition("  ")
        path = folder / Path(name).name
        found = sha256_file(path) if path.is_file() else "missing"
        if found != expected:
            raise WeightsError(
                f"{path}: sha256 is {found[:12]}, expected {expected[:12]}; the file was damaged or replaced. "
                "Make or import the model again, or `dvc checkout`."
            )
    return True


def read_config(folder: Path) -> dict[str, Any]:
    """A model folder's config.json."""
    if not (folder / CONFIG).is_file():
        raise WeightsError(
            f"{folder} is not a model folder: it has no {CONFIG}. Run the stage that trains the "
            "model, or `dvc pull`."
        )
    config: dict[str, Any] = read_json(folder / CONFIG)
    return config


def model_digests(folders: Iterable[Path]) -> dict[str, str]:
    """sha256 of each model folder's safetensors, for a result's recipe."""
    return {
        f"{folder.name}/{path.name}": sha256_file(path)
        for folder in folders
        for path in sorted(folder.glob("*.safetensors"))
    }


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load(path.read_bytes())
    except FileNotFoundError:
        raise WeightsError(
            f"{path} does not exist. Run the stage that trains it, or `dvc pull`."
        ) from None
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is not a whole safetensors file ({error}). Delete it and make it again."
        ) from error


def freeze(network: nn.Module, device: torch.device) -> None:
    """Evaluation mode, no gradients to the weights, on the device."""
    network.eval().requires_grad_(False).to(device)


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:3])
    return f"{len(names)} ({shown}{', ...' if len(names) > 3 else ''})" if names else "none"
