"""z -> picture files on disk against NVIDIA's own code: `python -m benchmarks.end_to_end --peer PATH`.

The peer draws and writes one image at a time with Pillow, as its generate.py does; ours as the stage `generate`.
"""

import argparse
from pathlib import Path

from benchmarks.pairing import Cell, ratio, run_in_turn, save, table
from benchmarks.synthesis import CHANNEL_BASE


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--resolution", type=int, choices=list(CHANNEL_BASE), default=256)
    parser.add_argument("--images", type=int, default=4, help="images of one timed call")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    sizes = [
        *("--resolution", str(given.resolution), "--repeats", str(given.repeats)),
        *("--channel-base", str(CHANNEL_BASE[given.resolution]), "--batch", str(given.images)),
    ]
    peer = ["benchmarks.peer_worker", "files", "--peer", str(given.peer.resolve()), *sizes]
    ours = ["benchmarks.our_worker", "files", *sizes, "--precision"]
    cells = [
        Cell("peer, fp32, Pillow PNG", peer),
        Cell("peer + allocator", [*peer, "--allocator"]),
        Cell("ours, fp32, PNG", [*ours, "fp32"]),
        Cell("ours, bf16, PNG", [*ours, "bf16"]),
        Cell("ours, bf16, compiled, PNG", [*ours, "bf16", "--compile", "auto"]),
        Cell("ours, bf16, JPEG", [*ours, "bf16", "--format", "jpg"]),
    ]
    run_in_turn(cells, rounds=given.rounds)
    rows = [
        [
            cell.name,
            f"{cell.rate:.2f}",
            *("{:.2f} [{:.2f}-{:.2f}]".format(*ratio(cell, other)) for other in cells[:2]),
        ]
        for cell in cells
    ]
    text = table([f"{given.resolution} px", "images/s", "x peer", "x peer + allocator"], rows)
    print(text)
    print(f"\n{save(f'end-to-end-{given.resolution}', cells, text)}")


if __name__ == "__main__":
    main()
