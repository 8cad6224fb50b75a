"""A close look at some steps of a training, where somebody asks for it: `runtime.profile`."""

from pathlib import Path
from types import TracebackType

import torch
from torch.profiler import ProfilerActivity, profile, schedule

from tedigan.progress import note

NUM_BEFORE = 5  # steps, whose first ones look for kernels and memory


class Profile:
    """Records `num_steps` steps after the first few of a run, as a trace for chrome://tracing; 0 records none."""

    def __init__(self, path: Path, num_steps: int) -> None:
        self.path, self.num_steps = path, num_steps
        self._profiler: profile | None = None

    def __enter__(self) -> "Profile":
        if self.num_steps:
            activities = [ProfilerActivity.CPU]
            activities += [ProfilerActivity.CUDA] if torch.cuda.is_available() else []
            when = schedule(wait=NUM_BEFORE - 1, warmup=1, active=self.num_steps, repeat=1)
            self._profiler = profile(
                activities=activities,
                schedule=when,
                on_trace_ready=self._keep,
                profile_memory=True,
            )
            self._profiler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._profiler is not None:
            self._profiler.stop()

    def step(self) -> None:
        """Another one is over."""
        if self._profiler is not None:
            self._profiler.step()

    def _keep(self, recorded: profile) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        recorded.export_chrome_trace(str(self.path))
        sort = "self_cuda_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
        note(recorded.key_averages().table(sort_by=sort, row_limit=12))
        note(
            f"the profile of {self.num_steps} steps lies at {self.path}; open it in chrome://tracing"
        )
