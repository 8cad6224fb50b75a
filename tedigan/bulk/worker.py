"""What a worker does, wherever it runs: opens a job once, then draws and commits the shards that it is given.

Writing a batch overlaps the drawing of the next one, and sending a shard that of the next shard. A worker holds
two shards as files and two batches as pixels at most, however large the job.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from tedigan.bulk.draw import Painter
from tedigan.bulk.heartbeat import Pulse
from tedigan.bulk.ledger import PLAN, Ledger
from tedigan.bulk.open_painter import open_painter
from tedigan.bulk.prompt_table import PROMPTS, Asked, PromptTable
from tedigan.bulk.shard_files import ShardFiles, write_shard
from tedigan.errors import StoreError
from tedigan.store import disk
from tedigan.tensors import choose_device

T = TypeVar("T")
_ROOM = "worker-"  # how the folder of what a worker has under way begins


@dataclass(frozen=True)
class Worker:
    """job: the address of its folder. models: where the plan's models lie, here. scratch: for what is under way.

    photographs: where they lie here that are edited; None = where the plan says. deadline: by time.monotonic() of
    this machine, after which no shard is begun; None = none is late. It travels to another process or machine as
    the seconds that are left, so that no clock is compared with another's.
    """

    job: str
    models: Path
    scratch: Path
    device: str = "auto"
    deadline: float | None = None
    photographs: str | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without what it has opened: where it is sent, that is opened anew."""
        state = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.deadline is not None:
            state["deadline"] = self.deadline - time.monotonic()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if state["deadline"] is not None:
            vars(self)["deadline"] = state["deadline"] + time.monotonic()

    def to_json(self) -> dict[str, Any]:
        """What travels, for those who send no pickles."""
        state = self.__getstate__()
        return {name: str(v) if isinstance(v, Path) else v for name, v in state.items()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> "Worker":
        """The worker that `to_json` sent, here."""
        kinds = {one.name: one.type for one in fields(cls)}
        worker = object.__new__(cls)
        worker.__setstate__({n: Path(v) if kinds[n] is Path else v for n, v in state.items()})
        return worker

    @cached_property
    def ledger(self) -> Ledger:
        """The job's."""
        return Ledger(self.job)

    @cached_property
    def pulse(self) -> Pulse:
        """What this worker says of itself."""
        return Pulse(self.ledger.bucket, alive=PLAN)

    @cached_property
    def prompts(self) -> PromptTable:
        """The job's own copy; a DataError where it is not the one that was planned."""
        return PromptTable.open(self.file(PROMPTS))

    @cached_property
    def painter(self) -> Painter:
        """The plan's networks."""
        device = choose_device(self.device)
        return open_painter(
            self.ledger.plan,
            self.models,
            self.file,
            device,
            cache=self.scratch / "photographs",
            photographs=self.photographs,
        )

    def file(self, name: str) -> Path:
        """One of the job's own, here."""
        return self.ledger.file(name, self.scratch)

    def asked(self, images: range) -> list[Asked]:
        """What each of these images shall show."""
        each = self.ledger.plan.faces_per_prompt
        first = images.start // each
        found = self.prompts.asked(first, (images.stop - 1) // each + 1)
        return [found[image // each - first] for image in images]

    def work(self, shards: Iterable[int]) -> Iterator[int]:
        """Draw and commit shards that nobody has yet; each number comes when it is settled.

        A cancelled or late job gets no further shard. A StoreError where the scratch folder cannot be written.
        """
        if self._is_late and self.pulse.has_ended:
            return  # it has said so; an engine may ask again for each portion of a large rest
        with (
            self.pulse.beating(),
            _on_disk(self.scratch),
            _room(self.scratch) as folder,
            ThreadPoolExecutor(1, "commit") as sender,
        ):
            sending: Future[int] | None = None
            for shard in shards:
                if self._is_late or self.ledger.is_cancelled:
                    self.pulse.ends()
                    break
                if self.ledger.is_committed(shard):
                    yield shard
                    continue
                files = self._timed_draw(shard, folder)
                if sending is not None:
                    yield sending.result()
                sending = sender.submit(self._commit, files)
            if sending is not None:
                yield sending.result()

    def draw(self, shard: int, folder: Path) -> ShardFiles:
        """The files of a shard, in `folder`."""
        plan = self.ledger.plan
        images = plan.images_of(shard)
        faces = self.painter.faces(images, self.asked(images))
        return write_shard(
            folder, plan.name, shard, one_ahead(faces), image_format=plan.image_format
        )

    @property
    def _is_late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline

    def _timed_draw(self, shard: int, folder: Path) -> ShardFiles:
        self.pulse.draws(shard)
        started = time.monotonic()
        files = self.draw(shard, folder)
        self.pulse.drew(time.monotonic() - started)
        return files

    def _commit(self, files: ShardFiles) -> int:
        started = time.monotonic()
        is_settled = self.ledger.commit(files.commit, files.tar, files.table)
        files.tar.unlink()
        files.table.unlink()
        if not is_settled:
            raise StoreError(
                f"job {self.ledger.name}: shard {files.commit.shard} was committed with other bytes than this "
                "worker drew; the first answer stands, ours lies in conflicts/. Another processor, build of torch "
                "or device rounds otherwise: run all workers of a job on machines of one kind."
            )
        self.pulse.settled(files.commit, time.monotonic() - started)
        return files.commit.shard


@contextmanager
def _on_disk(scratch: Path) -> Iterator[None]:
    """The scratch folder, there; what the disk below it refuses is a StoreError."""
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise StoreError(
            f"a worker could not keep what it draws in {scratch}: {error}; expected a disk with rights and space "
            "for two shards. Free some, or name a workspace on another disk, and run again: what is committed is "
            "kept."
        ) from error


@contextmanager
def _room(scratch: Path) -> Iterator[Path]:
    """A folder of this worker's own; those of workers that were killed go."""
    for leftover in scratch.glob(f"{_ROOM}*"):
        disk.remove_if_abandoned(leftover)
    folder, held = disk.claim(partial(tempfile.mkdtemp, dir=scratch, prefix=_ROOM))
    try:
        yield folder
    finally:
        os.close(held)
        disk.remove(folder)


def one_ahead(items: Iterator[list[T]]) -> Iterator[T]:
    """The items, one list being made while those of the one before are used."""
    with ThreadPoolExecutor(1, "draw") as maker:
        coming = maker.submit(next, items, None)
        while (here := coming.result()) is not None:
            coming = maker.submit(next, items, None)
            yield from here
