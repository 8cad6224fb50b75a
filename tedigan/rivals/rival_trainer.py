"""Trains the shared encoders, and then a rival upon them: one step each, and a run of the training loop.

The encoders' learning rate falls in a line to nothing. The rivals' rates are constant, as published.
"""

import torch
from torch import Tensor

from tedigan.rivals.lessons import Lessons, device_stream
from tedigan.rivals.matching_trainer import MatchingTrainer
from tedigan.rivals.rival import Rival, RivalBatch
from tedigan.rivals.shared_encoders import SharedEncoders
from tedigan.training.loop import Loop


class EncoderLessons:
    """The encoders' training; on a device where both already are."""

    def __init__(
        self, encoders: SharedEncoders, lessons: Lessons, *, batch_size: int, seed: int
    ) -> None:
        self.trainer = MatchingTrainer(encoders.words, encoders.regions)
        self.lessons, self.batch_size, self.seed = lessons, batch_size, seed
        self._rates = [group["lr"] for group in self.trainer.optimiser.param_groups]

    def step(self, index: int, done: float) -> dict[str, Tensor]:
        """done: share of the training that is over, 0..1."""
        for group, rate in zip(self.trainer.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * (1 - done)
        rng = device_stream(self.lessons.device, self.seed, "encoders", index)
        lesson = self.lessons.draw(self.batch_size, rng)
        with torch.random.fork_rng(devices=[]):  # dropout takes torch's own stream
            torch.manual_seed(rng.initial_seed())
            return self.trainer.step(lesson.photographs, lesson.numbers, lesson.contains, rng)


class RivalLessons:
    """A rival's training upon frozen encoders; it is moved to where the lessons are."""

    def __init__(
        self,
        rival: Rival,
        encoders: SharedEncoders,
        lessons: Lessons,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        self.rival = rival.to(lessons.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.encoders, self.lessons = encoders, lessons
        self.batch_size, self.seed = batch_size, seed

    def step(self, index: int) -> dict[str, Tensor]:
        """The losses of step `index`, on the device."""
        rng = device_stream(self.lessons.device, self.seed, self.rival.name, index)
        lesson = self.lessons.draw(self.batch_size, rng)
        photographs = lesson.photographs.contiguous(memory_format=torch.channels_last)
        text = self.encoders.encode(lesson.numbers)
        return self.rival.step(RivalBatch(photographs, text, lesson.contains), rng)


def train_encoders(loop: Loop, lessons: EncoderLessons, *, num_steps: int) -> None:
    """All steps, resumed where they were left."""
    components = lessons.trainer.components()
    loop.run(
        components,
        lambda i: as_numbers(lessons.step(i, i / num_steps), of="encoders"),
        num_steps=num_steps,
    )


def train_rival(loop: Loop, lessons: RivalLessons, *, num_steps: int) -> None:
    """All steps, resumed where they were left."""
    components = lessons.rival.components()
    name = lessons.rival.name
    loop.run(components, lambda i: as_numbers(lessons.step(i), of=name), num_steps=num_steps)


def as_numbers(losses: dict[str, Tensor], *, of: str = "") -> dict[str, float]:
    """Read off the device at once. of: whose they are, for where several rivals' losses stand side by side."""
    values = torch.stack([loss.float() for loss in losses.values()]).tolist()
    names = [f"{of}_{name}" if of else name for name in losses]
    return dict(zip(names, values, strict=True))
