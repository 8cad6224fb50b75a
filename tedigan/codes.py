"""Codes in a notebook, without a model: mixed, walked between, kept in files."""

from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.errors import ParamsError, ShapeError, StoreError
from tedigan.method.control import mix_layers
from tedigan.store.arrays import read_npy, write_npy
from tedigan.store.model_folders import check_finite, load_tensors, save_tensors

Codes = Float[Tensor, "n num_ws w_dim"]


def mix(content: Codes, style: Codes, layers: Sequence[int], *, amount: float = 1.0) -> Codes:
    """Content, whose named layers (0-based, coarse to fine) are style's: `(1 - amount) content + amount style`."""
    _check_alike(content, style)
    return mix_layers(content, style, layers, amount=amount)


def interpolate(
    start: Float[Tensor, "1 num_ws w_dim"], end: Float[Tensor, "1 num_ws w_dim"], n: int
) -> Codes:
    """n codes from one start to one end, both among them."""
    _check_alike(start, end)
    steps = torch.linspace(0, 1, at_least_one(n), device=start.device)
    return torch.lerp(start, end, steps[:, None, None])


def save_ws(path: str | Path, ws: Codes) -> None:
    """Write codes as .safetensors (under the name `ws`) or .npy, whole or not at all."""
    path = Path(path)
    if path.suffix == ".npy":
        check_finite({"ws": ws}, path.name)
        write_npy(path, ws)
    else:
        save_tensors(_codes_file(path), {"ws": ws})


def load_ws(path: str | Path) -> Codes:
    """Codes that `save_ws`, or another tool, wrote: `[n, num_ws, w_dim]`, or one code without the n."""
    path = _codes_file(Path(path))
    if not path.is_file():
        raise StoreError(f"{path} does not exist. Save codes there first, or mend its name.")
    ws = read_npy(path) if path.suffix == ".npy" else load_tensors(path).get("ws")
    if ws is None or ws.ndim not in (2, 3) or not ws.is_floating_point():
        found = "no tensor `ws`" if ws is None else f"{ws.dtype} of {list(ws.shape)}"
        raise ShapeError(
            f"{path} holds {found}; expected ws [n, num_ws, w_dim]. Choose another file."
        )
    check_finite({"ws": ws}, str(path))
    return ws.float() if ws.ndim == 3 else ws.float()[None]


def _codes_file(path: Path) -> Path:
    if path.suffix not in {".safetensors", ".npy"}:
        raise ParamsError(f"{path.name}: codes are kept as .safetensors or .npy. Name such a file.")
    return path


def at_least_one(n: int) -> int:
    """n, or a ParamsError."""
    if n < 1:
        raise ParamsError(f"{n} pictures or codes were asked for; expected at least 1.")
    return n


def check_codes(ws: Codes, shape: tuple[int, int], *, most: int | None) -> None:
    """Refuse codes that are not of a generator's num_ws and w_dim, not finite, none, or more than `most`."""
    if ws.ndim != 3 or tuple(ws.shape[1:]) != shape or not len(ws):
        raise ShapeError(
            f"codes are {list(ws.shape)}, but this generator takes [n, {shape[0]}, {shape[1]}]. "
            "Were they made for another one?"
        )
    if most is not None and len(ws) > most:
        raise ShapeError(f"{len(ws)} codes were given, expected {most}. Take one: ws[:1].")
    check_finite({"ws": ws}, "codes")


def _check_alike(one: Codes, other: Codes) -> None:
    if one.ndim != 3 or one.shape != other.shape:
        raise ShapeError(
            f"codes are {list(one.shape)} and {list(other.shape)}; expected two of one shape, [n, num_ws, w_dim]. "
            "Were they made for two generators?"
        )
