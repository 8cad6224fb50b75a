"""A training that is asked to end does so after its step, with a checkpoint, and goes on to the same bytes."""

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tedigan.progress import listening, note, progress
from tedigan.training.loop import Loop, stats_file

NUM_STEPS = 10


class Sum:
    """What is trained."""

    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        self.value = state["value"]


@pytest.fixture(autouse=True)
def _as_a_command() -> Iterator[None]:
    """What a process begins with, whatever other tests of this one left."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def train(work: Path, at: Callable[[int], None] = lambda _: None) -> tuple[Sum, Loop]:
    total, loop = Sum(), Loop("toy", work=work, depends_on={}, inputs=[], every=1000)

    def step(i: int) -> dict[str, float]:
        at(i)
        total.value += i
        return {"loss": float(i)}

    loop.run({"sum": total}, step, num_steps=NUM_STEPS)
    return total, loop


def send(number: int, *, at: int, times: int = 1) -> Callable[[int], None]:
    def signal_then(i: int) -> None:
        if i == at:
            for _ in range(times):
                signal.raise_signal(number)

    return signal_then


@pytest.mark.parametrize(
    ("number", "ending"), [(signal.SIGTERM, SystemExit), (signal.SIGINT, KeyboardInterrupt)]
)
def test_what_was_done_until_the_signal_is_kept(tmp_path, number: int, ending: type) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(ending) as said:
        train(tmp_path, send(number, at=3))
    assert number != signal.SIGTERM or said.value.code == 143
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before
    total, loop = train(tmp_path)
    assert loop.resumed_from_step == 4
    assert total.value == sum(range(NUM_STEPS))
    assert [row["loss"] for row in loop.rows] == [*range(NUM_STEPS)]


def test_asked_twice_it_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, send(signal.SIGINT, at=3, times=2))
    assert train(tmp_path)[1].resumed_from_step is None


def test_a_signal_at_the_last_step_loses_nothing(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        train(tmp_path, send(signal.SIGTERM, at=NUM_STEPS - 1))
    total, loop = train(tmp_path)
    assert (total.value, loop.resumed_from_step) == (sum(range(NUM_STEPS)), NUM_STEPS)


def test_who_listens_hears_each_step_of_the_log(tmp_path: Path) -> None:
    heard: list[tuple[int, Any]] = []
    with listening(lambda step, numbers: heard.append((step, numbers))):
        train(tmp_path / "a")
    train(tmp_path / "b")
    assert [(step, said["loss"]) for step, said in heard] == [
        (i, float(i)) for i in range(NUM_STEPS)
    ]
    assert {"s_per_step", "wait_ms", "memory_gib"} < heard[0][1].keys()


def test_the_file_of_numbers_grows_over_runs(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        train(tmp_path, send(signal.SIGTERM, at=3))
    train(tmp_path)
    lines = [json.loads(line) for line in stats_file(tmp_path, "toy").read_text().splitlines()]
    assert [(one["step"], one["loss"]) for one in lines] == [(i, i) for i in range(NUM_STEPS)]


def test_nobody_at_the_other_end_of_the_bar_kills_nothing(tmp_path, monkeypatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError(text)

        def flush(self) -> None:
            raise ValueError("I/O operation on closed file")

    monkeypatch.setattr(sys, "stderr", Broken())
    assert train(tmp_path)[0].value == sum(range(NUM_STEPS))
    assert list(progress([1, 2], desc="x", unit="y")) == [1, 2]
    note("a line")
