"""What bulk jobs cost beside their drawing: `python -m benchmarks.bulk_throughput share|loop|run|plan|workers`.

share     the platform's share of one worker's time, on a real S3 server
loop      images/s of jobs beside a loop over one-by-one generation with Pillow PNGs
run       one long job by two workers: rate and memory over time
plan      ten million images planned, and what a shard asks of a store
workers   a thousand workers that really commit what nothing draws
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.bulk import loop, plan, run, share, workers

MEASURES = {"share": share, "loop": loop, "run": run, "plan": plan, "workers": workers}


def main() -> None:
    """Measure what was asked for, print a table, write a result file."""
    parser = argparse.ArgumentParser(
        prog="benchmarks.bulk_throughput",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--work", type=Path, help="where to write; a temporary folder without it")
    actions = parser.add_subparsers(dest="what", required=True)
    for name, measure in MEASURES.items():
        measure.add_arguments(actions.add_parser(name))
    arguments = parser.parse_args()
    if arguments.work is not None:
        arguments.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
        MEASURES[arguments.what].run(arguments, Path(folder))


if __name__ == "__main__":
    main()
