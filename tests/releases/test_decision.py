"""A candidate becomes champion when it is no worse in anything, better in something, and within every limit."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tedigan.errors import DataError, ParamsError
from tedigan.releases.decision import decide, difference
from tedigan.releases.evidence import Evidence, PromptScore, read_evidence
from tedigan.releases.policy import Policy, read_policy
from tedigan.releases.release import Piece, Release

POLICY = Path(__file__).resolve().parents[2] / "infra/policy.yaml"


def evidence(found: int, *, count: int = 200, men: int | None = None, **changes: Any) -> Evidence:
    """Prompts of ten mentions, `found` of them found; of every second prompt, which shows a man, `men`."""
    scores = {
        number: PromptScore(
            10,
            found if number % 2 or men is None else men,
            {"Male": number % 2 == 0, "Young": True},
        )
        for number in range(count)
    }
    edits = {
        (f"{number // 2}", f"{number % 2}", True): {"edit_reached": 1.0} for number in range(40)
    }
    whole = Evidence("judge", scores, edits, {"text_fidelity[referee]": found / 10}, 1_000_000, 0.1)
    return replace(whole, **changes)


@pytest.fixture
def policy() -> Policy:
    return read_policy(POLICY)


def failed(candidate: Evidence, champion: Evidence | None, policy: Policy) -> list[str]:
    decision = decide(candidate, champion, policy)
    assert decision.is_better == all(one.is_met for one in decision.reasons)
    return [one.rule for one in decision.reasons if not one.is_met]


def test_the_better_one_is_promoted(policy: Policy) -> None:
    assert failed(evidence(8), evidence(7), policy) == []


def test_the_worse_one_is_not_and_the_reason_is_said(policy: Policy) -> None:
    assert failed(evidence(7), evidence(8), policy) == ["no worse: text fidelity", "gain"]
    said = {one.rule: one.said for one in decide(evidence(7), evidence(8), policy).reasons}
    assert said["no worse: text fidelity"].startswith("-0.100 [-0.100, -0.100] over 200")


def test_an_equal_one_gains_nothing(policy: Policy) -> None:
    assert failed(evidence(8), evidence(8), policy) == ["gain"]
    assert failed(evidence(8), evidence(8), policy.model_copy(update={"must_gain": False})) == []


def test_the_first_one_needs_no_champion(policy: Policy) -> None:
    assert failed(evidence(8), None, policy) == []
    assert failed(evidence(4), None, policy)[0] == "floor of text_fidelity[referee]"


def test_a_metric_that_was_not_told_fails_its_floor(policy: Policy) -> None:
    for metrics in ({}, {"text_fidelity[referee]": None}):
        untold = evidence(8, metrics=metrics)
        assert failed(untold, None, policy) == ["floor of text_fidelity[referee]"]


def test_a_gain_paid_by_one_group_is_refused(policy: Policy) -> None:
    """On the whole better by 0.05, and for men worse by 0.2."""
    assert failed(evidence(10, men=5), evidence(7), policy) == ["no worse for Male"]


def test_a_group_of_few_decides_nothing(policy: Policy) -> None:
    few = policy.subgroups.model_copy(update={"min_prompts": 150})
    lenient = policy.model_copy(update={"subgroups": few})
    assert failed(evidence(10, men=5), evidence(7), lenient) == []


def test_more_that_is_memorised_is_refused(policy: Policy) -> None:
    name = "memorised_share[thumbnails_16px]"
    seen = {"text_fidelity[referee]": 0.8}
    less, more = (evidence(8, metrics=seen | {name: share}) for share in (0.01, 0.04))
    assert failed(more, replace(less, prompts=evidence(7).prompts), policy) == ["no more memorised"]
    copied = evidence(8, metrics=seen | {name: 0.2})
    assert failed(copied, None, policy) == ["memorisation"]


def test_limits_of_size_and_speed_hold(policy: Policy) -> None:
    assert failed(evidence(8, num_model_bytes=5_000_000_000), evidence(7), policy) == ["size"]
    assert failed(evidence(8, seconds_per_face=0.2), evidence(7), policy) == ["speed"]


def test_edits_are_compared_pair_by_pair(policy: Policy) -> None:
    worse = {
        key: {"edit_reached": float(number < 20)} for number, key in enumerate(evidence(8).edits)
    }
    assert failed(evidence(8, edits=worse), evidence(7), policy) == [
        "no worse: edits that reach their target"
    ]


def test_what_only_the_champion_was_judged_on_is_a_reason_against_the_candidate(policy) -> None:
    champion, better = evidence(7), evidence(8)
    some = dict(list(better.edits.items())[:2])
    for candidate, rule in (
        (replace(better, edits={}), "no worse: edits that reach their target"),
        (replace(better, edits=some), "no worse: edits that reach their target"),
        (replace(better, prompts={0: better.prompts[0]}), "no worse: text fidelity"),
        (replace(better, seconds_per_face=None), "speed"),
    ):
        assert rule in failed(candidate, champion, policy)
    plain = {key: replace(one, groups={}) for key, one in better.prompts.items()}
    assert "no worse for Male" in failed(replace(better, prompts=plain), champion, policy)
    known = replace(champion, metrics=champion.metrics | {"memorised_share[x]": 0.0})
    assert failed(better, known, policy) == ["no more memorised"]


def test_noise_is_a_gain_as_seldom_as_its_interval_says() -> None:
    """Two equal models, six edits of each of 40 people, who matter more than the edit: 5 % at both ends."""
    rng, outside = random.Random(0), 0
    for _ in range(200):
        pair = []
        for _ in range(2):
            people = [rng.gauss(0, 0.1) for _ in range(40)]
            edits = {
                (f"{p}", f"{a}", True): {"edit_same_person": person + rng.gauss(0, 0.03)}
                for p, person in enumerate(people)
                for a in range(6)
            }
            pair.append(evidence(5, count=1, edits=edits))
        found = difference(pair[0], pair[1], "edit_same_person")
        assert found is not None
        outside += found.low > 0 or found.high < 0
    assert outside <= 24


def test_other_judges_are_not_compared(policy: Policy) -> None:
    with pytest.raises(DataError, match="Judge the champion again"):
        decide(evidence(8), evidence(7, judge="another"), policy)


def test_a_decision_is_the_same_every_time(policy: Policy) -> None:
    pair = evidence(8, men=6), evidence(7)
    assert decide(*pair, policy).to_json() == decide(*pair, policy).to_json()


def test_the_paired_interval_is_narrower_than_the_prompts_are_different() -> None:
    """Prompts from 1 to 10 of 10 found, the candidate one more in each of half: paired, that is certain."""

    def scores(more: int) -> dict[int, PromptScore]:
        return {n: PromptScore(10, n % 9 + more * (n % 2), {}) for n in range(200)}

    both = [replace(evidence(5), prompts=scores(more)) for more in (1, 0)]
    found = difference(both[0], both[1], "text_fidelity")
    assert found is not None
    assert found.value == pytest.approx(0.05)
    assert 0.04 < found.low < 0.05 < found.high < 0.06


def test_evidence_is_read_from_the_files_of_an_evaluation(tmp_path: Path) -> None:
    for name, content in {
        "evaluation/metrics.json": '{"text_fidelity[referee,n=2]": {"value": 0.5}, "kept[net]": {"value": null}}',
        "edits/metrics.json": '{"pooled": {"edit_kept[referee,ours]": {"value": 0.9}}, "drawn": {}}',
        "evaluation/per_prompt.csv": "prompt,way,mentioned,found_as_said,unmentioned,unmentioned_found,is_Male\n"
        "0,ours,4,3,1,0,1\n1,ours,2,2,1,0,0\n0,regression,4,0,1,0,1\n",
        "params.yaml": "evaluate: {seed: 0}\nevaluate_edits: {seed: 0}\n",
        "edits/per_edit.csv": "photograph,edit,face,attribute,wanted,way,edit_reached,edit_kept,edit_same_person\n"
        "7,0,0,Bangs,True,ours,1,,1\n7,0,0,Bangs,True,linear,0,,0\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    found = read_evidence(Release({"models/g/x": Piece("a", 7)}), tmp_path)
    assert found.metrics == {
        "text_fidelity[referee]": 0.5,
        "kept[net]": None,
        "edit_kept[referee,ours]": 0.9,
    }
    assert found.prompts == {
        0: PromptScore(4, 3, {"Male": True}),
        1: PromptScore(2, 2, {"Male": False}),
    }
    assert found.edits == {("7", "Bangs", True): {"edit_reached": 1.0, "edit_same_person": 1.0}}
    assert found.num_model_bytes == 7
    (tmp_path / "params.yaml").write_text("evaluate: {seed: 1}\nevaluate_edits: {seed: 0}\n")
    other = read_evidence(Release({"models/g/x": Piece("a", 7)}), tmp_path)
    assert other.judge != found.judge


@pytest.mark.parametrize(
    "changes",
    [
 {"approval": "sometimes"}, {"at_most_slower": 0}, {"must_gain": 3}, {"another": 1},
        {"at_most_worse": {"x": 0.1}}, {"at_most_worse": {"text_fidelity": 2}}, {"floors": {"x": float("nan")}},
        {"subgroups": {}}, {"subgroups": {"of": ["male"], "min_prompts": 2, "floor": 0, "at_most_worse": 1}},
    ],
)  # fmt: skip
def test_a_policy_that_cannot_be_meant_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    content = yaml.safe_load(POLICY.read_text()) | changes
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(ParamsError, match=next(iter(changes))):
        read_policy(tmp_path / "policy.yaml")
