"""Which photographs a step of training sees, read while the step before it runs."""

from concurrent.futures import Future, ThreadPoolExecutor

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.tensors import stream, to_images


class TrainingImages:
    """Photographs of a split, drawn with replacement: step i's by `(seed, name, i)` alone.

    So a resumed run sees what an uninterrupted one would have seen. A thread reads one step ahead; decoding leaves
    Python's lock, so that neither a GPU nor the other cores wait for it.
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
    ) -> None:
        self._data, self._ids, self._batch_size, self._device = data, ids, batch_size, device
        self._key = (seed, name)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="photographs")
        self._ahead: tuple[int, Future[UInt8[Tensor, "n 3 r r"]]] | None = None

    def at(self, step: int, rng: torch.Generator) -> Float[Tensor, "n 3 r r"]:
        """The images of a step, on the device; its stream `rng` goes on after the choice of them."""
        chosen = self._choose(rng)
        is_ready = self._ahead is not None and self._ahead[0] == step
        pixels = self._ahead[1].result() if is_ready and self._ahead else self._data.pixels(chosen)
        following = self._choose(stream(*self._key, step + 1))
        self._ahead = (step + 1, self._reader.submit(self._data.pixels, following))
        return to_images(pixels.to(self._device))

    def _choose(self, rng: torch.Generator) -> list[int]:
        rows = torch.randint(len(self._ids), (self._batch_size,), generator=rng)
        return [self._ids[row] for row in rows.tolist()]
