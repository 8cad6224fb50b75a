"""Toy workers that write down what they do, and what can be read from it.

A folder of notes has a file a process, `<pid>.txt`, with lines such as `drew 12`.
"""

import os
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.toy_jobs import ToyWorker
from tedigan.bulk.shard_files import ShardFiles

MEET_WITHIN_S = 1800.0  # the other may come late, as it dies on its way


@dataclass(frozen=True)
class NotedWorker(ToyWorker):
    """notes: the folder. meeting: the shard whose commit it holds back until another has drawn it too."""

    notes: Path = Path()
    meeting: int = -1

    def work(self, shards: Iterable[int]) -> Iterator[int]:
        """As every worker does."""
        self._note("works", 0)
        for shard in super().work(shards):
            self._note("settled", shard)
            yield shard

    def draw(self, shard: int, folder: Path) -> ShardFiles:
        """The files of a shard, in `folder`."""
        files = super().draw(shard, folder)
        self._note("drew", shard)
        if shard == self.meeting and _meet(self.notes / "meeting"):
            self._note("met", shard)
        return files

    def _note(self, what: str, shard: int) -> None:
        with (self.notes / f"{os.getpid()}.txt").open("a") as file:
            file.write(f"{what} {shard}\n")


def _meet(room: Path) -> bool:
    """Wait until another living process is here too; False where none came."""
    room.mkdir(exist_ok=True)
    (room / str(os.getpid())).touch()
    deadline = time.monotonic() + MEET_WITHIN_S
    while time.monotonic() < deadline:
        if sum(is_alive(int(one.name)) for one in room.iterdir()) > 1:
            return True
        time.sleep(0.002)
    return False


class Notes:
    """What the workers of one job have written."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder

    def living(self) -> list[int]:
        """Processes that have begun to work and are there."""
        pids = [int(one.stem) for one in self.folder.glob("*.txt")]
        return sorted(pid for pid in pids if is_alive(pid))

    def has_drawn(self, pids: Iterable[int]) -> bool:
        """Whether one of them has drawn a shard."""
        files = [self.folder / f"{pid}.txt" for pid in pids]
        return any("drew" in file.read_text() for file in files)

    def who(self, what: str) -> dict[int, list[int]]:
        """Shard -> the processes that did so, as often as they did."""
        found = defaultdict(list)
        for file in self.folder.glob("*.txt"):
            for line in file.read_text().splitlines():
                said, _, shard = line.partition(" ")
                if said == what:
                    found[int(shard)].append(int(file.stem))
        return found

    def are_meeting(self) -> bool:
        """Whether somebody is about to commit what another commits too."""
        met, settled = self.who("met"), self.who("settled")
        return any(is_alive(pid) for shard in met for pid in {*met[shard]} - {*settled[shard]})

    @property
    def num_drawn(self) -> int:
        """Shards that were drawn to the end, by whomever."""
        return sum(map(len, self.who("drew").values()))

    @property
    def num_in_vain(self) -> int:
        """Of them, those that another had committed by then."""
        drew, settled = self.who("drew"), self.who("settled")
        both = [set(drew[shard]) & set(settled[shard]) for shard in drew]
        return sum(max(0, len(one) - 1) for one in both)

    @property
    def num_met(self) -> int:
        """Shards that two finished at the same time, each of whom was told that it is settled."""
        met, settled = self.who("met"), self.who("settled")
        return sum(len(set(met[shard]) & set(settled[shard])) > 1 for shard in met)


def is_alive(pid: int) -> bool:
    """Whether a process is there, and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"
