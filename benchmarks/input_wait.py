"""How long a step of training waits for its photographs, at 64 and 256 px: `python -m benchmarks.input_wait`.

The photographs are PNG files in memory, decoded as a data set's are that does not fit in it. A step is a sleep of
the time that a GPU would take, which leaves the CPU to the decoding: NVIDIA's figure for an A100 at 256 px is
12.5 s a thousand images. Read in the step; read one step ahead; as now; and all of them held.
"""

import argparse
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from benchmarks.pairing import table
from tedigan.store.pictures import decode, encode
from tedigan.tensors import stream
from tedigan.training import data_order
from tedigan.training.data_order import TrainingImages
from tedigan.training.meter import Meter

NUM_PHOTOGRAPHS, NUM_READERS = 256, 4
STEPS = {64: (64, 0.064), 256: (16, 0.2)}  # px -> batch, seconds of a step
WAYS = {"read in the step": 0, "one step ahead": 1, "three steps ahead": 3, "all held": -1}


class Files:
    """In the place of a data set; noise upon a smooth field costs a decoder what a photograph does."""

    def __init__(self, size_px: int) -> None:
        self.resolution = size_px
        coarse = torch.rand(NUM_PHOTOGRAPHS, 3, 8, 8, generator=stream("coarse"))
        smooth = torch.nn.functional.interpolate(coarse, (size_px, size_px), mode="bicubic")
        grain = torch.randn(smooth.shape, generator=stream("grain")) * 2
        pixels = (smooth * 200 + 28 + grain).clamp(0, 255).to(torch.uint8)
        self._files = [encode(one, "png") for one in pixels]

    def pixels(self, ids: list[int]) -> Tensor:
        """As `Dataset` reads what it does not keep."""
        with ThreadPoolExecutor(NUM_READERS) as pool:
            return torch.stack(list(pool.map(lambda id: decode(self._files[id], name="x"), ids)))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rows = []
    for size_px, (batch, seconds) in STEPS.items():
        files: Any = Files(size_px)
        found: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(given.rounds):
            for name, num_ahead in WAYS.items():
                found[name].append(_waited_ms(files, batch, seconds, num_ahead, given.steps))
        rows += [
            [
                f"{size_px} px, {batch} images in {1000 * seconds:.0f} ms",
                name,
                f"{statistics.median(waits):.1f} [{min(waits):.1f}-{max(waits):.1f}]",
            ]
            for name, waits in found.items()
        ]
    print(table(["step", "photographs", "wait, ms a step"], rows))
    print(f"\nload at the end: {os.getloadavg()[0]:.1f}")


def _waited_ms(files: Any, batch: int, seconds: float, num_ahead: int, steps: int) -> float:
    data_order.NUM_AHEAD = max(0, num_ahead)
    meter = Meter()
    source = TrainingImages(
        files,
        list(range(NUM_PHOTOGRAPHS)),
        batch_size=batch,
        seed=0,
        name="wait",
        device=torch.device("cpu"),
        on_device=num_ahead < 0,
        meter=meter,
    )
    source.at(0, stream(0, "wait", 0))
    meter.start(0)
    for step in range(1, steps + 1):
        time.sleep(seconds)
        source.at(step, stream(0, "wait", step))
    return meter.read(steps)["wait_ms"]


if __name__ == "__main__":
    main()
