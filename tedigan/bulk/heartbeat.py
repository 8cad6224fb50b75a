"""What workers say of themselves: workers/<id>.json of a job's folder, each written by its worker alone.

It is for people. No shard is decided by it; a budget alone adds its seconds up. Durations are by a worker's own
monotonic clock and ages by the store's, so that no machine's date counts.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from tedigan.bulk.commit import Commit
from tedigan.errors import StoreError
from tedigan.store.at_once import read_all
from tedigan.store.objects import Bucket

WORKERS = "workers/"
BEAT_S = 30.0  # a worker at work speaks at least so often, be its shards ever so long
REST_S = 5.0  # and not more often, be they ever so short
_MAX_CHARACTERS = 300  # of an error's line


@dataclass(frozen=True)
class Heartbeat:
    """state: draws, waits (for shards), ended (by time or a cancellation) or stopped (by `error`).

    shard: the one it is at. Counts are of shards that it settled; num_marked, num_failed: of its images. seconds:
    at work, of which drawing and sending, which overlap. began, spoke: by its own clock, which may be wrong.
    """

    worker: str
    host: str
    pid: int
    began: str
    spoke: str
    state: str = "waits"
    shard: int | None = None
    num_shards: int = 0
    num_images: int = 0
    num_marked: int = 0
    num_failed: int = 0
    seconds: float = 0.0
    seconds_drawing: float = 0.0
    seconds_sending: float = 0.0
    error: str = ""

    def to_bytes(self) -> bytes:
        """As the file holds it."""
        return json.dumps(asdict(self), sort_keys=True).encode()


class Pulse:
    """One worker's heartbeat: told by the threads that work, spoken by another, so that nobody waits for it.

    A store that does not take it is not heard of: of all that a worker writes, this alone may be lost.
    """

    def __init__(self, bucket: Bucket, *, alive: str) -> None:
        """alive: an object of the bucket without which nothing is written, as the job was removed."""
        host, pid, now = socket.gethostname(), os.getpid(), _utc()
        name = "".join(filter(str.isalnum, host)) or "host"
        self._bucket, self._alive = bucket, alive
        self._said = Heartbeat(f"{name}-{pid}-{uuid.uuid4().hex[:8]}", host, pid, now, now)
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._began_s = 0.0  # when it would have begun, had it worked ever since

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Speak now and then while the block works, and when it ends, however it ends."""
        over = threading.Event()
        self._began_s = time.monotonic() - self._said.seconds
        speaker = threading.Thread(target=self._beat, args=(over,), name="pulse", daemon=True)
        speaker.start()
        try:
            yield
        except GeneratorExit:
            raise
        except BaseException as error:
            self._tell(state="stopped", error=_line_of(error))
            raise
        finally:
            over.set()
            self._news.set()
            speaker.join()
            if self._said.state == "draws":
                self._tell(state="waits", shard=None)
            self._speak()

    def draws(self, shard: int) -> None:
        """A shard is begun."""
        self._tell(state="draws", shard=shard, error="")

    def drew(self, seconds: float) -> None:
        """It is drawn."""
        self._tell(seconds_drawing=self._said.seconds_drawing + seconds)

    def settled(self, commit: Commit, seconds: float) -> None:
        """A shard is committed; it took so long to send."""
        said = self._said
        self._tell(
            num_shards=said.num_shards + 1,
            num_images=said.num_images + commit.num_images,
            num_marked=said.num_marked + commit.num_marked,
            num_failed=said.num_failed + commit.num_failed,
            seconds_sending=said.seconds_sending + seconds,
        )
        self._news.set()

    def ends(self) -> None:
        """No further shard is begun, though some may be left."""
        self._tell(state="ended", shard=None)

    @property
    def has_ended(self) -> bool:
        """Whether the last word was that."""
        return self._said.state == "ended"

    def _tell(self, **values: Any) -> None:
        with self._lock:
            self._said = replace(self._said, **values)

    def _beat(self, over: threading.Event) -> None:
        while not over.is_set():
            self._news.clear()
            self._speak()
            if not over.wait(REST_S):
                self._news.wait(BEAT_S - REST_S)

    def _speak(self) -> None:
        self._tell(seconds=time.monotonic() - self._began_s, spoke=_utc())
        with suppress(StoreError):
            if self._bucket.exists(self._alive):
                self._bucket.write(f"{WORKERS}{self._said.worker}.json", self._said.to_bytes())


def read_heartbeats(bucket: Bucket, names: Iterable[str]) -> dict[str, Heartbeat]:
    """By the names of their objects; what is none is left out."""
    every = list(names)
    found = zip(every, read_all(bucket, every), strict=True)
    read = {name: _heartbeat_from(content) for name, content in found}
    return {name: one for name, one in read.items() if one is not None}


def hours_spent(bucket: Bucket) -> float:
    """Worker-hours that went into a job, as far as its workers said; a killed one's last half minute is lost."""
    return hours_of(read_heartbeats(bucket, bucket.names(WORKERS)).values())


def hours_of(workers: Iterable[Heartbeat]) -> float:
    """The hours that they were at work."""
    return sum(one.seconds for one in workers) / 3600


def _heartbeat_from(content: bytes) -> Heartbeat | None:
    """As printable text and numbers: it is shown on a terminal, and anyone may have written it.

    An earlier version's worker did not count all that is counted now.
    """
    try:
        found = json.loads(content)
        known = [one for one in fields(Heartbeat) if one.name in found]
        return Heartbeat(**{one.name: _plain(one.type, found[one.name]) for one in known})
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _plain(kind: Any, value: Any) -> Any:
    if kind is str:
        return "".join(filter(str.isprintable, str(value)))[:_MAX_CHARACTERS]
    if kind is float:
        return max(0.0, float(value))
    return None if value is None and kind is not int else int(value)


def _line_of(error: BaseException) -> str:
    line = str(error).partition("\n")[0] or type(error).__name__
    return line[:_MAX_CHARACTERS]


def _utc() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
