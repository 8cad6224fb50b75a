"""Our distances between sets equal what torch-fidelity 0.4.0 and prdc 0.2 gave of the same features."""

import pytest

from benchmarks.metric_parity import CASES, EQUAL, features, ours

PUBLISHED = {  # as `python -m benchmarks.metric_parity` printed theirs
    "1000 and 800 of 64": {
        "frechet_distance": 4.5514866, "kernel_distance": 0.039623471, "precision": 0.985,
        "recall": 0.141, "density": 5.68875, "coverage": 0.999,
    },
    "300 and 200 of 512": {
        "frechet_distance": 285.99424, "kernel_distance": 0.031820792, "precision": 1.0,
        "recall": 0.0, "density": 38.653, "coverage": 1.0,
    },
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_each_distance_is_that_of_the_package_that_publishes_it(case):
    found = ours(*features(*CASES[case]))
    published = PUBLISHED[case]
    published["frechet_distance, streamed"] = published["frechet_distance"]
    assert found == pytest.approx(published, rel=EQUAL)
