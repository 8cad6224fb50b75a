"""Any change of a training's mathematics shows in its first twenty losses."""

import json
from pathlib import Path

import pytest

from tedigan.stages import STAGES
from tests.stages.recorded import NUM_STEPS, RECORD, TRAININGS

# Other vector units and thread counts differ by less than 1e-5 (AVX-512, AVX2, SSE4.1; one and two threads).
TOLERANCE = 1e-4


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_has_its_recorded_losses(name: str, tmp_path: Path) -> None:
    """And repeats bit for bit: that of stages is for tests/flows/test_two_doors.py, which runs each twice."""
    expected = json.loads(RECORD.read_text())[name]
    losses = TRAININGS[name](tmp_path)
    if name not in STAGES:
        (tmp_path / "again").mkdir()
        assert TRAININGS[name](tmp_path / "again") == losses
    assert losses.keys() == expected.keys()
    assert max(map(len, expected.values())) == NUM_STEPS
    for column, values in losses.items():
        assert values == pytest.approx(expected[column], rel=TOLERANCE), column
