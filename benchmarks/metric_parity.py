"""Our distances between sets against the packages that publish them, on equal features.

    python -m benchmarks.metric_parity      # where torch-fidelity and prdc are installed; 20 s

torch-fidelity 0.4.0 has the Frechet and the kernel distance (of two sets of one size, which the first is cut to),
prdc 0.2 precision, recall, density and coverage; both with --no-deps in a folder of PYTHONPATH. Precision and
recall are of the 3 nearest, density and coverage of the 5 nearest, as their papers have them.
"""

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
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
from tedigan.models.given_nets import empty_inception, open_inception
from tedigan.tensors import to_images

CASES = {"1000 and 800 of 64": (1000, 800, 64), "300 and 200 of 512": (300, 200, 512)}
EQUAL = 1e-4  # relative
SIDES = (64, 299, 300)  # of pictures that Inception looks at


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


def random_inception() -> dict[str, Tensor]:
    """Values for all of Inception-v3 that keep features finite; the same everywhere."""
    random, found = torch.Generator().manual_seed(1), dict[str, Tensor]()
    for name, tensor in empty_inception().state_dict().items():
        shape = tensor.shape
        if name.endswith("conv.weight"):
            found[name] = torch.randn(shape, generator=random) * (2 / tensor[0].numel()) ** 0.5
        elif name.endswith("running_var"):
            found[name] = torch.rand(shape, generator=random) + 0.5
        elif not name.endswith("num_batches_tracked"):
            found[name] = torch.randn(shape, generator=random) * 0.1 + name.endswith("bn.weight")
    return found | {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


def inception_rows() -> list[tuple[int, float]]:
    """Side -> the largest difference of pool3 from torch-fidelity's, relative to the largest value."""
    extractor: Any = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "inception.pth"
        torch.save(random_inception(), path)
        mine = open_inception(path, torch.device("cpu"))
        other = extractor.FeatureExtractorInceptionV3(
            "theirs", ["2048"], feature_extractor_weights_path=str(path)
        )
    random, rows = torch.Generator().manual_seed(2), []
    for side in SIDES:
        pixels = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8, generator=random)
        found, wanted = mine(to_images(pixels)), other(pixels)[0]
        rows.append((side, float((found - wanted).abs().max() / wanted.abs().max())))
    return rows


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
    for side, apart in inception_rows():
        is_equal &= apart <= EQUAL
        print(f"| pictures of {side} px | pool3 of Inception-v3 | | | {apart:.1e} |")
    return 0 if is_equal else 1


if __name__ == "__main__":
    raise SystemExit(main())
