from tests.models.damaged_folders import fuzz


def test_damaged_folders_are_taken_or_refused_in_bounds(tmp_path):
    counts, faults = fuzz(150, 1, tmp_path)
    assert faults == []
    assert counts["refused"] > 50
