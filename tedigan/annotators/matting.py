"""Matting: an ONNX network that says for each pixel how much of it is the foreground.

The networks are those that rembg distributes (U2-Net, ISNet, BiRefNet); which one a file is, its name says.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional

from tedigan.annotators.onnx_network import OnnxNetwork
from tedigan.errors import DataError, WeightsError

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CENTRED = (0.5, 0.5, 0.5), (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Family:
    """What a network was trained on: its input's side, colour mean and deviation, and its last function."""

    side_px: int
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    ends_in_logits: bool = False


FAMILIES = {
    "u2net": Family(320, *_IMAGENET),
    "silueta": Family(320, *_IMAGENET),
    "isnet": Family(1024, *_CENTRED),
    "birefnet": Family(1024, *_IMAGENET, ends_in_logits=True),
}


@dataclass(frozen=True)
class Matting:
    """A matting network, ready for photographs of any size."""

    network: OnnxNetwork
    family: Family

    @classmethod
    def open(cls, path: Path) -> "Matting":
        """The network of a file such as u2net_human_seg.onnx; its name begins with its family's."""
        families = [family for name, family in FAMILIES.items() if path.name.startswith(name)]
        if not families or path.suffix != ".onnx":
            raise WeightsError(
                f"{path.name} is of no family known here; expected an .onnx file whose name begins with "
                f"{', '.join(FAMILIES)}, as rembg names them. Name it after what it is."
            )
        return cls(OnnxNetwork(path), families[0])

    @property
    def origin(self) -> str:
        """For a data set's table of origins."""
        return f"predicted by {self.network.origin}"

    def alpha(self, pixels: UInt8[Tensor, "3 h w"]) -> Float[Tensor, "h w"]:
        """How much of each pixel is foreground, 0..1, stretched so that both are reached."""
        side = self.network.input_side_px or self.family.side_px
        small = functional.interpolate(pixels[None], (side, side), mode="bilinear", antialias=True)
        colours = small.float() / max(float(small.max()), 1.0)  # the brightest is 1, as in training
        mean, deviation = (
            torch.tensor(values)[:, None, None]
            for values in (self.family.mean, self.family.deviation)
        )
        answer = torch.from_numpy(self.network(((colours - mean) / deviation).numpy()))[:, :1]
        if self.family.ends_in_logits:
            answer = answer.sigmoid()
        low, high = float(answer.min()), float(answer.max())
        if not high - low > 1e-6:
            raise DataError(
                f"{self.network.path.name} sees no difference between foreground and background (all is "
                f"{low:.3g}). Is the photograph of one colour? Remove it, or give a label map.",
                problem="nothing to cut",
            )
        size = pixels.shape[1:]
        alpha = functional.interpolate(
            (answer - low) / (high - low), size, mode="bilinear", antialias=True
        )
        return alpha.clamp(0, 1)[0, 0]
