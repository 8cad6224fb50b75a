"""Memory and time of looking at one method's pictures, by their number.

    python -m benchmarks.comparison_streaming 1000 30000             # networks of no weight
    python -m benchmarks.comparison_streaming --networks 1000 2000   # EfficientNet-Lite0, perceptual distance

Random pictures of 64 px in batches of 32, each count in a fork. MiB beyond a process that has imported all.
Features are 1,280 wide either way; the referee is one of no weight, with 40 attributes; nobody looks for copies.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor

from benchmarks.model_memory import peak_of
from tedigan.annotators.referee import Referee
from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.looking import Judges, look
from tedigan.evaluation.feature_nets import EfficientNetLite0
from tedigan.evaluation.instruments import open_distance
from tedigan.store.packaged_weights import EFFICIENTNET, load_packaged

CPU, BATCH, WIDTH, SIZE_PX = torch.device("cpu"), 32, 1280, 64


@dataclass(frozen=True)
class RandomPictures:
    """See `tedigan.comparison.looking.Pictures`."""

    num: int
    name: str = "random"

    def faces(self, batch_size: int) -> Iterator[Tensor]:
        """One after the other; none is kept."""
        random = torch.Generator().manual_seed(0)
        for start in range(0, self.num, batch_size):
            shape = (min(batch_size, self.num - start), 3, SIZE_PX, SIZE_PX)
            yield torch.randint(256, shape, dtype=torch.uint8, generator=random)

    def variants(self, prompts: int, faces: int) -> None:
        """None."""


class NoWeight:
    """A referee and a feature network that look at the first pixels alone."""

    name = "none"

    def find(self, images: Tensor) -> Tensor:
        """40 attributes."""
        return images.flatten(1)[:, :40] > 0

    def __call__(self, images: Tensor, others: Tensor | None = None) -> Tensor:
        """Features, or a distance of pairs."""
        if others is None:
            return images.flatten(1)[:, :WIDTH].clone()
        return (images - others).abs().mean(dim=(1, 2, 3))


def protocol_of(num: int) -> ComparisonProtocol:
    """As `plan_comparison` writes it, but for what nobody opens here."""
    texts = {name: "" for name in ("dataset", "grammar", "referee", "features", "distance")}
    return ComparisonProtocol(
        name="streaming", split="test", ids=tuple(range(num)), captions=("",) * num, size_px=SIZE_PX,
        num_reference=num, variety_prompts=20, variety_faces=8, num_distractors=99, num_kept=5000,
        seed=0, **texts,
    )  # fmt: skip


def main() -> None:
    """Print a row for each count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--networks", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    empty: Any = NoWeight()
    judges = Judges(cast(Referee, empty), empty, empty, None, None, BATCH)
    if arguments.networks:
        features = EfficientNetLite0.build(load_packaged(EFFICIENTNET), CPU)
        judges = Judges(cast(Referee, empty), features, open_distance(None, CPU), None, None, BATCH)
    print("| pictures | MiB | CPU s of 1,000 |\n|---:|---:|---:|")
    for num in arguments.counts:
        work = partial(look, RandomPictures(num), protocol_of(num), judges, num)
        mib, seconds = peak_of(work)
        print(f"| {num:,} | {mib} | {1000 * seconds / num:.1f} |")


if __name__ == "__main__":
    main()
