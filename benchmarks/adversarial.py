"""One G and one D step that any pair of networks can be put through. No project code."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class Pair:
    """draw(z) -> images, judge(images) -> logits, over the parameters of G and D."""

    G: nn.Module
    D: nn.Module
    draw: Callable[[Tensor], Tensor]
    judge: Callable[[Tensor], Tensor]

    def __post_init__(self) -> None:
        self.optimisers = [
            torch.optim.Adam(net.parameters(), lr=0.002, betas=(0.0, 0.99))
            for net in (self.G, self.D)
        ]

    def step(self, z: Tensor, photographs: Tensor, *, r1_gamma: float = 1.0) -> None:
        """Non-saturating loss for G; logistic loss and, with r1_gamma > 0, R1 for D."""
        for_g, for_d = self.optimisers
        self.D.requires_grad_(False)
        for_g.zero_grad(set_to_none=True)
        F.softplus(-self.judge(self.draw(z))).mean().backward()
        for_g.step()
        self.D.requires_grad_(True)
        for_d.zero_grad(set_to_none=True)
        with torch.no_grad():
            images = self.draw(z)
        F.softplus(self.judge(images)).mean().backward()
        real = photographs.detach().requires_grad_(r1_gamma > 0)
        logits = self.judge(real)
        loss = F.softplus(-logits).mean()
        if r1_gamma > 0:
            (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
            loss = loss + gradient.square().sum(dim=[1, 2, 3]).mean() * r1_gamma / 2
        loss.backward()
        for_d.step()
