"""A parity case: the same filled weights through a peer's own network and through ours.

`python -m tests.parity.record CASE --peer PATH` runs the peer once and keeps what it gave, sampled, in
`fixtures/<case>.safetensors`; the tests run ours and compare.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.parity.filling import fill_shapes, unit_values

FIXTURES = Path(__file__).parent / "fixtures"
NUM_POSITIONS, NUM_TILES = 8192, 32
PSI, CUTOFF = 0.7, 8
Z = unit_values("z", [1, 512])

Shapes = dict[str, dict[str, list[int]]]  # section of the foreign file -> name -> shape
Outputs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Case:
    """official: run with the peer importable; gives the shapes of its tensors and its outputs.

    ours: the same outputs from a foreign file of such shapes; the path is an empty folder to write it to.
    """

    name: str
    peer: str
    official: Callable[[], tuple[Shapes, Outputs]]
    ours: Callable[[Shapes, Path], Outputs]

    @property
    def path(self) -> Path:
        """The fixture."""
        return FIXTURES / f"{self.name}.safetensors"

    def record(self, commit: str) -> Outputs:
        """Write the fixture; the outputs in full."""
        shapes, outputs = self.official()
        about = {"shapes": json.dumps(shapes), "peer": self.peer, "commit": commit}
        kept = {name: sampled(output).contiguous() for name, output in outputs.items()}
        save_file(kept, self.path, metadata=about)
        self.path.chmod(0o644)
        return outputs

    def largest_error(self, folder: Path) -> float:
        """Of all sampled outputs, against the fixture."""
        outputs = self.ours(self.shapes(), folder)
        for file in folder.iterdir():
            file.unlink()  # up to 0.6 GB, which pytest would keep
        with safe_open(self.path, "pt") as file:
            assert outputs.keys() == set(file.keys()), "a case gives the same outputs on both sides"
            expected = {name: file.get_tensor(name) for name in file.keys()}
        return max(
            (sampled(output) - expected[name]).abs().max().item()
            for name, output in outputs.items()
        )

    def shapes(self) -> Shapes:
        """Of the foreign file's tensors, as recorded."""
        with safe_open(self.path, "pt") as file:
            shapes: Shapes = json.loads(file.metadata()["shapes"])
        return shapes


def sampled(output: Tensor) -> Tensor:
    """Images: 8192 positions drawn once for all, then the means of 32 x 32 tiles. Others: as they are."""
    output = output.detach()
    if output.ndim != 4 or output.numel() <= NUM_POSITIONS:
        return output
    positions = np.random.RandomState(0).randint(0, output.numel(), NUM_POSITIONS)
    tiles = torch.nn.functional.adaptive_avg_pool2d(output, NUM_TILES)
    return torch.cat([output.flatten()[torch.from_numpy(positions)], tiles.flatten()])


def shapes_of(tensors: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """One section of `Shapes`, from a network's state_dict."""
    return {name: list(tensor.shape) for name, tensor in tensors.items()}


def filled(network: nn.Module) -> nn.Module:
    """The same network with the procedure's weights, for inference."""
    network.load_state_dict(fill_shapes(shapes_of(network.state_dict())))
    return network.eval().requires_grad_(False)
