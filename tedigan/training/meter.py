"""How a training goes beside its losses: seconds, waiting for data, memory."""

import resource
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch

GIB = 2**30


class Meter:
    """Counts from one reading to the next. images_a_step: of all ranks; None = steps are not of images."""

    def __init__(self, images_a_step: int | None = None) -> None:
        self.images_a_step = images_a_step
        self._waited_s = 0.0
        self._since, self._at_step = time.perf_counter(), 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Within it, the step does nothing but wait for its data."""
        began = time.perf_counter()
        yield
        self._waited_s += time.perf_counter() - began

    def start(self, step: int) -> None:
        """Count from here."""
        self._since, self._at_step, self._waited_s = time.perf_counter(), step, 0.0

    def read(self, step: int) -> dict[str, float]:
        """What a step took on the average since the last reading, before step `step`; memory is the most so far.

        kimg: thousands of images seen. s_per_kimg: seconds that a thousand take.
        """
        steps = max(1, step - self._at_step)
        seconds = (time.perf_counter() - self._since) / steps
        found = {"s_per_step": seconds, "wait_ms": 1000 * self._waited_s / steps}
        found["memory_gib"] = _memory_gib()
        if self.images_a_step is not None:
            found["kimg"] = step * self.images_a_step / 1000
            found["s_per_kimg"] = 1000 * seconds / self.images_a_step
        self.start(step)
        return found


def in_words(found: Mapping[str, float]) -> str:
    """The head of a status line."""
    if "kimg" in found:
        speed = f"{found['kimg']:.1f} kimg, {found['s_per_kimg']:.3g} s/kimg"
    else:
        speed = f"{found['s_per_step']:.3g} s/step"
    return f"{speed}, {found['memory_gib']:.2f} GiB, wait {found['wait_ms']:.2g} ms"


def _memory_gib() -> float:
    """Of the GPU, where there is one in use; else of the process."""
    if torch.cuda.is_available() and torch.cuda.max_memory_reserved():
        return torch.cuda.max_memory_reserved() / GIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
