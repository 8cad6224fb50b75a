"""A discriminator on frozen ImageNet features, beside the usual one: what saves most of a training's images.

The features of several depths are mixed by random convolutions, from coarse to fine, so that no depth can be
ignored, and each mix has a small head of its own (Projected GANs, Sauer et al., arXiv:2111.01007). The usual
discriminator goes on beside it, as in vision-aided GANs (Kumari et al., arXiv:2112.09130): it sees the finest
detail, which the features do not. The features are EfficientNet-Lite1's; no distance and no referee here looks
through that network, so that none judges what it has taught.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from tedigan.annotators.trunk import Trunk
from tedigan.training.diff_augment import diff_augment

# Blocks of EfficientNet-Lite1 whose maps are seen, and their channels: 1, 1/2, 1/4, 1/8 and 1/16 of half the size.
TAPPED = {0: 16, 3: 24, 6: 40, 14: 112, 20: 320}
CHANNELS = 64
AUGMENT = "color,translation"  # small data sets are learnt by heart from features even sooner
LEAST_PX = 64  # what the trunk looks at; smaller pictures are enlarged
MOST_PX = 256
GRID = 4  # cells a side that a head judges


class FeatureDiscriminator(nn.Module):
    """images `[n, 3, r, r]` in -1..1 -> for each depth logits `[n, m]`, one for each cell; > 0 means photograph.

    Its state holds the random mixes, the heads and the maps' deviations; the frozen trunk is not part of it.
    """

    deviations: Tensor

    def __init__(self, trunk: Trunk, resolution: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.input_px = min(max(resolution, LEAST_PX), MOST_PX)
        self.across = nn.ModuleList(_random(count, 1) for count in TAPPED.values())
        self.down = nn.ModuleList(_random(CHANNELS, 3) for _ in list(TAPPED)[:-1])
        sizes = [self.input_px // 2 // 2**depth for depth in range(len(TAPPED))]
        self.heads = nn.ModuleList(_head(size) for size in sizes)
        self.register_buffer("deviations", torch.ones(len(TAPPED)))

    @torch.no_grad()
    def scale_to(self, photographs: Float[Tensor, "n 3 r r"]) -> None:
        """Take the maps' deviations from these, so that every depth weighs alike."""
        self.deviations.copy_(torch.stack([one.std() for one in self.maps(photographs)]))

    def maps(self, images: Float[Tensor, "n 3 r r"]) -> list[Tensor]:
        """The trunk's maps `[n, c, h, w]`, from fine to coarse."""
        if images.shape[-1] != self.input_px:
            size = (self.input_px, self.input_px)
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True)
        return self.trunk.maps(images, TAPPED)

    def judge(self, maps: list[Tensor]) -> list[Tensor]:
        """Each head's logits `[n, m]` for its mix, from coarse to fine."""
        mixed: Tensor | None = None
        found = []
        for depth in reversed(range(len(maps))):
            across = self.across[depth](maps[depth] / self.deviations[depth])
            if mixed is not None:
                coarse = F.interpolate(mixed, size=across.shape[-2:], mode="bilinear")
                across = self.down[depth]((across + coarse) * math.sqrt(0.5))
            mixed = across
            found.append(self.heads[depth](mixed).flatten(1))
        return found

    def generator_loss(
        self, images: Float[Tensor, "n 3 r r"], rng: torch.Generator
    ) -> Float[Tensor, ""]:
        """What G minimises: minus the logits, summed over the depths."""
        found = self.judge(self.maps(_changed(images, rng)))
        return -torch.stack([logits.mean() for logits in found]).sum()

    def loss(
        self,
        photographs: Float[Tensor, "n 3 r r"],
        images: Float[Tensor, "m 3 r r"],
        rng: torch.Generator,
    ) -> Float[Tensor, ""]:
        """What the heads minimise: the hinge, summed over the depths."""
        with torch.no_grad():
            real, fake = self.maps(_changed(photographs, rng)), self.maps(_changed(images, rng))
        wrong = [F.relu(1 - logits).mean() for logits in self.judge(real)]
        wrong += [F.relu(1 + logits).mean() for logits in self.judge(fake)]
        return torch.stack(wrong).sum()


def _changed(images: Tensor, rng: torch.Generator) -> Tensor:
    return diff_augment(images, rng, policy=AUGMENT)


def _random(in_channels: int, size: int) -> nn.Conv2d:
    """A convolution that stays as it was drawn."""
    conv = nn.Conv2d(in_channels, CHANNELS, size, padding=size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    return conv.requires_grad_(False)


def _head(size: int) -> nn.Sequential:
    """Halves the map until `GRID` cells a side are left (a smaller one stays), then judges each."""
    layers: list[nn.Module] = []
    while size > GRID:
        layers += [spectral_norm(nn.Conv2d(CHANNELS, CHANNELS, 4, stride=2, padding=1))]
        layers += [nn.LeakyReLU(0.2)]
        size //= 2
    layers += [spectral_norm(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(CHANNELS, 1, 1)))
