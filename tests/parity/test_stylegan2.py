"""The official StyleGAN2s and ours on the same weights: images, W+ codes, logits and gradients agree.

Largest error seen when recording (float32, values of order 1): 5e-6 of images, 5e-7 of logits, 3e-6 of gradients.
"""

from pathlib import Path

import pytest

from tests.parity.case import Case
from tests.parity.cases_forms import CASES as FORMS
from tests.parity.cases_stylegan2 import CASES

TOLERANCE = 1e-4


@pytest.mark.parametrize("case", [*CASES, *FORMS], ids=lambda case: case.name)
def test_ours_gives_what_the_official_network_gives(case: Case, tmp_path: Path) -> None:
    assert case.largest_error(tmp_path) < TOLERANCE
