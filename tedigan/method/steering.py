"""Steering: a code moves until the latent tagger reads what the text names, and holds what it does not.

    min_d  sum_named (goal - m(u + d))_+^2  +  a sum_unnamed (1 - |r|) (m(u + d) - m(u))^2
           + b |d|^2  +  c (|u + d|^2 - |u|^2)_+^2

u is the whitened code, d one shift for the layers of the named attributes, m the margins, and |r| an attribute's
correlation with the named ones: who grows a beard may look more like a man. One search serves both tasks; they
differ in where they start. The code stays inside the generator's distribution, so that pictures stay good.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.encoders.latent_tagger import LatentTagger
from tedigan.method.control import goals, layers_of
from tedigan.tensors import stream

NOISE = (
    0.3  # on u while searching, in its deviations: what only a point has, the search does not find
)


@dataclass(frozen=True)
class SteeringSettings:
    """The numbers of `Steering`.

    margin: how far beyond the guide's threshold a named attribute goes, in deviations over random faces.
    num_search_steps: of Adam, at search_rate in deviations of W. weight_unnamed, weight_distance, weight_norm:
    a, b, c above.
    """

    margin: float
    num_search_steps: int
    search_rate: float
    weight_unnamed: float
    weight_distance: float
    weight_norm: float


@dataclass(frozen=True)
class Steering:
    """A latent tagger, the layers of its attributes `[k, num_ws]`, and the numbers of the search."""

    tagger: LatentTagger
    attribute_layers: Bool[Tensor, "k num_ws"]
    settings: SteeringSettings

    def steer(
        self,
        ws: Float[Tensor, "n num_ws w_dim"],
        wishes: Float[Tensor, "n k"],
        *,
        strength: float | Float[Tensor, " n"] = 1.0,
    ) -> Float[Tensor, "n num_ws w_dim"]:
        """Codes moved to what is wished of each (1, -1, or 0 = nothing said), by strength in -3..3.

        Codes do not influence each other; one that has what it shall have stays. See `control.goals`.
        """
        device = ws.device
        wishes = wishes.to(device)
        amount = torch.as_tensor(strength, dtype=ws.dtype, device=device).expand(len(ws))
        with torch.no_grad():
            us = self.tagger.whitening.whiten(ws)
            present = self.tagger.margins(us)
            goal = goals(present, wishes, amount, margin=self.settings.margin)
        layers = layers_of(wishes, self.attribute_layers)
        shift = self._search(us, present, goal, wishes, layers)
        return ws + shift @ self.tagger.whitening.to_w

    def _search(
        self, us: Tensor, present: Tensor, goal: Tensor, wishes: Tensor, layers: Tensor
    ) -> Float[Tensor, "n num_ws num_axes"]:
        settings, rng = self.settings, stream("steering")
        shift = torch.zeros_like(us[:, :1]).requires_grad_(True)
        optimiser = torch.optim.Adam([shift], lr=settings.search_rate)
        side = (goal - present).sign()
        named, norm = (wishes != 0).float(), us.square().mean(dim=[1, 2]).clamp_min(1)
        unnamed = (1 - named) * (1 - self._correlation_with(named))
        for step in range(settings.num_search_steps):
            moved = us + shift * layers
            noise = NOISE * torch.randn(1, 1, us.shape[2], generator=rng).to(us.device)
            found = self.tagger.margins(moved + noise, member=step)
            missing = (named * F.relu(side * (goal - found)).square()).sum(dim=1)
            drift = (unnamed * (found - present).square()).sum(dim=1)
            length = shift.square().sum(dim=[1, 2])
            excess = us.shape[2] * F.relu(moved.square().mean(dim=[1, 2]) - norm).square()
            loss = missing + settings.weight_unnamed * drift
            loss = loss + settings.weight_distance * length + settings.weight_norm * excess
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimiser.step()
        return shift.detach() * layers

    def _correlation_with(self, named: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        """Each attribute's largest correlation with a named one."""
        found: Tensor = (self.tagger.correlation.abs() * named[:, :, None]).amax(dim=1)
        return found
