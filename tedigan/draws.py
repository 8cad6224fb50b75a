"""Random numbers by rows, an image a row: of a whole batch, of which each of several processes takes its own rows.

    rows of process r of R:  r, r + R, r + 2R, ...

So a batch is the same for every R, and rows that were dealt like cards keep together what belongs together: of 2n
rows, the first n and the last n; of the discriminator's groups, image i and image i + n / group.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class SharedStream(torch.Generator):
    """A random stream that all processes of a training hold, and which rows of its draws are this one's."""

    rank = 0
    num_ranks = 1


def normal(rng: torch.Generator | None, n: int, *shape: int) -> Tensor:
    """N(0, 1) `[n, *shape]`, on the stream's device; None draws from torch's own."""
    size = (n * _num(rng), *shape)
    return _own(torch.randn(size, generator=rng, device=_device(rng)), rng)


def uniform(rng: torch.Generator, n: int, *shape: int) -> Tensor:
    """0..1 `[n, *shape]`."""
    size = (n * _num(rng), *shape)
    return _own(torch.rand(size, generator=rng, device=_device(rng)), rng)


def integers(rng: torch.Generator, low: int, high: int, n: int, *shape: int) -> Tensor:
    """low..high-1, int64 `[n, *shape]`."""
    size = (n * _num(rng), *shape)
    return _own(torch.randint(low, high, size, generator=rng, device=_device(rng)), rng)


def each(rng: torch.Generator, n: int, draw: Callable[[], Tensor]) -> list[Tensor]:
    """What `draw()` gives, row by row, where one row takes draws of several kinds."""
    drawn = [draw() for _ in range(n * _num(rng))]
    return [drawn[row] for row in range(_rank(rng), len(drawn), _num(rng))]


def rows_of(rng: torch.Generator, whole: Sequence[int]) -> list[int]:
    """This process' part of a batch's rows."""
    return list(whole[_rank(rng) :: _num(rng)])


def on_device(rng: torch.Generator, device: torch.device) -> torch.Generator:
    """A stream for many numbers: on a GPU one of its own, which `rng` seeds; elsewhere `rng` itself.

    A CPU draws some 100 million numbers a second: the noise of 64 images of 256 px, three times a step, takes it a
    third of a second.
    """
    if device.type != "cuda":
        return rng
    seed = int(torch.randint(2**62, (), generator=rng))
    found = SharedStream(device)
    found.rank, found.num_ranks = _rank(rng), _num(rng)
    found.manual_seed(seed)
    return found


def _own(drawn: Tensor, rng: torch.Generator | None) -> Tensor:
    return drawn if _num(rng) == 1 else drawn[_rank(rng) :: _num(rng)]


def _num(rng: torch.Generator | None) -> int:
    return getattr(rng, "num_ranks", 1)


def _rank(rng: torch.Generator | None) -> int:
    return getattr(rng, "rank", 0)


def _device(rng: torch.Generator | None) -> torch.device:
    return torch.device("cpu") if rng is None else rng.device
