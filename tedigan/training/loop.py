"""The one training loop: steps, progress, log, checkpoint, resume.

Every step draws its randomness from `(seed, name, step)`, so a run that was killed and resumed ends with
the same bytes as one that was not.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tedigan.errors import NumbersError
from tedigan.processes import asked_to_end
from tedigan.progress import note, progress, tell
from tedigan.store.checkpoints import CheckpointFile
from tedigan.store.files import sha256_file, sha256_tree, sha256_value, write_text
from tedigan.tensors import first_not_finite

LOG_ROWS = 200


@runtime_checkable
class Stateful(Protocol):
    """A network, an optimiser: anything whose state can be kept and put back."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Put a state back."""


class Loop:
    """A training run, found again after a kill by the digest of what it depends on.

    depends_on: plain values; another version of any of them starts anew. inputs: folders of earlier results;
    their content is part of the digest.
    """

    def __init__(
        self,
        name: str,
        *,
        work: Path,
        depends_on: Mapping[str, Any],
        inputs: list[Path],
        every: int,
    ) -> None:
        spec = {**depends_on, "inputs": [_digest(path) for path in inputs]}
        self.name, self.every = name, every
        self.checkpoint = CheckpointFile(work, name, sha256_value(spec))
        self.resumed_from_step: int | None = None
        self.rows: list[dict[str, float]] = []

    def run(
        self,
        components: Mapping[str, Stateful],
        step: Callable[[int], dict[str, float]],
        *,
        num_steps: int,
    ) -> None:
        """Call `step(i)` for the steps that remain; it returns numbers for the log.

        The first that is not finite is a NumbersError, and the last checkpoint stays as it is. SIGTERM and Ctrl-C
        end it after the step that it is at, with a checkpoint.
        """
        start = self._resume(components, num_steps)
        log_every = max(1, num_steps // LOG_ROWS)
        bar = progress(total=num_steps, initial=start, desc=self.name, unit="step")
        with asked_to_end() as end:
            for i in range(start, num_steps):
                numbers = step(i)
                self._check(numbers, i, num_steps)
                if i % log_every == 0 or i == num_steps - 1:
                    self.rows.append({"step": float(i), **numbers})
                    tell(i, numbers)
                    shown = {name: f"{value:.3g}" for name, value in numbers.items()}
                    bar.set_postfix(shown, refresh=False)
                bar.update()
                if end.is_asked or ((i + 1) % self.every == 0 and i + 1 < num_steps):
                    self._save(components, i + 1)
                if end.is_asked:
                    note(f"{self.name}: asked to end; goes on from step {i + 1}")
                    break
        bar.close()

    def write_log(self, path: Path) -> None:
        """The logged numbers as CSV: step, then one column a number."""
        buffer = io.StringIO()
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        writer = csv.DictWriter(buffer, columns, lineterminator="\n", restval="")
        writer.writeheader()
        for row in self.rows:
            writer.writerow({name: f"{value:.6g}" for name, value in row.items()})
        write_text(path, buffer.getvalue())

    def last(self, *names: str, share: float = 0.1) -> dict[str, float]:
        """Mean of each logged number over the last `share` of the run; without those that were not logged."""
        means = {}
        for name in names:
            values = [row[name] for row in self.rows if name in row]
            tail = values[-max(1, int(len(values) * share)) :]
            if tail:
                means[name] = sum(tail) / len(tail)
        return means

    def _check(self, numbers: Mapping[str, float], step: int, num_steps: int) -> None:
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise self._diverged(f"{name} is {value} at step {step} of {num_steps}")

    def _diverged(self, what: str) -> NumbersError:
        return NumbersError(
            f"{self.name}: {what}, expected a finite number; the training diverged. Lower its learning rate, "
            f"first by half ({self.name}.learning_rate). Earlier checkpoints and models are left as they were."
        )

    def _save(self, components: Mapping[str, Stateful], step: int) -> None:
        states = {name: component.state_dict() for name, component in components.items()}
        if broken := first_not_finite(states):
            raise self._diverged(f"{broken} holds NaN or infinity after step {step - 1}")
        self.checkpoint.save({"step": step, "rows": self.rows, "states": states})

    def _resume(self, components: Mapping[str, Stateful], num_steps: int) -> int:
        state = self.checkpoint.load()
        if state is None or state["step"] > num_steps:
            return 0
        for name, component in components.items():
            component.load_state_dict(state["states"][name])
        self.rows, self.resumed_from_step = state["rows"], state["step"]
        note(f"{self.name}: resumes from its checkpoint at step {state['step']}")
        return int(state["step"])


def _digest(path: Path) -> str:
    """A model folder by its bytes; a data set by its tables, which name its shards by their sha256."""
    if (path / "index.parquet").is_file():
        tables = ("index.parquet", "dataset.json")
        return sha256_value([sha256_file(path / name) for name in tables])
    return sha256_tree(path)
