"""G + D training steps in each precision beside fp32, in turn: `python -m benchmarks.training_precision`.

At 64 px the network of params.yaml; at 128 and 256 px NVIDIA's, channel_base 16384. Steps without R1, which is in
fp32 in each.
"""

import argparse

from benchmarks.pairing import Cell, ratio, run_in_turn, save, table

SIZES = {64: ["--batch=16"], 128: ["--batch=4", "--channel-base=16384"]}
SIZES |= {256: ["--batch=4", "--channel-base=16384"]}


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", nargs="+", type=int, choices=SIZES, default=list(SIZES))
    parser.add_argument("--precisions", nargs="+", default=["bf16"], help="beside fp32")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    rows, measured = [], list[Cell]()
    for size in given.sizes:
        worker = ["benchmarks.trainer_worker", f"--resolution={size}", *SIZES[size]]
        worker += [f"--device={given.device}", f"--repeats={given.repeats}"]
        cells = [
            Cell(f"{size} px, {precision}", [*worker, f"--precision={precision}"])
            for precision in ("fp32", *given.precisions)
        ]
        run_in_turn(cells, rounds=given.rounds)
        rows += [
            [one.name, f"{one.rate:.2f}", "{:.2f} [{:.2f}-{:.2f}]".format(*ratio(one, cells[0]))]
            for one in cells
        ]
        measured += cells
    text = table(["a training step", "images/s", "x fp32"], rows)
    print(text)
    print(f"\n{save(f'training-precision-{given.device}', measured, text)}")


if __name__ == "__main__":
    main()
