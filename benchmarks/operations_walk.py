"""A walk through docs/operations.md, recorded: `python -m benchmarks.operations_walk --work FOLDER`

A clone of this checkout with small params and the whole platform around it (`python -m infra up`). A first
release; a scheduled retraining that is better and is promoted; one that is worse and is told why not; a
rollback; an approval; then everything that may die in mid-run. Beside all of it one plan of the first release is
drawn again and again. At the end each run's state is compared in Prefect, MLflow and the run records.
`--full-disk` fills the disk that FOLDER lies on: give it a small one of its own.
"""

import argparse
import datetime
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.pairing import RESULTS, machine, table
from benchmarks.walk.faults import FAULTS
from benchmarks.walk.generation import Generation
from benchmarks.walk.platform import Platform, WalkError, platform_up
from benchmarks.walk.states import compare_states, done_twice
from benchmarks.walk.story import KEY, POLICY, STORY, champion

EDITS_OF_FEW = {"edit_reached": 0.4, "edit_kept": 0.4, "edit_same_person": 0.4}
Step = Callable[[Platform], str]


def main() -> int:
    """Walk, print the table, write the result file; 1 where a step went another way."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="a new folder")
    parser.add_argument("--full-disk", action="store_true")
    parser.add_argument(
        "--only", nargs="+", metavar="STEP", help="of those after the first release"
    )
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    steps = _chosen(given)
    rows = list[dict[str, Any]]()
    with platform_up(given.work.resolve()) as platform:
        _write_policy(platform)
        rows.append(_walked(platform, "a first release", STORY["a first release"]))
        generation = Generation(platform, champion(platform))
        with generation.beside():
            rows += [_walked(platform, name, step) for name, step in steps.items()]
        rows.append(_walked(platform, "generation beside it", lambda _: generation.check()))
        rows.append(_walked(platform, "states", compare_states))
        rows.append(_walked(platform, "nothing twice", done_twice))
    out = RESULTS / f"{datetime.date.today().isoformat()}-operations-walk.json"
    out.write_text(json.dumps({"machine": machine(), "steps": rows}, indent=2) + "\n")
    print(
        table(
            ["step", "as said", "seconds", "what came of it"],
            [[str(value) for value in one.values()] for one in rows],
        )
    )
    print(f"\n{out}; every command with its answer: {platform.log}")
    return int(not all(one["as said"] for one in rows))


def _chosen(given: argparse.Namespace) -> dict[str, Step]:
    """The steps after the first."""
    known = STORY | FAULTS
    left_out = {"a first release"} | (set() if given.full_disk else {"a full disk"})
    names = given.only or [name for name in known if name not in left_out]
    return {name: known[name] for name in names}


def _write_policy(platform: Platform) -> None:
    """Only this platform's key signs, and edits of eight photographs may differ as chance makes eight differ."""
    path = platform.root / POLICY
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["signers"] = [KEY]
    content["at_most_worse"] |= EDITS_OF_FEW
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    platform.say(f"# {POLICY}: signers {KEY}, at_most_worse {EDITS_OF_FEW}")


def _walked(platform: Platform, name: str, step: Step) -> dict[str, Any]:
    """One step as a row; what goes another way is a row too, and the walk goes on."""
    platform.say(f"\n## {name}")
    begun = time.monotonic()
    try:
        said, is_so = step(platform), True
    except WalkError as error:
        said, is_so = f"{type(error).__name__}: {error}", False
    platform.say(f"## {name}: {said}")
    print(f"{name}: {said}", file=sys.stderr, flush=True)
    return {
        "step": name,
        "as said": is_so,
        "seconds": round(time.monotonic() - begun),
        "what came of it": said,
    }


if __name__ == "__main__":
    raise SystemExit(main())
