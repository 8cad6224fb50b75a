"""Any change of what is measured, or of what is said of it, shows in the metrics of toy faces."""

import json
from dataclasses import replace

import pytest
import torch

from tedigan.evaluation.reconstruction import measure_identity, measure_reconstruction
from tests.evaluation.measured import (
    NUM,
    PEOPLE,
    RECORD,
    instruments,
    measured,
    subjects,
)

# Other vector units differ by less than 1e-5.
TOLERANCE = {"rel": 1e-3, "abs": 1e-5}


def test_toy_faces_have_their_recorded_metrics():
    expected, found = json.loads(RECORD.read_text()), measured()
    for table in ("per_attribute", "per_prompt"):
        assert found[table] == expected[table]
    assert [one["name"] for one in found["metrics"]] == [one["name"] for one in expected["metrics"]]
    for metric, recorded in zip(found["metrics"], expected["metrics"], strict=True):
        for key, value in recorded.items():
            wanted = value if isinstance(value, str | None) else pytest.approx(value, **TOLERANCE)
            assert metric[key] == wanted, (metric["name"], key)


@pytest.mark.parametrize(("knows_people", "people"), [(True, None), (False, PEOPLE)])
def test_a_referee_that_knows_nobody_measures_no_identity_and_says_why(knows_people, people):
    tools = instruments(knows_people=knows_people)
    (kept,) = measure_identity(subjects(), tools, people)
    assert (kept.name, kept.value, kept.n, kept.better) == ("identity_kept[referee]", None, 0, "up")
    assert kept.protocol.startswith("Not measured: the data set shows nobody twice")
    names = [one.name for one in measure_reconstruction(subjects(), tools)]
    assert ("reconstruction_identity_cosine[referee]" in names) == knows_people


def test_without_a_photograph_of_another_person_beside_it_nobody_is_a_stranger():
    alone = replace(subjects(), identities=torch.zeros(NUM, dtype=torch.int64))
    kept, _ = measure_identity(alone, instruments(), PEOPLE)
    assert kept.value is not None
    assert kept.floor is None
