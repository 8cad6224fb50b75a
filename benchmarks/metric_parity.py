"""Our distances between sets against the packages that publish them, on equal features.

    python -m benchmarks.metric_parity      # where torch-fidelity and prdc are installed; 20 s

torch-fidelity 0.4.0 has the Frechet and the kernel distance (of two sets of one size, which the first is cut to),
prdc 0.2 precision, recall, density and coverage; both with --no-deps in a folder of PYTHONPATH. Precision and
recall are of the 3 nearest, density and coverage of the 5 nearest, as their papers have them.
"""

import importlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tedigan.comparison.moments import Moments, frechet_of_moments
from tedigan.comparison.neighbourhoods import (
    NEAREST_OF_DENSITY,
    NEAREST_OF_PRECISION,
    neighbourhoods,
)
from tedigan.evaluation.distances import frechet_distance, kernel_distance

CASES = {"1000 and 800 of 64": (1000, 800, 64), "300 and 200 of 512": (300, 200, 512)}
EQUAL = 1e-4  # relative


def features(n: int, m: int, width: int) -> tuple[Tensor, Tensor]:
    """Two sets whose columns go together; the same numbers everywhere."""
    random = torch.Generator().manual_seed(width)
    mix = torch.randn(width, width, generator=random) / width**0.5
    one = torch.randn(n, width, generator=random) @ mix
    other = 0.8 * torch.randn(m, width, generator=random) @ mix + 0.1
    return one, other


def ours(photographs: Tensor, faces: Tensor) -> dict[str, float]:
    """By name."""
    streamed = []
    for one in (photographs, faces):
        moments = Moments.none(one.shape[1])
        for part in one.split(64):
            moments.add(part)
        streamed.append(moments)
    near = neighbourhoods(photographs, faces)
    return {
        "frechet_distance": frechet_distance(photographs, faces),
        "frechet_distance, streamed": frechet_of_moments(*streamed),
        "kernel_distance": kernel_distance(photographs[: len(faces)], faces),
        "precision": near.precision,
        "recall": near.recall,
        "density": near.density,
        "coverage": near.coverage,
    }


def theirs(photographs: Tensor, faces: Tensor) -> dict[str, float]:
    """Of the packages, under our names."""
    fid: Any = importlib.import_module("torch_fidelity.metric_fid")
    kid: Any = importlib.import_module("torch_fidelity.metric_kid")
    prdc: Callable[..., dict[str, float]] = importlib.import_module("prdc").compute_prdc
    stats = [fid.fid_features_to_statistics(one.double()) for one in (photographs, faces)]
    frechet = fid.fid_statistics_to_metric(*stats, verbose=False)[fid.KEY_METRIC_FID]
    x, y = photographs.double().numpy(), faces.double().numpy()
    few, many = (prdc(x, y, nearest_k=k) for k in (NEAREST_OF_PRECISION, NEAREST_OF_DENSITY))
    return {
        "frechet_distance": frechet,
        "frechet_distance, streamed": frechet,
        "kernel_distance": float(kid.kernel_mmd(x[: len(y)], y)),
        "precision": few["precision"],
        "recall": few["recall"],
        "density": many["density"],
        "coverage": many["coverage"],
    }


def main() -> int:
    """A table; status 1 if any two differ by more than EQUAL."""
    is_equal = True
    print("| features | figure | ours | theirs | relative difference |\n|---|---|---:|---:|---:|")
    for name, sizes in CASES.items():
        pair = features(*sizes)
        mine, other = ours(*pair), theirs(*pair)
        for figure, value in mine.items():
            apart = abs(value - other[figure]) / max(abs(other[figure]), 1e-12)
            is_equal &= apart <= EQUAL
            print(f"| {name} | `{figure}` | {value:.8g} | {other[figure]:.8g} | {apart:.1e} |")
    return 0 if is_equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
