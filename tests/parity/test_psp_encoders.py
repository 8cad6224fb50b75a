"""The official pSp and e4e and ours on the same weights: W+ codes, and their images, agree.

Seen when recording: equal codes, and a largest error of 5e-6 of images (float32, values of order 1). The
generators are small, so that a file takes 0.6 GB; at 1024 px it takes 1.2 GB, and is compared only by
`python -m tests.parity.record psp_photographs_1024`.
"""

from pathlib import Path

import pytest

from tests.parity.case import Case
from tests.parity.cases_psp import CASES

TOLERANCE = 1e-4


@pytest.mark.parametrize("case", CASES[1:], ids=lambda case: case.name)
def test_ours_gives_what_the_official_model_gives(case: Case, tmp_path: Path) -> None:
    assert case.largest_error(tmp_path) < TOLERANCE
