"""Parity of legal, seldom forms of official files: `python -m tests.parity.legal_forms`.

The tensors of a recorded case are written in another form and read by `read_models`; printed is how far the images
are from the official ones. What these forms do to tensors is tested on tiny networks by
tests/foreign/test_legal_forms.py.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from tedigan.models.imports import FoundModel, read_models
from tests.foreign.nvidia_snapshot import EasyDict, dump, module
from tests.parity.case import FIXTURES, PSI, Z, sampled
from tests.parity.cases_stylegan2 import CASES, LATENT_AVG
from tests.parity.filling import fill_shapes

Tensors = dict[str, Tensor]
BY_NAME = {case.name: case for case in CASES}
SIZES = (512, 0, 512, 256, 3)
SYNTHESIS = EasyDict(channel_base=16384)


def tensors_of(name: str, section: str) -> Tensors:
    """Of a recorded case."""
    return fill_shapes(BY_NAME[name].shapes()[section])


def saved(folder: Path, content: Any, name: str = "theirs.pt") -> FoundModel:
    """By torch.save, or NVIDIA's pickle where it is bytes."""
    if isinstance(content, bytes):
        (folder / "theirs.pkl").write_bytes(content)
        return read_models(folder / "theirs.pkl")[0]
    torch.save(content, folder / name)
    return read_models(folder / name)[0]


def snapshot(tensors: Tensors, **state: Any) -> Any:
    """NVIDIA's generator of 256 px."""
    names = ("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels")
    kwargs = EasyDict(zip(names, SIZES, strict=True), synthesis_kwargs=SYNTHESIS)
    return module("Generator", tensors, **{"_init_kwargs": kwargs} | state)


def _nvidia() -> Tensors:
    return tensors_of("nvidia_ada_generator_256", "G_ema")


def _rosinality() -> dict[str, Any]:
    return {"g_ema": tensors_of("rosinality_256_config_f", "g_ema")} | fill_shapes(LATENT_AVG)


def _genforce() -> Tensors:
    return tensors_of("genforce_stylegan2_256", "generator_smooth")


def prefixed(folder: Path) -> FoundModel:
    """Names behind `module.`."""
    content = _rosinality()
    content["g_ema"] = {f"module.{name}": one for name, one in content["g_ema"].items()}
    return saved(folder, content)


def placed(folder: Path) -> FoundModel:
    """NVIDIA's arguments by their place."""
    kwargs = EasyDict(synthesis_kwargs=SYNTHESIS)
    return saved(
        folder, dump({"G_ema": snapshot(_nvidia(), _init_args=SIZES, _init_kwargs=kwargs)})
    )


def without_average(folder: Path) -> FoundModel:
    """w_avg_beta None."""
    tensors = {name: one for name, one in _nvidia().items() if name != "mapping.w_avg"}
    kwargs = EasyDict(
        zip(("z_dim", "c_dim", "w_dim", "img_resolution", "img_channels"), SIZES, strict=True),
        mapping_kwargs=EasyDict(w_avg_beta=None),
        synthesis_kwargs=SYNTHESIS,
    )
    return saved(folder, dump({"G_ema": snapshot(tensors, _init_kwargs=kwargs)}))


def one_object(folder: Path) -> FoundModel:
    """G and G_ema."""
    same = snapshot(_nvidia())
    return saved(folder, dump({"G": same, "G_ema": same}))


FORMS: list[tuple[str, str, float, Callable[[Path], FoundModel]]] = [
    ("`module.` before each name", "rosinality_256_config_f", PSI, prefixed),
    ("a torch zip file named .pkl", "rosinality_256_config_f", PSI,
     lambda folder: saved(folder, _rosinality(), "theirs.pkl")),
    ("`{generator: ...}` alone", "genforce_stylegan2_256", PSI,
     lambda folder: saved(folder, {"generator": _genforce()})),
    ("a bare generator", "genforce_stylegan2_256", PSI, lambda folder: saved(folder, _genforce())),
    ("arguments by their place", "nvidia_ada_generator_256", 1, placed),
    ("`w_avg_beta` None", "nvidia_ada_generator_256", 1, without_average),
    ("one object as G and G_ema", "nvidia_ada_generator_256", 1, one_object),
]  # fmt: skip


@torch.no_grad()
def largest_error(case: str, psi: float, make: Callable[[Path], FoundModel]) -> float:
    """Of the images of G_ema, and of G where there is one."""
    expected = load_file(FIXTURES / f"{case}.safetensors")["images"]
    with tempfile.TemporaryDirectory() as folder:
        found = make(Path(folder))
    drawn = [net(Z, truncation_psi=psi) for name, net in found.networks.items() if name != "D"]
    return max((sampled(images) - expected).abs().max().item() for images in drawn)


def main() -> None:
    """Print the table."""
    print("| form | tensors of | images |\n|---|---|---|")
    for name, case, psi, make in FORMS:
        print(f"| {name} | `{case}` | {largest_error(case, psi, make):.1e} |", flush=True)


if __name__ == "__main__":
    main()
