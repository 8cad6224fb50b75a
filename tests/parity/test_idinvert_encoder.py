from tests.parity.cases_stylegan1 import ENCODER


def test_codes_are_the_official_encoders(tmp_path):
    """Measured: 9.5e-6, codes of deviation 0.92."""
    assert ENCODER.largest_error(tmp_path) < 1e-4
