import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tedigan.errors import StoreError
from tedigan.turns import turn


def hold(path: Path) -> None:
    with turn(path, "the stage train_generator"):
        path.with_name("held").touch()
        time.sleep(60)


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[multiprocessing.Process]:
    """Another process whose turn it is."""
    process = multiprocessing.get_context("fork").Process(target=hold, args=(tmp_path / "turn",))
    process.start()
    while not (tmp_path / "held").exists():
        time.sleep(0.02)
    yield process
    process.kill()
    process.join()


def test_who_waits_is_told_for_whom(tmp_path: Path, holder: multiprocessing.Process) -> None:
    heard: list[str] = []
    with (
        pytest.raises(StoreError, match=f"held for too long, by .*process {holder.pid} on"),
        turn(tmp_path / "turn", "another", within_s=0.3, say=heard.append),
    ):
        pass
    (line,) = heard
    assert line.startswith(f"waits for the stage train_generator (process {holder.pid} on")


def test_a_turn_ends_with_its_process(tmp_path: Path, holder: multiprocessing.Process) -> None:
    holder.kill()
    with turn(tmp_path / "turn", "the stage invert", within_s=5.0):
        assert f"the stage invert (process {os.getpid()}" in (tmp_path / "turn").read_text()


def test_nobody_is_told_of_a_turn_that_is_free(tmp_path: Path) -> None:
    heard: list[str] = []
    for _ in range(2):
        with turn(tmp_path / "turn", "one", say=heard.append):
            pass
    assert heard == []
