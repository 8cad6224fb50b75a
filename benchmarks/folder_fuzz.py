"""Model folders damaged at random: each is taken, or refused by one of our errors.

python -m benchmarks.folder_fuzz --count 5000 --seed 0

Prints counts; exits with 1 if a folder raised another exception, took more than 2 s of CPU, or if memory grew by
more than 500 MiB. tests/models/damaged_folders.py says what is damaged.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.models.damaged_folders import fuzz


def main() -> int:
    """Print counts and faults."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts, faults = fuzz(chosen.count, chosen.seed, Path(folder))
    print("\n".join([*(f"{number:6} {name}" for name, number in counts.items()), *faults]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
