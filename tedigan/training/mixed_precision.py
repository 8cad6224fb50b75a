"""Mixed precision: the highest resolutions of G and D in bf16 or fp16, everything else in fp32.

As NVIDIA trains StyleGAN2 (stylegan2-ada-pytorch, `num_fp16_res`): activations and convolutions of the highest
resolutions are short, and bounded by `conv_clamp`; the picture that they add up to, D's last block, weights,
optimisers and G_ema are in fp32. Unlike there, R1 and path lengths are in fp32 too, and losses in fp16 are scaled,
so that small gradients do not vanish. What rounding does to the gradients is measured before the first step.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.errors import NumbersError, ParamsError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.ops import DTYPES, CastingLayer, Precision
from tedigan.generator.stylegan2 import Synthesis

LEAST_SCALE = 2.0**-10  # of a loss in fp16, which begins at 2^16 and is halved by each overflow
GATE = 1.0  # of what other faces make of a gradient: what rounding may

Lowered = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class MixedPrecision:
    """num_fp16_res: for how many of the highest resolutions `precision` holds (NVIDIA's name; for bf16 too)."""

    precision: Precision
    num_fp16_res: int

    @contextmanager
    def lowered(self, *networks: Synthesis | Discriminator) -> Iterator[None]:
        """Within it, what these compute is computed so; outside, backward passes and gradients are as before."""
        layers = [layer for network in networks for layer in self._layers(network)]
        for layer in layers:
            layer.dtype = DTYPES[self.precision]
        try:
            yield
        finally:
            for layer in layers:
                layer.dtype = None

    def scaler(self, device: torch.device) -> torch.amp.GradScaler:
        """The loss scaling of an optimiser; it does nothing but in fp16."""
        return torch.amp.GradScaler(device.type, enabled=self.precision == "fp16")

    def _layers(self, network: Synthesis | Discriminator) -> list[CastingLayer]:
        if self.precision == "fp32":
            return []
        resolutions = network.config.block_resolutions[-self.num_fp16_res :]
        blocks = [network.get_submodule(f"b{one}") for one in resolutions if one > 4]
        return [
            layer
            for block in blocks
            for layer in block.modules()
            if isinstance(layer, CastingLayer)
        ]


def check_device(precision: Precision, device: torch.device, clamps: list[float | None]) -> None:
    """ParamsError for a precision that does not train on the device, or nets of these conv_clamps."""
    if precision == "fp16" and device.type == "cpu":
        raise ParamsError(
            "train_generator.precision is fp16, which CPUs emulate slowly; expected fp32 or bf16 there. Set it, "
            "or train on a GPU."
        )
    if precision == "fp16" and None in clamps:
        raise ParamsError(
            "train_generator.precision is fp16, which ends at 65,504, and nothing bounds what this generator's "
            "layers give; expected a conv_clamp, such as NVIDIA's 256. Set train_generator.conv_clamp for a new "
            "generator; of one that is trained already, take bf16."
        )
    if precision == "bf16" and device.type == "cuda" and not _has_bf16(device):
        raise ParamsError(
            f"train_generator.precision is bf16, which {torch.cuda.get_device_name(device)} lacks; expected fp32 "
            "or fp16 there. Set it."
        )


def _has_bf16(device: torch.device) -> bool:
    with torch.cuda.device(device):
        return torch.cuda.is_bf16_supported(including_emulation=False)


def rounding(
    network: nn.Module, loss: Callable[[int], Float[Tensor, ""]], lowered: Lowered
) -> float:
    """How far rounding moves the gradient of a loss, beside how far other faces do.

        |g'_0 - g_0| / (|g_0 - g_1| / sqrt 2)

    loss: of the faces 0 or 1. g' is the gradient within `lowered()`.
    """
    exact, other = (_gradient(network, loss(which)) for which in (0, 1))
    with lowered():
        found = _gradient(network, loss(0))
    by_chance = (exact - other).norm() / 2**0.5
    return ((found - exact).norm() / by_chance.clamp_min(1e-12)).item()


def check_rounding(precision: Precision, found: Mapping[str, float]) -> None:
    """found: `rounding` of each network's gradient. ParamsError where one is above the gate, or no number."""
    for name, share in found.items():
        if not share <= GATE:
            raise ParamsError(
                f"in {precision} rounding moves the gradient of {name} by {share:.3g} of what other faces do, "
                f"expected at most {GATE:g}. Set train_generator.num_fp16_res to fewer resolutions, or its "
                "precision to fp32."
            )


def scales_of(scalers: Mapping[str, torch.amp.GradScaler]) -> dict[str, float]:
    """The loss scales of fp16, for the log. NumbersError for one that fell so far that no gradient was finite."""
    found = {name: one.get_scale() for name, one in scalers.items() if one.is_enabled()}
    for name, scale in found.items():
        if scale < LEAST_SCALE:
            raise NumbersError(
                f"the gradients of {name} overflow in fp16 however small its loss is made (scale {scale:g}), "
                "expected finite ones. Set train_generator.precision to bf16 or fp32, or num_fp16_res to fewer."
            )
    return {f"scale_{name.lower()}": scale for name, scale in found.items()}


def _gradient(network: nn.Module, loss: Tensor) -> Tensor:
    weights = [one for one in network.parameters() if one.requires_grad]
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return torch.cat([one.flatten() for one in found if one is not None])
