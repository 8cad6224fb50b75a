"""Which synthesis a bulk stage runs with, and the proof, made at each start, that it draws the same faces."""

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils._triton import has_triton

from tedigan.errors import ParamsError
from tedigan.generator.cuda_graph import CapturedSynthesis
from tedigan.generator.fast_synthesis import FastSynthesis, PixelError, measure_error
from tedigan.generator.ops import Precision
from tedigan.generator.stylegan import Generator
from tedigan.generator.stylegan2 import Synthesis
from tedigan.progress import note
from tedigan.tensors import sample_z

# What each precision may differ from the network in fp32: the unit of PixelError, and how much of it.
GATES: dict[Precision, tuple[str, float]] = {
    "fp32": ("max_abs", 1e-3),
    "fp16": ("mean_levels", 0.5),
    "bf16": ("mean_levels", 2.0),
}
PROBE_SEED, PROBE_PSI = 0, 0.7


@dataclass(frozen=True)
class Engine:
    """synthesise: ws -> images, called as `Synthesis` is. error: against the network itself on probe faces."""

    synthesise: Callable[..., Tensor]
    precision: Precision
    compiled: bool
    captured: bool
    error: PixelError

    def record(self) -> dict[str, Any]:
        """What a recipe says of it: the same recipe on another machine may choose another engine."""
        return {
            "precision": self.precision,
            "compiled": self.compiled,
            "cuda_graph": self.captured,
            "mean_error_levels": round(self.error.mean_levels, 4),
        }


def choose_engine(
    generator: Generator,
    *,
    precision: Literal["auto", "fp32", "bf16", "fp16"],
    compilation: Literal["auto", "never"],
    batch_size: int,
) -> Engine:
    """The fastest engine of that precision which this machine has and whose error passes its gate.

    precision: auto takes fp16 on a GPU, bf16 on a CPU that multiplies it natively, else fp32, and falls
    back to fp32 where the gate says no. Raises ParamsError for a precision that was named and does not pass.
    """
    device = generator.mapping.w_avg.device
    if not isinstance(generator.synthesis, Synthesis):
        return _plain(generator, precision)
    wanted = _fastest(device) if precision == "auto" else precision
    if wanted == "fp16" and device.type == "cpu":
        raise ParamsError(
            "generate.precision is fp16, which CPUs emulate slowly; expected fp32, bf16 or auto there. "
            "Set it, or run on a GPU."
        )
    compiled = compilation == "auto" and has_compiler(device)
    engine = _build(generator, wanted, compiled=compiled, batch_size=batch_size)
    if not _passes(engine) and precision == "auto" and wanted != "fp32":
        note(f"{_failing(engine)}; fp32 is tried.")
        engine = _build(generator, "fp32", compiled=compiled, batch_size=batch_size)
    if not _passes(engine):
        is_last = engine.precision == "fp32"
        advice = "Run `tedigan models verify`." if is_last else "Set generate.precision to fp32."
        raise ParamsError(f"{_failing(engine)}. {advice}")
    return engine


def _failing(engine: Engine) -> str:
    unit, most = GATES[engine.precision]
    return (
        f"{engine.precision} draws other faces than this generator's network: {unit} "
        f"{getattr(engine.error, unit):.3g}, expected at most {most:g}"
    )


def has_compiler(device: torch.device) -> bool:
    """Whether torch.compile can build kernels here: a C++ compiler, or Triton for a GPU."""
    if device.type == "cuda":
        return has_triton()
    return any(shutil.which(name) for name in ("g++", "clang++"))


def _fastest(device: torch.device) -> Precision:
    if device.type == "cuda":
        return "fp16"
    is_native = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if is_native else "fp32"


def _build(
    generator: Generator, precision: Precision, *, compiled: bool, batch_size: int
) -> Engine:
    assert isinstance(generator.synthesis, Synthesis), "StyleGAN1 has one engine, its network"
    fast = FastSynthesis(generator.synthesis, precision=precision, compiled=compiled)
    captured = fast.device.type == "cuda"
    synthesise = CapturedSynthesis(fast, batch_size) if captured else fast
    error = measure_error(synthesise, generator.synthesis, _probe(generator, batch_size))
    return Engine(synthesise, precision, compiled, captured, error)


def _probe(generator: Generator, batch_size: int) -> Tensor:
    """Codes of as many ordinary faces as the engine takes at once."""
    z = sample_z(PROBE_SEED, list(range(batch_size)), generator.config.z_dim)
    z = z.to(generator.mapping.w_avg.device)
    with torch.no_grad():
        return generator.ws_of(z, truncation_psi=PROBE_PSI)


def _passes(engine: Engine) -> bool:
    unit, most = GATES[engine.precision]
    error: float = getattr(engine.error, unit)
    is_number = math.isfinite(engine.error.max_abs)  # a NaN is black in both, and no level off
    return is_number and error <= most


def _plain(generator: Generator, precision: str) -> Engine:
    if precision not in {"auto", "fp32"}:
        raise ParamsError(
            f"generate.precision is {precision}, but a {generator.config.architecture} runs in fp32 only. "
            "Set it to fp32."
        )
    return Engine(generator.synthesis, "fp32", False, False, PixelError(0.0, 0.0, 0.0))
