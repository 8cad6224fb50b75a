"""Times one thing in this process, as wall and CPU seconds. Imports nothing of the project."""

import json
import time
from collections.abc import Callable
from typing import Any

import torch


def measure(call: Callable[[], object], *, repeats: int, warm_up: int = 1) -> dict[str, Any]:
    """Seconds of each call after the warm-up; a GPU's work is waited for."""
    for _ in range(warm_up):
        call()
    _wait()
    wall, cpu = [], []
    for _ in range(repeats):
        start, start_cpu = time.perf_counter(), time.process_time()
        call()
        _wait()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - start_cpu)
    return {"wall_s": wall, "cpu_s": cpu}


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def say(result: dict[str, Any]) -> None:
    """The worker's one line for its parent."""
    print("RESULT " + json.dumps(result), flush=True)
