"""A worker of toy jobs as a flow, which says in which process it draws."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow

from benchmarks.toy_jobs import ToyWorker
from tasks.bulk import draw_shards
from tedigan.errors import StoreError


@dataclass(frozen=True)
class Known(ToyWorker):
    """In the folder of its models: writes `<pid>.pid`, dies once for a file `die`, and fails for one `fail`."""

    def draw(self, shard: int, folder: Path):
        (self.models / f"{os.getpid()}.pid").touch()
        if self.ledger.committed() and (self.models / "die").exists():
            (self.models / "die").unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if (self.models / "fail").exists():
            raise StoreError("the disk is full")
        return super().draw(shard, folder)


@flow(name="draw-toys")
def draw_toys(worker: dict[str, Any], begin: int) -> None:
    """See `flows.bulk.draw`."""
    draw_shards(Known.from_json(worker), begin)
