"""Which layers of a generator draw which attribute: gain and leak of each, judged in pictures by the guide.

On random faces a shift is searched that turns an attribute over on all layers at once; then it is made on one
layer alone. *Gain* is by how far the attribute's margin moves where it should, *leak* by how far the others'
move, each weighed by 1 - |its correlation|. Both are in deviations of the guide's logits over the generator's
faces. A layer acts on an attribute where the 95 % interval of its gain over the faces lies above MIN_GAIN: an
absolute test, so that an attribute that this generator cannot draw has no layer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.method.steering import Steering
from tedigan.tensors import stream

MIN_GAIN = 0.05  # deviations
NUM_DRAWS = 500


@dataclass(frozen=True)
class LayerTable:
    """A row an attribute, a column a layer: means over the faces, and the gain's 95 % interval."""

    names: tuple[str, ...]
    gain: Float[Tensor, "k num_ws"]
    gain_low: Float[Tensor, "k num_ws"]
    gain_high: Float[Tensor, "k num_ws"]
    leak: Float[Tensor, "k num_ws"]

    @property
    def acts(self) -> Bool[Tensor, "k num_ws"]:
        """Where a layer acts on an attribute."""
        return self.gain_low > MIN_GAIN

    @property
    def used(self) -> Bool[Tensor, "k num_ws"]:
        """The layers that control moves: those that act; all of them for what the generator cannot draw."""
        return self.acts | ~self.acts.any(dim=1, keepdim=True)


def analyse_layers(
    steering: Steering, ws: Float[Tensor, "n num_ws w_dim"], *, batch_size: int
) -> Iterator[tuple[Float[Tensor, "n num_ws"], Float[Tensor, "n num_ws"]]]:
    """Gain and leak of each face and layer, one attribute after the other.

    ws: of random faces. The steering's own layers do not matter: shifts are searched on all of them.
    """
    tagger = steering.tagger
    everywhere = replace(steering, attribute_layers=torch.ones_like(steering.attribute_layers))
    before = _seen(steering, ws, batch_size)
    for column in range(len(tagger.names)):
        wishes = torch.zeros_like(before)
        wishes[:, column] = -before[:, column].sign()
        shift = everywhere.steer(ws, wishes) - ws
        others = 1 - tagger.correlation[column].abs()
        others[column] = 0
        gains, leaks = [], []
        for layer in range(ws.shape[1]):
            moved = ws.clone()
            moved[:, layer] += shift[:, layer]
            change = _seen(steering, moved, batch_size) - before
            gains.append(change[:, column] * wishes[:, column])
            leaks.append((change.abs() * others).sum(dim=1) / others.sum().clamp_min(1e-6))
        yield torch.stack(gains, dim=1), torch.stack(leaks, dim=1)


def layer_table(
    names: tuple[str, ...],
    found: list[tuple[Float[Tensor, "n num_ws"], Float[Tensor, "n num_ws"]]],
    *,
    seed: int,
) -> LayerTable:
    """Means over the faces, with bootstrap intervals."""
    gains, leaks = (torch.stack(part) for part in zip(*found, strict=True))
    n = gains.shape[1]
    draws = torch.randint(n, (NUM_DRAWS, n), generator=stream(seed, "layers")).to(gains.device)
    means = torch.stack([gains[:, rows].mean(dim=1) for rows in draws])
    low, high = (means.quantile(share, dim=0) for share in (0.025, 0.975))
    return LayerTable(names, gains.mean(dim=1), low, high, leaks.mean(dim=1))


@torch.no_grad()
def _seen(steering: Steering, ws: Tensor, batch_size: int) -> Float[Tensor, "n k"]:
    """What the guide sees in the faces of codes, in margins."""
    seen = []
    for part in ws.split(batch_size):
        images = steering.generator.synthesis(part, noise_mode="const").clamp(-1, 1)
        seen.append(steering.look(images, None) / steering.tagger.deviation)
    return torch.cat(seen)
