"""A learned simplifier of rough drawings, as an ONNX file (TorchScript and Lua files are programs: not read).

It takes a grey drawing [1, 1, h, w] of 0..1, 1 = paper, with h and w multiples of 8, and gives one of the same
size; the normalisation that its authors trained it with is to be exported as a part of it.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from tedigan.annotators.onnx_network import OnnxNetwork
from tedigan.errors import WeightsError

STEP_PX = 8


@dataclass(frozen=True)
class Simplifier:
    """A simplifying network, ready for drawings of any size: the `simplify` of tedigan.dataset.kinds.sketches."""

    network: OnnxNetwork

    @classmethod
    def open(cls, path: Path) -> "Simplifier":
        """The network of an .onnx file."""
        if path.suffix != ".onnx":
            raise WeightsError(
                f"{path.name} is not read, as such files can hold programs; expected an .onnx file. "
                "Export the simplifier with torch.onnx, its normalisation included."
            )
        return cls(OnnxNetwork(path))

    @property
    def origin(self) -> str:
        """For a data set's table of origins."""
        return f"made from the image, simplified by {self.network.origin}"

    def __call__(self, paper: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h w"]:
        """The drawing with clean strokes."""
        height, width = paper.shape[2:]
        room = (0, -width % STEP_PX, 0, -height % STEP_PX)
        clean = torch.from_numpy(self.network(functional.pad(paper, room, value=1.0).numpy()))
        if clean.shape[1:] != (1, height + room[3], width + room[1]):
            raise WeightsError(
                f"{self.network.path.name} gives {list(clean.shape)} for a drawing of "
                f"{height} x {width} px; expected one grey plane of that size. Is it another network?"
            )
        return clean[:, :, :height, :width].clamp(0, 1)
