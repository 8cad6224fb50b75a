"""DF-GAN (arXiv:2008.05865), as its authors rewrote it in 2022: one generator, one discriminator, one loss.

A sentence scales and shifts the generator's maps twice before each convolution. D judges a picture and a sentence
together, and its gradient at real matching pairs is held small (the matching-aware gradient penalty).

Beyond the size, this departs from the paper in three things, which are equal for all rivals here: G is averaged,
wrong captions are false of their photograph, and photographs are mirrored without being cropped.
"""

import copy
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from tedigan.rivals.rival import SIZE_PX, TEXT_DIM, EncodedText, Rival, RivalBatch
from tedigan.training.adversarial import resting
from tedigan.training.ranks import descend

FIRST_PX, MOST = 4, 8  # px of the first maps; times nf are the widest
SLOPE = 0.2
PENALTY_WEIGHT, PENALTY_POWER = 2.0, 6
RATE_G, RATE_D, ADAM = 1e-4, 4e-4, (0.0, 0.9)


def widths(nf: int) -> list[int]:
    """Channels at 64, 32, 16, 8 and 4 px."""
    num = (SIZE_PX // FIRST_PX).bit_length()
    return [nf * min(2**level, MOST) for level in range(num)]


class Affine(nn.Module):
    """Maps scaled and shifted a channel by a condition; at first not at all."""

    def __init__(self, condition_dim: int, channels: int) -> None:
        super().__init__()
        self.scale, self.shift = (
            nn.Sequential(
                nn.Linear(condition_dim, channels), nn.ReLU(), nn.Linear(channels, channels)
            )
            for _ in range(2)
        )
        for part, value in ((self.scale, 1.0), (self.shift, 0.0)):
            last = part[2]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.constant_(last.bias, value)

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n c h w"]:
        """The condition is of one picture."""
        scale, shift = self.scale(condition), self.shift(condition)
        return x * scale[:, :, None, None] + shift[:, :, None, None]


class UpBlock(nn.Module):
    """Twice the size; two convolutions, each behind two affine layers; beside them a shortcut."""

    def __init__(self, condition_dim: int, c_in: int, c_out: int) -> None:
        super().__init__()
        self.affines = nn.ModuleList(
            Affine(condition_dim, width) for width in (c_in, c_in, c_out, c_out)
        )
        self.conv0, self.conv1 = nn.Conv2d(c_in, c_out, 3, 1, 1), nn.Conv2d(c_out, c_out, 3, 1, 1)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(
        self, x: Float[Tensor, "n c h w"], condition: Float[Tensor, "n k"]
    ) -> Float[Tensor, "n d height width"]:
        """Nearest neighbours, doubled."""
        x = F.interpolate(x, scale_factor=2)
        y = self.conv0(self._fused(x, condition, 0))
        y = self.conv1(self._fused(y, condition, 2))
        return self.shortcut(x) + y

    def _fused(self, x: Tensor, condition: Tensor, first: int) -> Tensor:
        for affine in self.affines[first : first + 2]:
            x = F.leaky_relu(affine(x, condition), SLOPE)
        return x


class DfGenerator(nn.Module):
    """Noise and a sentence -> a picture in -1..1; both are the affine layers' condition."""

    def __init__(self, nf: int, z_dim: int) -> None:
        super().__init__()
        sizes = widths(nf)[::-1]
        self.first = nn.Linear(z_dim, sizes[0] * FIRST_PX**2)
        self.blocks = nn.ModuleList(
            UpBlock(z_dim + TEXT_DIM, c_in, c_out) for c_in, c_out in pairwise(sizes)
        )
        self.to_image = nn.Conv2d(sizes[-1], 3, 3, 1, 1)

    def forward(
        self, z: Float[Tensor, "n z_dim"], sentence: Float[Tensor, "n 256"]
    ) -> Float[Tensor, "n 3 64 64"]:
        """See the class."""
        condition = torch.cat([z, sentence], dim=1)
        x = self.first(z).unflatten(1, (-1, FIRST_PX, FIRST_PX))
        for block in self.blocks:
            x = block(x, condition)
        return torch.tanh(self.to_image(F.leaky_relu(x, SLOPE)))


class DownBlock(nn.Module):
    """Half the size: shortcut + gamma residual, where gamma is learnt from 0."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(c_in, c_out, 4, 2, 1, bias=False)
        self.conv1 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d height width"]:
        """See the class."""
        residual = F.leaky_relu(self.conv0(x), SLOPE)
        residual = F.leaky_relu(self.conv1(residual), SLOPE)
        return F.avg_pool2d(self.shortcut(x), 2) + self.gamma * residual


class DfDiscriminator(nn.Module):
    """Pictures -> maps of 4 px, and these with a sentence -> one number each, larger for real and matching."""

    def __init__(self, nf: int) -> None:
        super().__init__()
        sizes = widths(nf)
        self.from_image = nn.Conv2d(3, nf, 3, 1, 1)
        self.blocks = nn.ModuleList(DownBlock(c_in, c_out) for c_in, c_out in pairwise(sizes))
        self.joint = nn.Conv2d(sizes[-1] + TEXT_DIM, 2 * nf, 3, 1, 1, bias=False)
        self.to_logit = nn.Conv2d(2 * nf, 1, FIRST_PX, bias=False)

    def look(self, images: Float[Tensor, "n 3 64 64"]) -> Float[Tensor, "n c 4 4"]:
        """What is judged of a picture, whatever its sentence."""
        x = self.from_image(images)
        for block in self.blocks:
            x = block(x)
        return x

    def judge(
        self, seen: Float[Tensor, "n c 4 4"], sentence: Float[Tensor, "n 256"]
    ) -> Float[Tensor, " n"]:
        """Logits of pairs."""
        tiled = sentence[:, :, None, None].expand(-1, -1, FIRST_PX, FIRST_PX)
        joint = F.leaky_relu(self.joint(torch.cat([seen, tiled], dim=1)), SLOPE)
        return self.to_logit(joint).flatten()


class DfGan(Rival):
    """Both networks, the average of G, and their optimisers."""

    name: ClassVar[str] = "dfgan"

    def __init__(self, *, nf: int = 32) -> None:
        super().__init__()
        self.nf = nf
        self.G, self.D = DfGenerator(nf, self.z_dim), DfDiscriminator(nf)
        self.G_ema = copy.deepcopy(self.G).eval().requires_grad_(False)
        self.G_optimiser = torch.optim.Adam(self.G.parameters(), lr=RATE_G, betas=ADAM)
        self.D_optimiser = torch.optim.Adam(self.D.parameters(), lr=RATE_D, betas=ADAM)

    @classmethod
    def from_json(
        cls,
        numbers: Mapping[str, Any],
        image_encoder: nn.Module | None = None,  # noqa: ARG003  (no loss looks with it)
    ) -> "DfGan":
        """numbers: nf, the narrowest width, 32 in the authors' smaller setting."""
        return cls(**numbers)

    def to_json(self) -> dict[str, Any]:
        """See `from_json`."""
        return {"nf": self.nf}

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        names = ("G", "D", "G_ema", "G_optimiser", "D_optimiser")
        return {name: getattr(self, name) for name in names}

    def draw(
        self,
        text: EncodedText,
        z: Float[Tensor, "n z_dim"],
        photographs: Float[Tensor, "n 3 64 64"] | None = None,  # noqa: ARG002  (of editors)
    ) -> Float[Tensor, "n 3 64 64"]:
        """Faces of sentences; without a normalisation over batches, each as if it were alone."""
        with torch.no_grad():
            return self.G_ema(z, text.sentence)

    def step(self, batch: RivalBatch, rng: torch.Generator) -> dict[str, Tensor]:
        """D by the hinge loss and the penalty in one step, then G on the same pictures."""
        n, sentence = len(batch.photographs), batch.text.sentence
        z = torch.randn(n, self.z_dim, generator=rng, device=sentence.device)
        images = self.G(z, sentence)
        loss_d, penalty = self._judged(batch, images.detach())
        descend(self.D_optimiser, loss_d + PENALTY_WEIGHT * penalty)
        with resting(self.D):
            loss_g = -self.D.judge(self.D.look(images), sentence).mean()
            descend(self.G_optimiser, loss_g)
        self.average()
        losses = {"loss_g": loss_g, "loss_d": loss_d, "penalty": penalty}
        return {name: loss.detach() for name, loss in losses.items()}

    def _judged(
        self, batch: RivalBatch, images: Float[Tensor, "n 3 64 64"]
    ) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
        """Hinge loss of real, drawn and mismatched pairs, and the penalty on the real ones."""
        photographs = batch.photographs.detach().requires_grad_(True)
        sentence = batch.text.sentence.detach().requires_grad_(True)
        wrong, is_wrong = batch.wrong()
        seen = self.D.look(photographs)
        real = self.D.judge(seen, sentence)
        mismatched = F.relu(1 + self.D.judge(seen, wrong.sentence)) * is_wrong
        drawn = F.relu(1 + self.D.judge(self.D.look(images), batch.text.sentence)).mean()
        mismatched = mismatched.sum() / is_wrong.sum().clamp_min(1)
        loss = F.relu(1 - real).mean() + (drawn + mismatched) / 2
        return loss, gradient_penalty(real, photographs, sentence)


def gradient_penalty(
    logits: Float[Tensor, " n"],
    photographs: Float[Tensor, "n 3 64 64"],
    sentence: Float[Tensor, "n 256"],
) -> Float[Tensor, ""]:
    """Matching-aware gradient penalty, arXiv:2008.05865, section 3.3, without its weight k = 2.

        mean (|grad_x D(x, s)|_2 + |grad_s D(x, s)|_2)^6      the code has one norm for both; so have we

    Always of float32, whatever precision the rest has: the sixth power leaves float16's range.
    """
    gradients = torch.autograd.grad(logits.sum(), (photographs, sentence), create_graph=True)
    squares = sum(one.float().flatten(1).square().sum(dim=1) for one in gradients)
    assert isinstance(squares, Tensor)
    return (squares ** (PENALTY_POWER // 2)).mean()
