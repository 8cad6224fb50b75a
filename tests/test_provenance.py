"""The run record names what float bits depend on, and how the run ended."""

import json
import multiprocessing
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tedigan.provenance import close_killed, run_record, surroundings


def test_the_record_names_threads_processor_and_packages():
    before = torch.get_num_threads()
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            around = surroundings()
            assert around["num_threads"] == count
    finally:
        torch.set_num_threads(before)
    assert around["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
    assert around["packages"]["torch"] == torch.__version__


def opened(folder: Path, stage: str) -> Any:
    return run_record(folder, stage=stage, code="", params={}, ids={"mlflow_run_id": f"of {stage}"})


def hang(folder: Path) -> None:
    with opened(folder, "train_generator"):
        (folder / "hangs").touch()
        time.sleep(60)


def states(folder: Path) -> dict[str, str | None]:
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return {record["stage"]: record.get("state") for record in records}


def test_a_run_that_was_killed_is_called_so_by_the_next(tmp_path: Path) -> None:
    with opened(tmp_path, "invert"):
        pass
    with pytest.raises(KeyboardInterrupt), opened(tmp_path, "evaluate"):
        raise KeyboardInterrupt
    process = multiprocessing.get_context("fork").Process(target=hang, args=(tmp_path,))
    process.start()
    while not (tmp_path / "hangs").exists():
        time.sleep(0.02)
    process.kill()
    process.join()
    assert [record["ids"]["mlflow_run_id"] for record in close_killed(tmp_path)] == [
        "of train_generator"
    ]
    assert states(tmp_path) == {
        "invert": "finished",
        "evaluate": "failed",
        "train_generator": "killed",
    }
    assert close_killed(tmp_path) == []


def test_what_ended_a_run_is_raised_where_its_record_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "runs"

    def run() -> None:
        with run_record(folder, stage="s", code="c", params={}, ids={}):
            shutil.rmtree(folder)
            folder.write_text("no folder, so that nothing can be written in it")
            raise ValueError("it is this")

    with pytest.raises(ValueError, match="it is this"):
        run()
