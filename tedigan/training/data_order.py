"""Which photographs a step of training sees, read while the steps before it run."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import CHUNK, small_pixels
from tedigan.draws import integers
from tedigan.tensors import to_images
from tedigan.training import ranks
from tedigan.training.meter import Meter

NUM_AHEAD = 3  # steps

# ids -> what lies beside their pixels, on the CPU.
Beside = Callable[[Sequence[int]], UInt8[Tensor, "n ..."]]
# Places among the ids, pixels, and what lies beside them.
Read = tuple[Int64[Tensor, " n"], UInt8[Tensor, "n 3 r r"], UInt8[Tensor, "n ..."]]


def nothing(ids: Sequence[int]) -> UInt8[Tensor, "n 0"]:
    """For those who look at pixels alone."""
    return torch.empty(len(ids), 0, dtype=torch.uint8)


class TrainingImages:
    """Photographs of a split, drawn with replacement: step i's by `(seed, name, i)` alone.

    So a resumed run sees what an uninterrupted one would have seen. A thread reads some steps ahead, and a few
    decode for it; decoding leaves Python's lock, so that neither a GPU nor the other cores wait for it.

    batch_size: of all ranks, of which each reads its own rows. on_device: decode all of them first, into its
    memory: 30,000 of 256 px take 5.9 GB. meter: counts what a step waits. beside: is read with them, as drawings
    of them; on_device holds it in the computer's memory.
    """

    def __init__(
        self,
        data: Dataset,
        ids: list[int],
        *,
        batch_size: int,
        seed: int,
        name: str,
        device: torch.device,
        on_device: bool = False,
        meter: Meter | None = None,
        beside: Beside = nothing,
    ) -> None:
        self._data, self._ids, self._device, self._beside = data, ids, device, beside
        self._num, self._key = ranks.share(batch_size), (seed, name)
        self._meter = meter or Meter()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photographs")
        self._ahead: dict[int, Future[Read]] = {}
        self._all = self._read_all() if on_device else None

    def at(self, step: int, rng: torch.Generator) -> Float[Tensor, "n 3 r r"]:
        """The images of a step, on the device; its stream `rng` goes on after the choice of them."""
        return self.chosen_at(step, rng)[1]

    def chosen_at(
        self, step: int, rng: torch.Generator
    ) -> tuple[Int64[Tensor, " n"], Float[Tensor, "n 3 r r"], UInt8[Tensor, "n ..."]]:
        """Their places among the ids, the images as by `at`, and what lies beside them, on the CPU."""
        rows = self._choose(rng)
        if self._all is not None:
            _, pixels, beside = self._all
            return rows, to_images(pixels[rows.to(self._device)]), beside[rows]
        with self._meter.waiting():
            read = self._ahead[step].result() if step in self._ahead else self._read(rows)
        rows, pixels, beside = read
        steps = range(step + 1, step + 1 + NUM_AHEAD)
        self._ahead = {one: self._ahead.get(one) or self._submit(one) for one in steps}
        return rows, to_images(pixels.to(self._device, non_blocking=True)), beside

    def _submit(self, step: int) -> Future[Read]:
        return self._reader.submit(self._read, self._choose(ranks.shared_stream(*self._key, step)))

    def _choose(self, rng: torch.Generator) -> Tensor:
        return integers(rng, 0, len(self._ids), self._num)

    def _read(self, rows: Tensor) -> Read:
        """A GPU fetches what lies in pinned memory while it goes on computing."""
        ids = [self._ids[row] for row in rows.tolist()]
        pixels = self._data.pixels(ids)
        pixels = pixels.pin_memory() if self._device.type == "cuda" else pixels
        return rows, pixels, self._beside(ids)

    def _read_all(self) -> Read:
        pixels = small_pixels(self._data, self._ids, self._data.resolution).to(self._device)
        starts = range(0, len(self._ids), CHUNK)
        beside = [self._beside(self._ids[one : one + CHUNK]) for one in starts]
        return torch.arange(len(self._ids)), pixels, torch.cat(beside)
