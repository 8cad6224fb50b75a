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

    What it gives is to be called after each step. A run that ends earlier leaves those that it took, or a note.
    """
    if not num_steps:
        yield lambda: None
        return
    activities = [ProfilerActivity.CPU]
    activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
    with profile(
        activities=activities,
        schedule=schedule(wait=NUM_BEFORE - 1, warmup=1, active=num_steps, repeat=1),
        on_trace_ready=partial(_keep, path=path),
        profile_memory=True,
    ) as recording:
        yield recording.step
    if recording.step_num <= NUM_BEFORE:
        note(
            f"there is no profile: the run took {recording.step_num} steps, of which it begins after {NUM_BEFORE}"
        )


def _keep(recorded: profile, *, path: Path) -> None:
    if not (num_steps := recorded.step_num - NUM_BEFORE):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    recorded.export_chrome_trace(str(path))
    sort = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    note(recorded.key_averages().table(sort_by=sort, row_limit=12))
    note(f"the profile of {num_steps} steps lies at {path}; open it in chrome://tracing")
