"""The latent tagger: codes of many kinds, what the guide says of their faces, and a network that learns it.

Codes: of one z; of two, mixed at a layer; of a z a layer, pulled together by a share that chance draws, as the
codes of photographs are; and photographs' own, moved. A member learns from codes with noise on them, so that it is
smooth where it will be followed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from tedigan.draws import integers, normal
from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.progress import progress
from tedigan.tensors import stream
from tedigan.training import ranks
from tedigan.training.adversarial import mix_styles
from tedigan.training.schedules import set_rate, warm_up_then_cosine

NOISE, LAYER_NOISE = 0.3, 0.15  # deviations of W: alike on all layers, and on each for itself
LEAST_SHARE, LEAST_LENGTH, MOST_LENGTH = 0.1, 0.6, 1.1  # of codes with a z a layer
MOVE = 0.7  # of a photograph's code, in deviations of W
WEIGHT_DECAY = 0.01


@dataclass(frozen=True)
class LatentTaggerSettings:
    """The numbers of `LatentTaggerTrainer`; see params.yaml for their units."""

    num_steps: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Pairs:
    """Whitened codes, and the guide's logits beyond its thresholds for the faces that they draw."""

    us: Float[Tensor, "n num_ws num_axes"]
    logits: Float[Tensor, "n k"]


def new_latent_tagger(
    generator: Generator,
    names: tuple[str, ...],
    *,
    hidden_dim: int,
    num_members: int,
    seed: int,
) -> LatentTagger:
    """One that knows nothing but the generator's W."""
    whitening = whitening_of(generator, stream(seed, "whitening"))
    config = LatentTaggerConfig(
        generator.num_ws, generator.config.w_dim, whitening.num_axes, hidden_dim, num_members, names
    )
    torch.manual_seed(seed)
    tagger = LatentTagger(config)
    tagger.whitening.load_state_dict(whitening.state_dict())
    return tagger.to(generator.mapping.w_avg.device)


def codes_of(
    codes: Mapping[str, Tensor], ids: Sequence[int], device: torch.device
) -> Float[Tensor, "p num_ws w_dim"] | None:
    """The codes of these photographs, of what the stage `invert` wrote; None where there are none."""
    row_of = {id: row for row, id in enumerate(codes["ids"].tolist())}
    return codes["ws"][[row_of[id] for id in ids]].to(device) if ids else None


@torch.no_grad()
def draw_pairs(
    generator: Generator,
    look: Callable[[Tensor, torch.Generator | None], Tensor],
    tagger: LatentTagger,
    photographs: Float[Tensor, "p num_ws w_dim"] | None,
    *,
    num_pairs: int,
    batch_size: int,
    seed: int,
) -> Pairs:
    """Batches of the kinds of codes in turn, each batch by `(seed, its number)` alone.

    look: images in -1..1 -> logits beyond the thresholds. photographs: codes of the train split.
    """
    device = generator.mapping.w_avg.device
    kinds = (
        [_single, _mixed, _layered] if photographs is None else [_single, _mixed, _layered, _moved]
    )
    us, logits = [], []
    count = -(-num_pairs // batch_size)
    for index in progress(range(count), desc="faces for the latent tagger", unit="batch"):
        rng = stream(seed, "pairs", index)
        draw = _Draw(generator, tagger, photographs, batch_size, rng)
        code = kinds[index % len(kinds)](draw)
        ws = tagger.whitening.colour(code)
        images = generator.synthesis(ws, noise_mode="random", generator=rng).clamp(-1, 1)
        us.append(code.half())
        logits.append(look(images, None).to(device))
    return Pairs(torch.cat(us), torch.cat(logits))


@dataclass(frozen=True)
class _Draw:
    generator: Generator
    tagger: LatentTagger
    photographs: Tensor | None
    n: int
    rng: torch.Generator

    def ws(self, n: int) -> Tensor:
        z = torch.randn(n, self.generator.config.z_dim, generator=self.rng)
        return self.generator.ws_of(z.to(self.generator.mapping.w_avg.device))

    def uniform(self, low: float, high: float) -> Tensor:
        draws = torch.rand(self.n, 1, 1, generator=self.rng) * (high - low) + low
        return draws.to(self.generator.mapping.w_avg.device)


def _single(draw: _Draw) -> Tensor:
    return draw.tagger.whitening.whiten(draw.ws(draw.n))


def _mixed(draw: _Draw) -> Tensor:
    first, second = draw.ws(draw.n), draw.ws(draw.n)
    return draw.tagger.whitening.whiten(mix_styles(first, second, draw.rng, prob=1.0))


def _layered(draw: _Draw) -> Tensor:
    num_ws = draw.generator.num_ws
    own = draw.tagger.whitening.whiten(draw.ws(draw.n * num_ws)[:, 0]).unflatten(
        0, (draw.n, num_ws)
    )
    share, length = draw.uniform(LEAST_SHARE, 1.0), draw.uniform(LEAST_LENGTH, MOST_LENGTH)
    return length * (share.sqrt() * _single(draw) + (1 - share).sqrt() * own)


def _moved(draw: _Draw) -> Tensor:
    assert draw.photographs is not None
    rows = torch.randint(len(draw.photographs), (draw.n,), generator=draw.rng)
    code = draw.tagger.whitening.whiten(draw.photographs[rows])
    return code + draw.uniform(0.0, MOVE) * _single(draw)


class LatentTaggerTrainer:
    """A latent tagger and its optimiser, on pairs; every member sees rows and noise of its own."""

    def __init__(self, tagger: LatentTagger, pairs: Pairs, settings: LatentTaggerSettings) -> None:
        self.tagger, self.pairs, self.settings = tagger, pairs, settings
        self.num_held = max(1, len(pairs.us) // 16)
        tagger.deviation.copy_(pairs.logits.std(dim=0).clamp_min(1e-6))
        self.margins = pairs.logits / tagger.deviation
        tagger.correlation.copy_(torch.corrcoef(self.margins.T).nan_to_num(0.0))
        tagger.start_at(self.margins.mean(dim=0))
        self.optimiser = torch.optim.AdamW(
            tagger.members.parameters(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY
        )

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"tagger": self.tagger, "optimiser": self.optimiser}

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """One step of every member on pairs that `rng` draws with replacement."""
        settings = self.settings
        losses = [self._loss(member, rng) for member in self.tagger.members]
        rate = warm_up_then_cosine(
            index, learning_rate=settings.learning_rate, num_steps=settings.num_steps
        )
        set_rate(self.optimiser, rate)
        ranks.descend(self.optimiser, torch.stack(losses).sum())
        return {"loss": torch.stack(losses).mean().item()}

    def _loss(self, member: torch.nn.Module, rng: torch.Generator) -> Tensor:
        pairs, n = self.pairs, ranks.share(self.settings.batch_size)
        rows = integers(rng, self.num_held, len(pairs.us), n)
        us = pairs.us[rows].float()
        shared = normal(rng, n, 1, us.shape[2]).to(us.device)
        single = normal(rng, *us.shape).to(us.device)
        found = member(us + NOISE * shared + LAYER_NOISE * single)
        return F.smooth_l1_loss(found, self.margins[rows])

    @torch.no_grad()
    def explained(self) -> Float[Tensor, " k"]:
        """R^2 of each attribute's margin on pairs that were held back."""
        us, margins = self.pairs.us[: self.num_held], self.margins[: self.num_held]
        found = torch.cat([self.tagger.margins(part.float()) for part in us.split(256)])
        return 1 - (found - margins).square().mean(dim=0) / margins.var(dim=0).clamp_min(1e-12)
