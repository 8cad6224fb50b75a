"""A close look at some steps of a training, where somebody asks for it: `runtime.profile`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from tedigan.progress import note

NUM_BEFORE = 5  # steps, whose first ones look for kernels and memory


@contextmanager
def profiled(path: Path, num_steps: int) -> Iterator[Callable[[], None]]:
    """Records `num_steps` steps after the first few of a run, as a trace for chrome://tracing; 0 records none.

    What it gives is to be called after each step.
    """
    if not num_steps:
        yield lambda: None
        return
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    with profile(
        activities=activities,
        schedule=schedule(wait=NUM_BEFORE - 1, warmup=1, active=num_steps, repeat=1),
        on_trace_ready=partial(_keep, path=path, num_steps=num_steps),
        profile_memory=True,
    ) as recording:
        yield recording.step


def _keep(recorded: profile, *, path: Path, num_steps: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    recorded.export_chrome_trace(str(path))
    sort = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    note(recorded.key_averages().table(sort_by=sort, row_limit=12))
    note(f"the profile of {num_steps} steps lies at {path}; open it in chrome://tracing")
