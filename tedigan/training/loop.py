"""The one training loop: steps, progress, log, checkpoint, resume.

Every step draws its randomness from `(seed, name, step)`, so a run that was killed and resumed ends with
the same bytes as one that was not. Of several ranks (tedigan.training.ranks) the first one writes.
"""

import csv
import io
import json
import math
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tedigan.errors import NumbersError
from tedigan.processes import End, asked_to_end
from tedigan.progress import note, progress, tell
from tedigan.store.checkpoints import CheckpointFile
from tedigan.store.files import append_line, sha256_file, sha256_tree, sha256_value, write_text
from tedigan.tensors import first_not_finite
from tedigan.training import ranks
from tedigan.training.meter import Meter, in_words
from tedigan.training.profiling import profiled

LOG_ROWS = 200


@runtime_checkable
class Stateful(Protocol):
    """A network, an optimiser: anything whose state can be kept and put back."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Put a state back."""


@dataclass(frozen=True)
class Lookout:
    """Numbers that a training's state is asked for each `every` steps, and at its end: of what it makes.

    There is a checkpoint before each look, so that one that fails costs nothing.

    look: number of steps done -> numbers. It changes nothing and draws from no stream of the training's.
    """

    every: int
    look: Callable[[int], dict[str, float]]

    def is_due(self, done: int, num_steps: int) -> bool:
        """Whether it looks after this many steps."""
        return done % self.every == 0 or done == num_steps


class Loop:
    """A training run, found again after a kill by the digest of what it depends on.

    depends_on: plain values; another version of any of them starts anew. inputs: folders of earlier results;
    their content is part of the digest. every: steps from one checkpoint to the next.
    batch_size: images of a step, for what is said of its speed; None = its steps are not of images.
    profile_steps: how many of them are looked at closely, once; 0 = none.

    `<work>/stats/<name>.jsonl` grows by a line each step that is logged: when, how fast, and its numbers.
    sheets: a folder of this training's own, for pictures of what it makes.
    """

    def __init__(
        self,
        name: str,
        *,
        work: Path,
        depends_on: Mapping[str, Any],
        inputs: list[Path],
        every: int,
        batch_size: int | None = None,
        profile_steps: int = 0,
    ) -> None:
        spec = {**depends_on, "inputs": [_digest(path) for path in inputs]}
        self.name, self.every = name, every
        self.checkpoint = CheckpointFile(work, name, sha256_value(spec))
        self.sheets = work / "sheets" / name / self.checkpoint.path.stem
        self.stats, self.meter = stats_file(work, name), Meter(batch_size)
        self.profiled = partial(
            profiled, work / "profiles" / f"{name}-{ranks.rank()}.json", profile_steps
        )
        self.resumed_from_step: int | None = None
        self.rows: list[dict[str, float]] = []

    def run(
        self,
        components: Mapping[str, Stateful],
        step: Callable[[int], dict[str, float]],
        *,
        num_steps: int,
        lookout: Lookout | None = None,
    ) -> None:
        """Call `step(i)` for the steps that remain; it returns numbers for the log.

        What the lookout sees goes to the stats file and to who listens, and not into the log, which is a result.

        The first that is not finite is a NumbersError, and the last checkpoint stays as it is. SIGTERM and Ctrl-C
        end it after the step that it is at, with a checkpoint; so they do where another rank hears them. At the
        end the ranks beside the first leave by SystemExit(0).
        """
        start = self._resume(components, num_steps)
        log_every = max(1, num_steps // LOG_ROWS)
        bar = progress(total=num_steps, initial=start, desc=self.name, unit="step")
        self.meter.start(start)
        with asked_to_end() as end, self.profiled() as look:
            for i in range(start, num_steps):
                numbers = self._taken(step, i, num_steps, end)
                if i % log_every == 0 or i == num_steps - 1:
                    bar.set_postfix_str(self._logged(i, numbers), refresh=False)
                bar.update()
                look()
                is_due = lookout is not None and lookout.is_due(i + 1, num_steps)
                if end.is_asked or is_due or ((i + 1) % self.every == 0 and i + 1 < num_steps):
                    self._save(components, i + 1)
                if lookout is not None and is_due:
                    self._looked(lookout, i + 1)
                if end.is_asked:
                    note(f"{self.name}: asked to end; goes on from step {i + 1}")
                    break
        bar.close()
        if not ranks.is_first():
            raise SystemExit(0)

    def _taken(
        self, step: Callable[[int], dict[str, float]], i: int, num_steps: int, end: End
    ) -> dict[str, float]:
        """A step's numbers, of all ranks; if one of these was asked to end, this one is too."""
        numbers, is_asked = ranks.agreed(step(i), is_asked=end.is_asked)
        if is_asked and not end.is_asked:
            end.signal = signal.SIGTERM
        self._check(numbers, i, num_steps)
        return numbers

    def _logged(self, i: int, numbers: Mapping[str, float]) -> str:
        """A row of the log, a line of the stats file, and the status line."""
        self.rows.append({"step": float(i), **numbers})
        speed = self.meter.read(i + 1)
        self._told(i, {**speed, **numbers})
        return ", ".join(
            [in_words(speed), *(f"{name} {value:.3g}" for name, value in numbers.items())]
        )

    def _looked(self, lookout: Lookout, done: int) -> None:
        """By the first rank, for which the others wait. What it takes is no step's time."""
        if not ranks.is_first():
            return
        if seen := lookout.look(done):
            note(
                f"{self.name}: " + ", ".join(f"{name} {value:.4g}" for name, value in seen.items())
            )
            self._told(done - 1, seen)
        self.meter.start(done)

    def _told(self, step: int, numbers: Mapping[str, float]) -> None:
        """By the first rank, to the stats file and to who listens."""
        if ranks.is_first():
            now = datetime.now(UTC).isoformat(timespec="seconds")
            line = {"step": step, "time": now, "num_ranks": ranks.num_ranks(), **numbers}
            append_line(self.stats, json.dumps(line))
            tell(step, numbers)

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
        ranks.check_alike(states, step)
        if ranks.is_first():
            self.checkpoint.save(
                {
                    "step": step,
                    "rows": self.rows,
                    "states": states,
                    "num_ranks": ranks.num_ranks(),
                }
            )

    def _resume(self, components: Mapping[str, Stateful], num_steps: int) -> int:
        state = self.checkpoint.load()
        start = 0 if state is None or state["step"] > num_steps else int(state["step"])
        if state is not None and start:
            for name, component in components.items():
                component.load_state_dict(state["states"][name])
            self.rows, self.resumed_from_step = state["rows"], start
            note(f"{self.name}: resumes from its checkpoint at step {start}")
            self._say_of_others(state["num_ranks"])
        ranks.check_alike({name: one.state_dict() for name, one in components.items()}, start)
        return start

    def _say_of_others(self, num_before: int) -> None:
        if num_before != ranks.num_ranks():
            note(
                f"{self.name}: {num_before} processes began it and {ranks.num_ranks()} go on: with the same "
                "batches, but other rounding, so that the last bits are not those of an undisturbed run"
            )


def stats_file(work: Path, name: str) -> Path:
    """What grows while it trains; it stays when it is finished."""
    return work / "stats" / f"{name}.jsonl"


def _digest(path: Path) -> str:
    """A model folder by its bytes; a data set by its tables, which name its shards by their sha256."""
    if (path / "index.parquet").is_file():
        tables = ("index.parquet", "dataset.json")
        return sha256_value([sha256_file(path / name) for name in tables])
    return sha256_tree(path)
