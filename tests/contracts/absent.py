"""A process in which some packages are not installed."""

import json
import subprocess
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

CHECKOUT = (
    Path(__file__).resolve().parents[2]
)  # tedigan is not to be imported before the finders are in place


class Without:
    """A finder of modules that does not find some; for the rest it is the one that it stands for."""

    def __init__(self, finder: Any, absent: Iterable[str]) -> None:
        self._finder, self._absent = finder, frozenset(absent)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] in self._absent:
            return None
        return self._finder.find_spec(name, path, target)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)


def run_without(absent: Iterable[str], code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where these packages are not to be found."""
    command = [sys.executable, "-m", __name__, json.dumps(sorted(absent)), code]
    return subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)


if __name__ == "__main__":
    sys.meta_path[:] = [Without(finder, json.loads(sys.argv[1])) for finder in sys.meta_path]
    exec(sys.argv[2], {"__name__": "__main__"})
