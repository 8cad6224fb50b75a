"""The text mapper's two trainings: a reader of sentences, and a mover that does in one pass what a search does.

The reader learns from sentences that are composed with what they state. The mover learns from random codes and
wishes, by the search's own objective.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from tedigan.captions.composer import Sentence, compose
from tedigan.captions.dice import Dice
from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.wordings import Wordings
from tedigan.captions.writer import draw_captions
from tedigan.draws import integers, normal, uniform
from tedigan.encoders.text import TextBackbone
from tedigan.encoders.text_mapper import Mover, MoverConfig, TextReader, TextReaderConfig
from tedigan.method.steering import Steering, Task, shift_of
from tedigan.progress import progress
from tedigan.tensors import MAX_STRENGTH, stream
from tedigan.training import ranks
from tedigan.training.adversarial import mix_styles
from tedigan.training.loop import Loop
from tedigan.training.schedules import set_rate, warm_up_then_fall

CAPTION_SHARE = 0.2  # of the sentences: the grammar's own
DENIAL_SHARE, ATTRIBUTE_SHARE = (
    0.5,
    0.3,
)  # of these with denials; of their faces' attributes present
EMBED_BATCH = 64
MAX_WISHES, PLAIN_SHARE, MIXING_PROB = 4, 0.5, 0.5  # PLAIN_SHARE: of strength 1
WEIGHT_DECAY = 0.01


def names_of(grammar: Grammar) -> tuple[str, ...]:
    """All attributes that sentences can speak of."""
    subject = grammar.file.subject.attribute
    return tuple(dict.fromkeys((*grammar.file.attributes, *([subject] if subject else []))))


def draw_sentences(grammar: Grammar, *, num_sentences: int, seed: int) -> list[Sentence]:
    """Composed sentences, and among them captions by the grammar, with more denials than a data set's have.

    The captions are of faces by chance: what goes together in photographs is not to be heard in words.
    """
    wordings, names, rng = Wordings.of(grammar), names_of(grammar), stream(seed, "sentences")
    dice = Dice(rng)
    denials = grammar.file.denials.model_copy(update={"share": DENIAL_SHARE})
    own = replace(grammar, file=grammar.file.model_copy(update={"denials": denials}))
    sentences = []
    for _ in range(num_sentences):
        if dice.share() < CAPTION_SHARE:
            face = {name: dice.share() < ATTRIBUTE_SHARE for name in names}
            caption = draw_captions(face, grammar=own, num_captions=1, generator=rng)[0]
            claims = frozenset(Claim(*named) for named in caption.named.items())
            sentences.append(Sentence(caption.text, claims))
        else:
            sentences.append(compose(wordings, dice))
    return sentences


@dataclass(frozen=True)
class Lessons:
    """Sentences as a reader meets them: the states of their tokens, one after the other, and what they say.

    states are half precision; said is 1 where an attribute is wanted (first row), and where it is denied (second).
    """

    states: Float[Tensor, "m dim"]
    lengths: Int64[Tensor, " n"]
    said: Float[Tensor, "n 2 k"]

    @classmethod
    def of(
        cls, sentences: Sequence[Sentence], backbone: TextBackbone, names: tuple[str, ...]
    ) -> "Lessons":
        """The short sentences first, so that a batch of them is of about one length."""
        ordered = sorted(sentences, key=lambda one: (len(one.text), one.text))
        found = backbone.states([one.text for one in ordered], batch_size=EMBED_BATCH)
        bar = progress(found, total=len(ordered), desc="sentences", unit="sentence")
        states = [one.half() for one in bar]
        said = torch.stack([_said(one.claims, names) for one in ordered])
        lengths = torch.tensor([len(one) for one in states])
        device = states[0].device
        return cls(torch.cat(states), lengths.to(device), said.to(device))

    def rows(
        self, numbers: Int64[Tensor, " b"]
    ) -> tuple[Float[Tensor, "m dim"], Int64[Tensor, " b"], Float[Tensor, "b 2 k"]]:
        """The sentences of these numbers."""
        numbers = numbers.to(self.lengths.device)
        ends, lengths = self.lengths.cumsum(0)[numbers], self.lengths[numbers]
        shift = (ends - lengths.cumsum(0)).repeat_interleave(lengths)
        places = torch.arange(len(shift), device=shift.device) + shift
        return self.states[places].float(), lengths, self.said[numbers]


def _said(claims: frozenset[Claim], names: tuple[str, ...]) -> Float[Tensor, "2 k"]:
    said = torch.zeros(2, len(names))
    for name, holds in claims:
        if name in names:
            said[0 if holds else 1, names.index(name)] = 1
    return said


@dataclass(frozen=True)
class TrainingSettings:
    """Of one of the two trainings."""

    num_steps: int
    batch_size: int
    learning_rate: float


class Trainer(ABC):
    """A network and its optimiser: one of several trainings that follow each other."""

    def __init__(self, network: torch.nn.Module, settings: TrainingSettings) -> None:
        self.settings = settings
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=WEIGHT_DECAY
        )

    @abstractmethod
    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""

    @abstractmethod
    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """Step `index` of `settings.num_steps`, on what `rng` draws."""

    def descend(self, loss: Tensor, index: int) -> None:
        """One step of the optimiser."""
        settings = self.settings
        rate = warm_up_then_fall(
            index, learning_rate=settings.learning_rate, num_steps=settings.num_steps
        )
        set_rate(self.optimiser, rate)
        ranks.descend(self.optimiser, loss)


def run_in_turn(loop: Loop, trainers: Sequence[Trainer], *, seed: int) -> None:
    """Each trainer's steps after those of the one before, as one run that resumes."""
    turns = [(one, index) for one in trainers for index in range(one.settings.num_steps)]
    components = {name: part for one in trainers for name, part in one.components().items()}

    def step(number: int) -> dict[str, float]:
        trainer, index = turns[number]
        return trainer.step(ranks.shared_stream(seed, loop.name, number), index)

    loop.run(components, step, num_steps=len(turns))


def new_reader(config: TextReaderConfig, device: torch.device, *, seed: int) -> TextReader:
    """One that hears nothing yet."""
    torch.manual_seed(seed)
    return TextReader(config).to(device)


def new_mover(steering: Steering, *, hidden_dim: int, seed: int) -> Mover:
    """One that moves nothing yet, for a generator's codes."""
    tagger = steering.tagger.config
    torch.manual_seed(seed)
    config = MoverConfig(tagger.num_ws, tagger.num_axes, hidden_dim, tagger.attribute_names)
    return Mover(config).to(steering.attribute_layers.device)


class ReaderTrainer(Trainer):
    """A reader of sentences, on lessons."""

    def __init__(self, reader: TextReader, lessons: Lessons, settings: TrainingSettings) -> None:
        super().__init__(reader.train(), settings)
        self.reader, self.lessons = reader, lessons

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"reader": self.reader, "reader_optimiser": self.optimiser}

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """On sentences that `rng` draws with replacement."""
        numbers = integers(rng, 0, len(self.lessons.lengths), ranks.share(self.settings.batch_size))
        states, lengths, said = self.lessons.rows(numbers)
        torch.manual_seed(
            int(torch.randint(2**31, (), generator=rng)) + ranks.rank()
        )  # of the dropout
        found = self.reader(states, lengths)
        loss = F.binary_cross_entropy_with_logits(found, said, reduction="sum") / len(lengths)
        self.descend(loss, index)
        return {"loss_reading": loss.item()}


class MoverTrainer(Trainer):
    """A mover, on random codes and wishes, by what `Steering` minimises."""

    def __init__(self, mover: Mover, steering: Steering, settings: TrainingSettings) -> None:
        super().__init__(mover, settings)
        self.mover, self.steering = mover, steering

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {"mover": self.mover, "mover_optimiser": self.optimiser}

    def step(self, rng: torch.Generator, index: int) -> dict[str, float]:
        """On codes and wishes that `rng` draws."""
        task = draw_task(self.steering, ranks.share(self.settings.batch_size), rng)
        loss = self.steering.loss(task, shift_of(self.mover, task), rng, index).mean()
        self.descend(loss, index)
        return {"loss_moving": loss.item()}


def draw_task(steering: Steering, n: int, rng: torch.Generator) -> Task:
    """Random codes, half of them of two faces' styles, and a wish for each."""
    generator = steering.generator
    z = normal(rng, 2 * n, generator.config.z_dim)
    first, second = generator.ws_of(z.to(generator.mapping.w_avg.device)).split(n)
    ws = mix_styles(first, second, rng, prob=MIXING_PROB)
    wishes, strength = draw_wishes(n, len(steering.tagger.names), rng)
    us = steering.tagger.whitening.whiten(ws)
    return steering.task(us, wishes.to(us), strength.to(us))


def draw_wishes(
    n: int, k: int, rng: torch.Generator
) -> tuple[Float[Tensor, "n k"], Float[Tensor, " n"]]:
    """1 to MAX_WISHES attributes each, stated or denied, at strength 1 or any other in -3..3."""
    order = uniform(rng, n, k).argsort(dim=1).argsort(dim=1)
    counts = integers(rng, 1, min(MAX_WISHES, k) + 1, n, 1)
    sides = torch.where(uniform(rng, n, k) < 0.5, -1.0, 1.0)
    any_strength = MAX_STRENGTH * (2 * uniform(rng, n) - 1)
    is_plain = uniform(rng, n) < PLAIN_SHARE
    return sides * (order < counts), torch.where(is_plain, 1.0, any_strength)


def compare_with_search(
    mover: Mover, steering: Steering, *, num_codes: int, seed: int
) -> dict[str, float]:
    """What is minimised and the share of wishes fulfilled: without a shift, by the search, and by the mover.

    Fulfilled: by the latent tagger's own reading, of wishes of strength 1 and more.
    """
    task = draw_task(steering, num_codes, stream(seed, "comparison"))
    with torch.no_grad():
        moved = shift_of(mover, task)
    found = {}
    for name, shift in (
        ("start", torch.zeros_like(moved)),
        ("search", steering.search(task)),
        ("mover", moved),
    ):
        with torch.no_grad():
            losses = [
                steering.loss(task, shift, stream(seed, "noise", i), i).mean() for i in range(4)
            ]
            margins = steering.tagger.margins(task.us + shift * task.layers)
        side = task.wishes * task.strength.sign()[:, None]
        is_right = (margins * side > 0)[(task.wishes != 0) & (task.strength.abs() >= 1)[:, None]]
        found[f"objective_{name}"] = torch.stack(losses).mean().item()
        found[f"reached_{name}"] = is_right.float().mean().item()
    return found
