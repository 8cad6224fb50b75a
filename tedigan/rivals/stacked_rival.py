"""What AttnGAN, ControlGAN, DM-GAN and ManiGAN have in common: three pictures, three discriminators, one step."""

import copy
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from tedigan.errors import ShapeError
from tedigan.rivals.glu_blocks import STAGES_PX, Z_DIM, Drawn
from tedigan.rivals.matching import matching_losses
from tedigan.rivals.region_encoder import Looked, RegionEncoder
from tedigan.rivals.rival import EncodedText, Rival, RivalBatch
from tedigan.rivals.stage_discriminator import Seen, StageDiscriminator, WordDiscriminator
from tedigan.training.adversarial import resting
from tedigan.training.ranks import descend

LEARNING_RATE, BETAS = 2e-4, (0.5, 0.999)
MATCHING_WEIGHT = 5.0  # lambda
NUMBERS = {
    "gf": 32,
    "df": 32,
    "num_residual": 2,
}  # channels of G and D at full size, residual blocks


class Critics(nn.Module):
    """The discriminators of the three sizes, and ControlGAN's of the words beside each."""

    def __init__(self, df: int, *, spectral: bool, has_words: bool) -> None:
        super().__init__()
        stages = [StageDiscriminator(size, df, spectral=spectral) for size in STAGES_PX]
        words = [WordDiscriminator(stage.region_width) for stage in stages]
        self.stages = nn.ModuleList(stages)
        self.words = nn.ModuleList(words if has_words else [])

    def each(self) -> list[StageDiscriminator]:
        """By size."""
        return cast("list[StageDiscriminator]", [*self.stages])


def pyramid(photographs: Float[Tensor, "n 3 64 64"]) -> list[Float[Tensor, "n 3 s s"]]:
    """The photographs at each stage's size, averaged."""
    laid = photographs.contiguous(memory_format=torch.channels_last)
    return [*(F.avg_pool2d(laid, SIZE // size) for size in STAGES_PX[:-1]), laid]


SIZE = STAGES_PX[-1]


def says(logits: Float[Tensor, " n"], *, is_true: bool) -> Float[Tensor, " n"]:
    """The binary cross-entropy of each logit with one answer."""
    logits = logits.float()
    return F.softplus(-logits if is_true else logits)


class StackedRival(Rival):
    """The family's step: one pass of G, all D on it, then G on the same pictures, then the average.

        L_D = sum_stages (real + real with caption) / 2 + (fake + fake with caption + real with a wrong one) / 3
        L_G = sum_stages (fake + fake with caption) + lambda (L_words + L_sentence) + L_KL

    The losses of AttnGAN (arXiv:1711.10485, section 3), DAMSM's on the last picture. Departures of all: the wrong
    caption is one that is false of the photograph; the average takes the running statistics of G's norms along.
    """

    z_dim: ClassVar[int] = Z_DIM
    is_spectral: ClassVar[bool] = False
    has_word_critics: ClassVar[bool] = False
    is_mixed: bool | None = (
        None  # whether a step's nets compute in bfloat16; None = on a GPU, where it is faster
    )

    def __init__(self, numbers: Mapping[str, int], image_encoder: nn.Module | None = None) -> None:
        super().__init__()
        assert isinstance(image_encoder, RegionEncoder | None), type(image_encoder).__name__
        self.numbers = {**NUMBERS, **numbers}
        self.image_encoder = image_encoder
        self.G = self.make_generator(self.numbers["gf"], self.numbers["num_residual"])
        self.G_ema = copy.deepcopy(self.G).requires_grad_(False)
        self.D = Critics(
            self.numbers["df"], spectral=self.is_spectral, has_words=self.has_word_critics
        )
        self.G_optimiser = torch.optim.Adam(self.G.parameters(), lr=LEARNING_RATE, betas=BETAS)
        self.D_optimiser = torch.optim.Adam(self.D.parameters(), lr=LEARNING_RATE, betas=BETAS)
        self.train()

    @classmethod
    def from_json(
        cls, numbers: Mapping[str, Any], image_encoder: nn.Module | None = None
    ) -> "StackedRival":
        """gf, df: channels of G and D at full size; num_residual: blocks of each refinement."""
        return cls({name: int(numbers[name]) for name in NUMBERS if name in numbers}, image_encoder)

    def to_json(self) -> dict[str, Any]:
        """gf, df, num_residual."""
        return dict(self.numbers)

    @abstractmethod
    def make_generator(self, gf: int, num_residual: int) -> nn.Module:
        """The method's own."""

    def generate(
        self, generator: nn.Module, text: EncodedText, z: Tensor, photographs: Tensor | None
    ) -> Drawn:
        """Call G or G_ema. photographs: for those that edit."""
        del photographs
        return generator(text, z)

    def further_losses(
        self, drawn: Drawn, looked: Looked, photographs: Tensor
    ) -> dict[str, Tensor]:
        """What the method adds to L_G, weighted; looked: what the image encoder sees of the last picture."""
        del drawn, looked, photographs
        return {}

    def train(self, mode: bool = True) -> "StackedRival":
        """As torch's, but the average and the frozen encoder stay in evaluation mode."""
        super().train(mode)
        self.G_ema.eval()
        if self.image_encoder is not None:
            self.image_encoder.eval()
        return self

    def step(self, batch: RivalBatch, rng: torch.Generator) -> dict[str, Tensor]:
        """See the class."""
        photographs = pyramid(batch.photographs)
        n, device = len(batch.photographs), batch.photographs.device
        z = torch.randn(n, self.z_dim, generator=rng, device=device)
        with self._mixed(device):
            drawn = self.generate(self.G, batch.text, z, photographs[-1])
        with self._weights_once():
            with self._mixed(device):
                loss_d = self._discriminator_loss(batch, photographs, drawn)
            descend(self.D_optimiser, loss_d)
        with resting(self.D), self._weights_once():
            with self._mixed(device):
                terms = self._generator_terms(batch, photographs[-1], drawn)
            descend(self.G_optimiser, torch.stack([*terms.values()]).sum())
        self.average()
        return {"loss_d": loss_d.detach()} | {name: one.detach() for name, one in terms.items()}

    @torch.no_grad()
    def draw(
        self,
        text: EncodedText,
        z: Float[Tensor, "n z_dim"],
        photographs: Float[Tensor, "n 3 64 64"] | None = None,
    ) -> Float[Tensor, "n 3 64 64"]:
        """See `Rival`."""
        if self.edits_photographs and photographs is None:
            raise ShapeError(
                f"{self.name} was asked to draw without photographs, expected one for each caption: it edits. "
                "Give it the photographs."
            )
        return self.generate(self.G_ema, text, z, photographs).pictures[-1].contiguous()

    def components(self) -> dict[str, Any]:
        """See `Rival`."""
        names = ("G", "G_ema", "D", "G_optimiser", "D_optimiser")
        return {name: getattr(self, name) for name in names}

    def _mixed(self, device: torch.device) -> torch.autocast:
        """bfloat16 where `is_mixed`; losses and their sums are float32 all the same."""
        enabled = device.type == "cuda" if self.is_mixed is None else self.is_mixed
        return torch.autocast(device.type, torch.bfloat16, enabled=enabled)

    @contextmanager
    def _weights_once(self) -> Iterator[None]:
        """Spectral norms are taken once for D's step and once for G's, not at each pass, and in float32."""
        with parametrize.cached():
            for part in self.D.modules() if self.is_spectral else ():
                if parametrize.is_parametrized(part):
                    _ = part.weight
            yield

    def _discriminator_loss(
        self, batch: RivalBatch, photographs: list[Tensor], drawn: Drawn
    ) -> Float[Tensor, ""]:
        wrong, is_wrong = batch.wrong()
        total = batch.photographs.new_zeros(())
        for number, (stage, photograph) in enumerate(zip(self.D.each(), photographs, strict=True)):
            real, fake = stage(photograph), stage(drawn.pictures[number].detach())
            good = says(stage.unconditional(real), is_true=True).mean()
            good = good + says(stage.conditional(real, batch.text), is_true=True).mean()
            bad = says(stage.unconditional(fake), is_true=False).mean()
            bad = bad + says(stage.conditional(fake, batch.text), is_true=False).mean()
            mismatch = says(stage.conditional(real, wrong), is_true=False)
            bad = bad + _mean_where(mismatch, is_wrong)
            total = total + good / 2 + bad / 3
            if self.has_word_critics:
                total = total + self._word_loss(number, real, batch.text, wrong, is_wrong)
        return total

    def _word_loss(
        self, number: int, real: Seen, text: EncodedText, wrong: EncodedText, is_wrong: Tensor
    ) -> Float[Tensor, ""]:
        critic = self.D.words[number]
        mismatch = _mean_where(says(critic(real, wrong), is_true=False), is_wrong)
        return (says(critic(real, text), is_true=True).mean() + mismatch) / 2

    def _generator_terms(
        self, batch: RivalBatch, photographs: Tensor, drawn: Drawn
    ) -> dict[str, Tensor]:
        assert self.image_encoder is not None, f"{self.name} learns with the shared image encoder"
        fooled = batch.photographs.new_zeros(())
        for number, (stage, picture) in enumerate(zip(self.D.each(), drawn.pictures, strict=True)):
            seen = stage(picture)
            fooled = fooled + says(stage.unconditional(seen), is_true=True).mean()
            fooled = fooled + says(stage.conditional(seen, batch.text), is_true=True).mean()
            if self.has_word_critics:
                critic = self.D.words[number]
                fooled = fooled + says(critic(seen, batch.text), is_true=True).mean()
        looked = self.image_encoder(drawn.pictures[-1])
        words, sentence = matching_losses(looked, batch.text, batch.contains)
        return {
            "loss_g": fooled,
            "words": MATCHING_WEIGHT * words,
            "sentence": MATCHING_WEIGHT * sentence,
            "divergence": drawn.condition.divergence(),
            **self.further_losses(drawn, looked, photographs),
        }


def _mean_where(values: Float[Tensor, " n"], counts: Bool[Tensor, " n"]) -> Float[Tensor, ""]:
    """The mean over some; 0 over none."""
    return (values * counts).sum() / counts.sum().clamp_min(1)
