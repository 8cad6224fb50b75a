"""One G and one D step against NVIDIA's own classes: `python -m benchmarks.training_step --peer PATH`."""

import argparse
from pathlib import Path

from benchmarks.pairing import Cell, ratio, run_in_turn, save, table


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--channel-base", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    names = ("resolution", "channel_base", "batch", "repeats")
    sizes = [f"--{name.replace('_', '-')}={getattr(given, name)}" for name in names]
    peer = ["benchmarks.peer_worker", "step", "--peer", str(given.peer.resolve()), *sizes]
    ours = ["benchmarks.our_worker", "step", *sizes]
    rows, cells = [], []
    for kind, r1 in (("G + D", []), ("G + D with R1", ["--r1"])):
        of_kind = [
            Cell(f"{kind}: peer", [*peer, *r1]),
            Cell(f"{kind}: peer + allocator", [*peer, *r1, "--allocator"]),
            Cell(f"{kind}: ours", [*ours, *r1]),
        ]
        run_in_turn(of_kind, rounds=given.rounds)
        rows += [
            [
                cell.name,
                f"{cell.rate:.1f}",
                *("{:.2f} [{:.2f}-{:.2f}]".format(*ratio(cell, other)) for other in of_kind[:2]),
            ]
            for cell in of_kind
        ]
        cells += of_kind
    title = f"{given.resolution} px, channel_base {given.channel_base}, batch {given.batch}"
    text = table([title, "images/s", "x peer", "x peer + allocator"], rows)
    print(text)
    print(f"\n{save(f'training-step-{given.resolution}', cells, text)}")


if __name__ == "__main__":
    main()
