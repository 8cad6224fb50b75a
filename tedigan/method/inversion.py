"""A3: instance-level optimisation of W+ codes against one photograph each, with a fixed generator.

Codes move in whitened units (tedigan.generator.whitening), in which one step of Adam means as much in any
direction.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from tedigan.encoders.encoder import Encoder
from tedigan.errors import NumbersError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import Whitening
from tedigan.method.inversion_terms import (
    WeightedTerm,
    coherence_term,
    encoder_term,
    norm_term,
    perceptual_term,
    pixel_term,
)
from tedigan.progress import progress

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's
WINDOW = 10  # steps between two looks at a photograph's progress, and between two rows of its trace
COOLING_SHARE = 4  # the rate falls over the last quarter


@dataclass(frozen=True)
class Schedule:
    """num_steps: at most. learning_rate: Adam's, in whitened units.

    min_progress: a photograph whose loss fell by less than this share in a window cools down and leaves; 0 = none.
    """

    num_steps: int
    learning_rate: float
    min_progress: float = 0.0

    @property
    def num_cooling_steps(self) -> int:
        """Over which a photograph's rate falls by a cosine, before it leaves."""
        return -(-self.num_steps // COOLING_SHARE)


@dataclass(frozen=True)
class TraceRow:
    """The terms of one photograph (a row of its batch) before one step, without their weights."""

    photograph: int
    step: int
    values: dict[str, float]


@dataclass(frozen=True)
class Inversion:
    """Codes, and how they came about; the trace is sorted by photograph, then step."""

    ws: Float[Tensor, "n num_ws w_dim"]
    trace: list[TraceRow]


@dataclass
class _Descent:
    """The photographs that are still optimised: their rows, and Adam's numbers for each.

    cools_at: the step at which each one's rate begins to fall.
    """

    rows: Int64[Tensor, " n"]
    shift: Float[Tensor, "n num_ws num_axes"]
    first: Tensor
    second: Tensor
    cools_at: Int64[Tensor, " n"]
    windows: list[Tensor] = field(default_factory=list)
    before: Tensor | None = None

    @classmethod
    def begin(cls, shape: Sequence[int], device: torch.device, schedule: Schedule) -> "_Descent":
        """All of them, not moved yet."""
        rows, nothing = torch.arange(shape[0], device=device), torch.zeros(*shape, device=device)
        latest = schedule.num_steps - schedule.num_cooling_steps
        return cls(rows, nothing, nothing, nothing, torch.full_like(rows, latest))

    def move(self, gradient: Tensor, step: int, schedule: Schedule) -> None:
        """One step of Adam, each photograph at its own rate."""
        beta, beta2 = BETAS
        self.first = self.first.lerp(gradient, 1 - beta)
        self.second = self.second.lerp(gradient.square(), 1 - beta2)
        first = self.first / (1 - beta ** (step + 1))
        second = self.second / (1 - beta2 ** (step + 1))
        left = 1 - (step - self.cools_at).clamp(min=0) / schedule.num_cooling_steps
        rates = schedule.learning_rate * (0.5 - 0.5 * torch.cos(left * torch.pi))
        self.shift = self.shift - rates[:, None, None] * first / (second.sqrt() + EPSILON)

    def look(self, losses: Tensor, step: int, schedule: Schedule) -> None:
        """At the end of each window, send the photographs into cooling that gained too little in it."""
        if not schedule.min_progress:
            return
        self.windows.append(losses)
        if len(self.windows) < WINDOW:
            return
        now, self.windows = torch.stack(self.windows).mean(dim=0), []
        if self.before is not None:
            stalled = now >= (1 - schedule.min_progress) * self.before
            self.cools_at = torch.where(stalled, self.cools_at.clamp(max=step + 1), self.cools_at)
        self.before = now

    def has_cooled(self, step: int, schedule: Schedule) -> Tensor:
        """Which are done with this step."""
        return step + 1 >= self.cools_at + schedule.num_cooling_steps

    def keep(self, stay: Tensor) -> None:
        """Only these are optimised from now on."""
        for name in ("rows", "shift", "first", "second", "cools_at"):
            setattr(self, name, getattr(self, name)[stay])
        self.windows = [window[stay] for window in self.windows]
        self.before = None if self.before is None else self.before[stay]


def optimise_ws(
    generator: Generator,
    ws: Float[Tensor, "n num_ws w_dim"],
    terms: Sequence[WeightedTerm],
    whitening: Whitening,
    schedule: Schedule,
    *,
    layers: Sequence[int] | None = None,
    bar: str | None = None,
) -> Inversion:
    """ws* = argmin sum of weighted terms, by Adam from `ws`.

    Photographs do not influence each other: each has its own code, loss, rate and step, and leaves the batch when
    it has cooled down. Where no term weighs anything the codes come back as they are, with an empty trace.
    layers: which of them move; None = all. bar: its name, of a progress bar; None = none.
    """
    active = [term for term in terms if term.weight > 0]
    found, trace = ws.detach().clone(), list[TraceRow]()
    if not active:
        return Inversion(found, trace)
    shape = (len(ws), ws.shape[1], whitening.num_axes)
    descent = _Descent.begin(shape, ws.device, schedule)
    stays = [layer for layer in range(ws.shape[1]) if layers is not None and layer not in layers]
    steps: Iterable[int] = range(schedule.num_steps)
    for step in steps if bar is None else progress(steps, desc=bar, unit="step"):
        values, losses, gradient = _slope(generator, ws, active, whitening, descent)
        if step % WINDOW == 0:
            trace += _rows(values, descent.rows, step)
        gradient[:, stays] = 0
        descent.move(gradient, step, schedule)
        descent.look(losses, step, schedule)
        done = descent.has_cooled(step, schedule)
        if done.any():
            rows = descent.rows[done]
            found[rows] = whitening.moved(found[rows], descent.shift[done])
            descent.keep(~done)
        if not len(descent.rows):
            break
    if not torch.isfinite(found).all():
        raise NumbersError(
            f"an inversion gave codes that are no numbers at learning rate {schedule.learning_rate:g}, expected "
            "finite ones; it diverged. Lower the learning rate, first by half."
        )
    return Inversion(found, sorted(trace, key=lambda row: (row.photograph, row.step)))


def _slope(
    generator: Generator,
    ws: Tensor,
    terms: Sequence[WeightedTerm],
    whitening: Whitening,
    descent: _Descent,
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Each term's values, their weighted sums, and the gradient of those, in whitened units."""
    shift = descent.shift.detach().requires_grad_(True)
    moved = whitening.moved(ws.detach()[descent.rows], shift)
    images = generator.synthesis(moved, noise_mode="const")
    values = {term.name: term.term(moved, images, descent.rows) for term in terms}
    losses = torch.stack([term.weight * values[term.name] for term in terms]).sum(dim=0)
    (gradient,) = torch.autograd.grad(losses.sum(), shift)
    return {name: value.detach() for name, value in values.items()}, losses.detach(), gradient


def _rows(values: dict[str, Tensor], rows: Tensor, step: int) -> list[TraceRow]:
    columns = {name: value.tolist() for name, value in values.items()}
    return [
        TraceRow(row, step, {name: column[i] for name, column in columns.items()})
        for i, row in enumerate(rows.tolist())
    ]


@dataclass(frozen=True)
class InversionSettings:
    """The numbers of `Inverter`: its schedule, and the weights of its terms; see params.yaml."""

    num_steps: int
    learning_rate: float
    min_progress: float
    weight_pixel: float
    weight_perceptual: float
    weight_encoder: float
    weight_norm: float
    weight_coherence: float


@dataclass(frozen=True)
class Inverter:
    """Photographs -> W+ codes: by the encoder, then by optimisation (TediGAN A3).

    features: the generator's discriminator; None where `weight_perceptual` is 0. whitening: of its W.
    """

    generator: Generator
    encoder: Encoder
    features: Discriminator | None
    whitening: Whitening
    settings: InversionSettings

    def invert(self, images: Float[Tensor, "n 3 r r"]) -> Float[Tensor, "n num_ws w_dim"]:
        """The encoder's codes, optimised against the photographs."""
        return self.trace(images).ws

    def trace(self, images: Float[Tensor, "n 3 r r"]) -> Inversion:
        """The same with its trace."""
        images = images.to(self.encoder.w_avg.device)
        with torch.no_grad():
            start = self.encoder(images)
        settings = self.settings
        schedule = Schedule(settings.num_steps, settings.learning_rate, settings.min_progress)
        return optimise_ws(self.generator, start, self._terms(images), self.whitening, schedule)

    def _terms(self, images: Tensor) -> list[WeightedTerm]:
        settings, encoder, whitening = self.settings, self.encoder, self.whitening
        terms = [
            WeightedTerm("pixel", settings.weight_pixel, pixel_term(images)),
            WeightedTerm("encoder", settings.weight_encoder, encoder_term(encoder, encoder.w_std)),
            WeightedTerm("norm", settings.weight_norm, norm_term(whitening)),
            WeightedTerm("coherence", settings.weight_coherence, coherence_term(whitening)),
        ]
        if self.features is not None:
            perceptual = perceptual_term(images, self.features.features)
            terms.append(WeightedTerm("perceptual", settings.weight_perceptual, perceptual))
        return terms
