"""Does a test notice when the code is wrong? mutmut on a sample of its mutants, counted room by room.

    python -m benchmarks.mutants --count 400

The sample: those mutants whose names have the least sha256, so the same ones on every machine, and still the
same when tests are added. [tool.mutmut] in pyproject.toml says what is mutated, and which tests are asked.
"""

import argparse
import hashlib
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import walk_mutatable_files
from mutmut.utils.format_utils import get_mutant_name
from scipy.stats import binomtest

from benchmarks.pairing import table

STATS = Path("mutants/mutmut-stats.json")
NOTICED = ("killed", "timeout", "caught by type check")
COLUMNS = [
    "",
    "mutants",
    *NOTICED,
    "survived",
    "no tests",
    "noticed",
    "of those that mypy lets pass",
]


def main() -> None:
    """Run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400)
    names = sample(all_mutants(), parser.parse_args().count)
    _mutmut(names[:1])  # writes the mutants, and which test runs which function
    stats = json.loads(STATS.read_text("utf-8"))
    share_fixtures(stats)
    STATS.write_text(json.dumps(stats, indent=4), "utf-8")
    _mutmut(names)
    status = statuses(names)
    print("\n".join(f"{status[name]}: {name}" for name in names if status[name] not in NOTICED))
    print(summary(status))


def all_mutants() -> list[str]:
    """The names of all that mutmut makes of the rooms."""
    return [
        get_mutant_name(path, mutant)
        for path in walk_mutatable_files()
        for mutant in mutate_file_contents(str(path), path.read_text("utf-8")).mutant_names
    ]


def sample(names: Iterable[str], count: int) -> list[str]:
    """The `count` names of the least sha256."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())[:count]


def share_fixtures(stats: dict[str, Any]) -> None:
    """Each test takes on what the others of its file run.

    mutmut counts the calls of a fixture for the first test that asks for it; the others look at the same result.
    """
    of_file = defaultdict(list)
    for test in stats["duration_by_test"]:
        of_file[test.partition("::")[0]].append(test)
    for function, tests in stats["tests_by_mangled_function_name"].items():
        files = sorted({test.partition("::")[0] for test in tests})
        wider = [test for file in files for test in of_file[file]]
        stats["tests_by_mangled_function_name"][function] = wider


def statuses(names: Iterable[str]) -> dict[str, str]:
    """What came of each mutant."""
    codes: dict[str, int | None] = {}
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        codes |= data.exit_code_by_key
    return {name: status_by_exit_code[codes[name]] for name in names}


def summary(status: Mapping[str, str]) -> str:
    """A row for each module and each room, and one for all; the shares with their 95 % interval (Wilson)."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for name, value in status.items():
        _, room, module = name.split(".")[:3]
        for group in (f"{room}/{module}.py", f"{room}/", "~ all"):
            counts[group][value] += 1
    return table(COLUMNS, [[group.strip("~ "), *_cells(counts[group])] for group in sorted(counts)])


def _cells(counts: Counter[str]) -> list[str]:
    total, typed = counts.total(), counts["caught by type check"]
    noticed = sum(counts[status] for status in NOTICED)
    numbers = [counts[status] for status in (*NOTICED, "survived", "no tests")]
    return [
        *map(str, [total, *numbers]),
        _share(noticed, total),
        _share(noticed - typed, total - typed),
    ]


def _share(part: int, whole: int) -> str:
    if not whole:
        return ""
    low, high = binomtest(part, whole).proportion_ci(method="wilson")
    return f"{part / whole:.0%} [{low:.0%}-{high:.0%}]"


def _mutmut(names: list[str]) -> None:
    subprocess.run(["mutmut", "run", "--max-children", "2", *names], check=True)


if __name__ == "__main__":
    main()
