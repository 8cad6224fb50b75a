"""Drift is what people ask for, beside what the release was judged on; few faces say nothing."""

import pytest

from tedigan.releases.drift import distance, weigh_drift
from tedigan.releases.policy import Drift

LIMITS = Drift(min_prompts=4, at_most_prompts=0.2, at_most_lacking=0.5)
SMILING, BALD = {"Smiling": True}, {"Bald": True}


def failed(asked, judged, num_lacking: int = 0) -> list[str]:
    return [
        one.rule
        for one in weigh_drift(asked, judged, num_lacking, LIMITS).reasons
        if not one.is_met
    ]


@pytest.mark.parametrize(
    ("asked", "judged", "far"),
    [
        ([SMILING], [SMILING], 0.0),
        ([SMILING], [BALD], 1.0),
        ([SMILING], [{"Smiling": False}], 1.0),
        ([SMILING, BALD], [SMILING], 0.5),
        ([SMILING | BALD] * 3, [SMILING, BALD], 0.0),
        ([{}], [{}], 0.0),
    ],
)
def test_the_distance_is_that_of_what_is_mentioned(asked, judged, far: float) -> None:
    assert distance(asked, judged)[0] == pytest.approx(far)
    assert distance(judged, asked)[0] == pytest.approx(far)


def test_other_prompts_are_drift_and_the_largest_change_is_named() -> None:
    assert failed([SMILING] * 4, [SMILING] * 4) == []
    assert failed([SMILING, BALD] * 4, [SMILING] * 4) == ["prompts"]
    (prompts, _) = weigh_drift([BALD] * 4, [SMILING, BALD], 0, LIMITS).reasons
    assert "Bald +0.500" in prompts.said


def test_faces_that_lack_what_was_asked_are_drift() -> None:
    assert failed([SMILING] * 4, [SMILING], num_lacking=2) == []
    assert failed([SMILING] * 4, [SMILING], num_lacking=3) == ["faces"]


def test_few_faces_say_nothing() -> None:
    assert failed([BALD] * 3, [SMILING], num_lacking=3) == []
