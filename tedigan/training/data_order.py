"""Which photographs a step of training sees, read ahead of it."""

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from tedigan.dataset.folder import Dataset
from tedigan.tensors import stream, to_images


class TrainingImages:
    """Photographs of a split, drawn with replacement: step i's by `(seed, name, i)` alone.

    So a resumed run sees what an uninterrupted one would have seen. num_workers: processes that decode ahead
    of the steps; 0 decodes within them.
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
        num_workers: int = 0,
    ) -> None:
        self._order = _Order(ids, batch_size, (seed, name))
        self._data, self._device, self._num_workers = data, device, num_workers
        self._batches: Iterator[Tensor] | None = None
        self._next = 0

    def at(self, step: int, rng: torch.Generator) -> Float[Tensor, "n 3 r r"]:
        """The images of a step, on the device; its stream `rng` goes on after the choice of them.

        Steps are asked for one after another; another one than the next starts anew there.
        """
        self._order.ids_at(step, rng)
        if self._batches is None or step != self._next:
            self._batches = self._read_from(step)
        self._next = step + 1
        return to_images(next(self._batches).to(self._device, non_blocking=True))

    def _read_from(self, step: int) -> Iterator[Tensor]:
        return iter(
            DataLoader(
                _Pixels(self._data),
                sampler=_Steps(self._order, step),
                batch_size=None,
                num_workers=self._num_workers,
                multiprocessing_context="spawn"
                if self._num_workers
                else None,  # this process has threads
                pin_memory=self._device.type == "cuda",
                generator=torch.Generator(),  # or the loader draws from the networks' stream
            )
        )


class _Order:
    def __init__(self, ids: list[int], batch_size: int, key: tuple[int, str]) -> None:
        self._ids, self._batch_size, self._key = ids, batch_size, key

    def ids_at(self, step: int, rng: torch.Generator | None = None) -> list[int]:
        rng = stream(*self._key, step) if rng is None else rng
        rows = torch.randint(len(self._ids), (self._batch_size,), generator=rng)
        return [self._ids[row] for row in rows.tolist()]


class _Steps(Sampler[list[int]]):
    def __init__(self, order: _Order, first: int) -> None:
        self._order, self._first = order, first

    def __iter__(self) -> Iterator[list[int]]:
        step = self._first
        while True:
            yield self._order.ids_at(step)
            step += 1


class _Pixels(TorchDataset[Tensor]):
    def __init__(self, data: Dataset) -> None:
        self._data = data

    def __getitem__(self, ids: list[int]) -> Tensor:
        return self._data.pixels(ids)
