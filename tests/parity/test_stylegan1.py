"""Largest absolute errors over the whole output as recorded, fp32 on a CPU, images of deviation 0.35 to 0.47:

tedigan_base_generator_256    1.4e-5    (ws 5.6e-6; idinvert_pytorch gives TediGAN's very bits)
tedigan_base_generator_1024   7.3e-5    (rounding: each side is 5e-5 from float64, where they agree to 3e-7)
genforce_stylegan1_256        1.1e-5
genforce_stylegan1_64_untied  5.6e-6
genforce_stylegan1_1024       3.7e-5
"""

import pytest

from tests.parity.cases_stylegan1 import CASES

GENERATORS = [case for case in CASES if "stylegan1" in case.name or "generator" in case.name]


@pytest.mark.parametrize("case", GENERATORS, ids=lambda case: case.name)
def test_images_and_truncated_codes_are_the_official_ones(case, tmp_path):
    assert case.largest_error(tmp_path) < 1e-4
