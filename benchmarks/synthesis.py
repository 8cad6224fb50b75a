"""ws -> images against NVIDIA's own code: `python -m benchmarks.synthesis --peer PATH --resolution 256`.

Random weights, the same sizes on both sides; PATH is a checkout of stylegan2-ada-pytorch (or stylegan3). Each
side is judged at its own best batch. `peer + allocator` is the peer with the project's allocator settings.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.convolutions import gflop_per_image
from benchmarks.pairing import Cell, best, ratio, run_in_turn, save, table

CHANNEL_BASE = {64: 16384, 128: 16384, 256: 16384, 512: 32768, 1024: 32768}
PRECISIONS = {"cpu": ["fp32", "bf16"], "cuda": ["fp32", "bf16", "fp16"]}
Side = tuple[str, str]  # such as ("ours", "bf16")


def main() -> None:
    """Measure, print the table, write the result file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--peer", type=Path, help="checkout of stylegan2-ada-pytorch")
    parser.add_argument("--resolution", type=int, choices=list(CHANNEL_BASE), default=256)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--compile", action="store_true", help="also with torch.compile")
    given = parser.parse_args()
    sides = dict(_sides(given))
    peaks = {
        precision: Cell(
            f"peak {precision}",
            ["benchmarks.our_worker", "peak", "--precision", precision, "--device", given.device],
        )
        for precision in PRECISIONS[given.device]
    }
    cells = [*peaks.values(), *(cell for side in sides.values() for cell in side)]
    run_in_turn(cells, rounds=given.rounds)
    text = _report(given, sides, peaks)
    print(text)
    path = save(f"synthesis-{given.resolution}-{given.device}", cells, text)
    print(f"\n{path}")


def _sides(given: argparse.Namespace) -> Iterator[tuple[Side, list[Cell]]]:
    sizes = [
        *("--resolution", str(given.resolution), "--repeats", str(given.repeats)),
        *("--channel-base", str(CHANNEL_BASE[given.resolution]), "--device", given.device),
    ]
    if given.peer:
        peer = ["benchmarks.peer_worker", "synthesis", "--peer", str(given.peer.resolve()), *sizes]
        yield ("peer", "fp32" if given.device == "cpu" else "fp16"), _batches(given, "peer", peer)
        if given.device == "cpu":
            name = "peer + allocator"
            yield (name, "fp32"), _batches(given, name, [*peer, "--allocator"])
    for precision in PRECISIONS[given.device]:
        ours = ["benchmarks.our_worker", "synthesis", *sizes, "--precision", precision]
        yield ("ours", precision), _batches(given, f"ours {precision}", ours)
        if given.compile:
            name = "ours, compiled"
            command = [*ours, "--compile", "auto"]
            yield (name, precision), _batches(given, f"{name} {precision}", command)


def _batches(given: argparse.Namespace, name: str, command: list[str]) -> list[Cell]:
    return [Cell(f"{name}, batch {n}", [*command, "--batch", str(n)]) for n in given.batches]


def _report(
    given: argparse.Namespace, sides: dict[Side, list[Cell]], peaks: dict[str, Cell]
) -> str:
    gflop = gflop_per_image(given.resolution, CHANNEL_BASE[given.resolution])
    top = {p: max(run["gflops"] for run in cell.runs) for p, cell in peaks.items()}
    rows = []
    for (who, precision), cells in sides.items():
        cell = best(cells)
        error = cell.runs[-1].get("error", {})
        against = [
            "{:.2f} [{:.2f}-{:.2f}]".format(*ratio(cell, best(others)))
            for (name, _), others in sides.items()
            if name.startswith("peer")
        ]
        share = cell.rate * gflop / top[precision]
        rows.append(
            [
                f"{who} {precision}",
                cell.name.rpartition(" ")[2],
                f"{cell.rate:.2f}",
                f"{cell.rate * gflop:.0f}",
                f"{share:.0%}",
                *against,
                f"{error['max_abs']:.1e} / {error['mean_levels']:.2f}" if error else "",
            ]
        )
    names = [f"x {name}" for name, _ in sides if name.startswith("peer")]
    columns = [
        "",
        "batch",
        "images/s",
        "GFLOP/s",
        "of the conv peak",
        *names,
        "error: max / levels",
    ]
    peaks_text = ", ".join(f"{p} {value:.0f} GFLOP/s" for p, value in top.items())
    title = f"{given.resolution} px, {gflop:.1f} GFLOP an image; convolution peak: {peaks_text}\n\n"
    return title + table(columns, rows)


if __name__ == "__main__":
    main()
