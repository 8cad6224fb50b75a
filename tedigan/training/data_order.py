"""Which photographs a step of training sees, read while the steps before it run."""

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import small_pixels
from tedigan.draws import integers
from tedigan.tensors import to_images
from tedigan.training import ranks
from tedigan.training.meter import Meter

NUM_AHEAD = 3  # steps


class TrainingImages:
    """Photographs of a split, drawn with replacement: step i's by `(seed, name, i)` alone.

    So a resumed run sees what an uninterrupted one would have seen. A thread reads some steps ahead, and a few
    decode for it; decoding leaves Python's lock, so that neither a GPU nor the other cores wait for it.

    batch_size: of all ranks, of which each reads its own rows. on_device: decode all of them first, into its
    memory: 30,000 of 256 px take 5.9 GB. meter: counts what a step waits.
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
    ) -> None:
        self._data, self._ids, self._device = data, ids, device
        self._num, self._key = ranks.share(batch_size), (seed, name)
        self._meter = meter or Meter()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photographs")
        self._ahead: dict[int, Future[UInt8[Tensor, "n 3 r r"]]] = {}
        self._all = small_pixels(data, ids, data.resolution).to(device) if on_device else None

    def at(self, step: int, rng: torch.Generator) -> Float[Tensor, "n 3 r r"]:
        """The images of a step, on the device; its stream `rng` goes on after the choice of them."""
        rows = self._choose(rng)
        if self._all is not None:
            return to_images(self._all[rows.to(self._device)])
        with self._meter.waiting():
            pixels = self._ahead[step].result() if step in self._ahead else self._read(rows)
        steps = range(step + 1, step + 1 + NUM_AHEAD)
        self._ahead = {one: self._ahead.get(one) or self._submit(one) for one in steps}
        return to_images(pixels.to(self._device, non_blocking=True))

    def _submit(self, step: int) -> Future[UInt8[Tensor, "n 3 r r"]]:
        return self._reader.submit(self._read, self._choose(ranks.shared_stream(*self._key, step)))

    def _choose(self, rng: torch.Generator) -> Tensor:
        return integers(rng, 0, len(self._ids), self._num)

    def _read(self, rows: Tensor) -> UInt8[Tensor, "n 3 r r"]:
        """A GPU fetches what lies in pinned memory while it goes on computing."""
        pixels = self._data.pixels([self._ids[row] for row in rows.tolist()])
        return pixels.pin_memory() if self._device.type == "cuda" else pixels
