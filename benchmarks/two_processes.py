"""G + D training at 64 px by one process and by two, on two cores: `python -m benchmarks.two_processes`.

One process with two threads, as the stage runs today; two processes with a thread each, which share a batch by
gloo; and one with a thread, of which two would be twice as quick if nothing were exchanged. In turn, each in
processes of its own; the networks are those of params.yaml, without the discriminator on ImageNet features.
"""

import argparse
import os

from benchmarks.pairing import Cell, ratio, run_in_turn, save, table

TORCHRUN = ["torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=16)
    given = parser.parse_args()
    sizes = [f"--batch={given.batch}", f"--repeats={given.repeats}"]
    worker = ["benchmarks.trainer_worker", *sizes]
    cells = [
        Cell("1 process, 2 threads", [*worker, "--threads=2"]),
        Cell("2 processes, 1 thread each", [*TORCHRUN, *worker, "--threads=1"]),
        Cell("1 process, 1 thread", [*worker, "--threads=1"]),
    ]
    run_in_turn(cells, rounds=given.rounds)
    rows = [
        [one.name, f"{one.rate:.1f}", "{:.2f} [{:.2f}-{:.2f}]".format(*ratio(one, cells[0]))]
        for one in cells
    ]
    columns = [f"64 px, batch {given.batch}", "images/s", "x 1 process, 2 threads"]
    text = table(columns, rows) + f"\n\nload at the end: {os.getloadavg()[0]:.1f}"
    print(text)
    print(f"\n{save('ranks-64', cells, text)}")


if __name__ == "__main__":
    main()
