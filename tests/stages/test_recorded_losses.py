"""Any change of a training's mathematics shows in its first twenty losses."""

import json
from pathlib import Path

import pytest

from tests.stages.recorded import NUM_STEPS, RECORD, TRAININGS

# Other vector units and thread counts differ by less than 1e-5 (AVX-512, AVX2, SSE4.1; one and two threads).
TOLERANCE = 1e-4


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_has_its_recorded_losses_and_repeats_bit_for_bit(
    name: str, tmp_path: Path
) -> None:
    expected = json.loads(RECORD.read_text())[name]
    runs = []
    for place in ("first", "second"):
        (tmp_path / place).mkdir()
        runs.append(TRAININGS[name](tmp_path / place))
    assert runs[0] == runs[1]
    assert runs[0].keys() == expected.keys()
    assert max(map(len, expected.values())) == NUM_STEPS
    for column, values in runs[0].items():
        assert values == pytest.approx(expected[column], rel=TOLERANCE), column
