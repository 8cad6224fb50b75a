"""Record what a peer's network gives: `python -m tests.parity.record CASE... --peer PATH --commit SHA`.

The cases stand in the modules `tests/parity/cases_*.py`. PATH is the peer's source tree. What it needs a GPU or a
compiler for at import has to be stood in for on PYTHONPATH.
"""

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from tests.parity.case import Case


def all_cases() -> dict[str, Case]:
    """By name."""
    modules = [path.stem for path in sorted(Path(__file__).parent.glob("cases_*.py"))]
    found = [importlib.import_module(f"tests.parity.{name}").CASES for name in modules]
    return {case.name: case for cases in found for case in cases}


def main() -> None:
    """Write the fixtures and say how far ours is from them, over the whole output."""
    cases = all_cases()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", nargs="+", choices=sorted(cases))
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="of the peer, for the fixture's metadata")
    args = parser.parse_args()
    sys.path.insert(0, str(args.peer))
    for name in args.case:
        official = cases[name].record(args.commit)
        with tempfile.TemporaryDirectory() as folder:
            ours = cases[name].ours(cases[name].shapes(), Path(folder))
        for output, values in official.items():
            error = (ours[output] - values).abs().max().item()
            print(
                f"{name} {output} {list(values.shape)}: max |error| {error:.2e}, std {values.std():.3f}"
            )


if __name__ == "__main__":
    main()
