"""A survey is planned from a seed, hides its methods, and people's answers become shares and agreement."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.comparison.method_folder import picture_name
from tedigan.comparison.survey_answers import read_answers
from tedigan.comparison.survey_figures import figures, krippendorff_alpha
from tedigan.comparison.survey_folder import Survey
from tedigan.comparison.survey_plan import ASKED, CHECK, REPEAT, plan_questions
from tedigan.errors import DataError, ParamsError
from tedigan.store import pictures
from tests.comparison.test_comparison import PROTOCOL, replace

NAMES = ("oursmethod", "theirsmethod")


def planned(seed: int = 0, *, methods: int = 3, asked: int = 12, shown: int = 3):
    return plan_questions(
        num_prompts=20, num_methods=methods, num_asked=asked, num_shown=shown, seed=seed
    )


def test_every_prompt_is_asked_once_for_both_and_every_method_stands_everywhere_equally_often():
    asked = [one for one in planned() if one.role == ASKED]
    assert [one.kind for one in asked] == ["realism"] * 12 + ["text"] * 12
    assert {one.prompt for one in asked[:12]} == {one.prompt for one in asked[12:]}
    for place in range(3):
        assert Counter(one.methods[place] for one in asked[:12]) == {0: 4, 1: 4, 2: 4}
    assert planned() == planned() != planned(1)


@pytest.mark.parametrize(("methods", "shown"), [(2, 2), (3, 3), (4, 2)])
def test_a_repeat_comes_later_with_every_face_at_another_place_and_a_check_knows_its_right(
    methods, shown
):
    questions = planned(methods=methods, shown=shown)
    repeats = [(n, one) for n, one in enumerate(questions) if one.role == REPEAT]
    assert len(repeats) == 4
    for number, one in repeats:
        before = questions[one.of]
        assert (before.role, before.kind, before.prompt) == (ASKED, one.kind, one.prompt)
        assert number > one.of
        assert {*before.methods} == {*one.methods}
        assert all(a != b for a, b in zip(before.methods, one.methods, strict=True))
    checks = [one for one in questions if one.role == CHECK]
    assert len(checks) == 4
    assert all(0 <= one.right < shown for one in checks)


def test_in_pairs_every_method_meets_every_other_equally_often():
    asked = [one for one in planned(methods=4, shown=2) if one.role == ASKED]
    assert set(Counter(frozenset(one.methods) for one in asked[:12]).values()) == {2}


@pytest.mark.parametrize("wrong", [{"shown": 4}, {"shown": 1}, {"asked": 21}, {"asked": 1}])
def test_a_survey_that_cannot_be_is_refused(wrong):
    with pytest.raises(ParamsError, match="Name"):
        planned(**wrong)


@pytest.fixture(scope="module")
def survey(tmp_path_factory) -> Path:
    """The folder of a survey of two methods and 6 prompts."""
    root, count = tmp_path_factory.mktemp("survey"), 6
    captions = tuple(f"person {n} says <b> & smiles" for n in range(count))
    replace(PROTOCOL, ids=tuple(range(count)), captions=captions, size_px=16).write(root / "p.json")
    random = torch.Generator().manual_seed(0)
    for name in NAMES:
        for n in range(count):
            face = torch.randint(256, (3, 16, 16), generator=random, dtype=torch.uint8)
            pictures.save(root / name / picture_name(n), face)
    named = [f"{name}={root / name}" for name in NAMES]
    arguments = ["survey", "make", str(root / "p.json"), str(root / "asked"), *named]
    assert main([*arguments, "--questions", "6", "--seed", "3"]) == 0
    return root / "asked"


def test_the_page_names_no_method_tells_no_role_and_loads_nothing(survey):
    page = (survey / "survey.html").read_text()
    assert not [word for word in (*NAMES, "http:", "https:") if word in page]
    shown = json.loads(re.search(r'id="survey">(.*?)</script>', page)[1])
    assert {key for one in shown["questions"] for key in one} == {"kind", "text", "pictures"}
    assert shown["digest"] == Survey.read(survey).digest
    assert len(set(shown["pictures"])) == len(shown["pictures"])


def answered(survey: Path, folder: Path, person: str, choose, name: str | None = None) -> Path:
    """A file as the page saves it. choose: question -> place."""
    asked = Survey.read(survey)
    choices = [choose(n, one) for n, one in enumerate(asked.questions)]
    content = {"format": 1, "survey": asked.digest, "person": person * 32, "choices": choices}
    path = folder / f"{name or person}.json"
    path.write_text(json.dumps(content))
    return path


def first(number, question):
    """Who looks, and always prefers the first method."""
    return question.methods.index(0) if question.right is None else question.right


def one_in_three(number, question):
    return (
        first(number, question)
        if question.role != ASKED or number % 3
        else question.methods.index(1)
    )


def blind(number, question):
    return 0 if question.right is None else 1 - question.right


def test_who_is_preferred_has_the_share_and_who_did_not_look_is_left_out(survey, tmp_path, capsys):
    files = [
        answered(survey, tmp_path, "a", first),
        answered(survey, tmp_path, "b", one_in_three),
        answered(survey, tmp_path, "c", blind),
    ]
    names = [str(one) for one in files]
    assert main(["survey", "read", str(survey), *names, "--out", str(tmp_path / "out")]) == 0
    asked, people = Survey.read(survey), read_answers(Survey.read(survey), files)
    tables = figures(asked, people)
    share = {(row["metric"][:11], row["method"]): row for row in tables["shares"]}
    for kind in ("choice_real", "choice_text"):
        mine, other = share[kind, NAMES[0]], share[kind, NAMES[1]]
        assert mine["value"] + other["value"] == pytest.approx(1)
        assert mine["ci_low"] <= mine["value"] <= mine["ci_high"]
        assert mine["value"] > 0.6 > 0.5 == mine["chance"]
        assert mine["n"] == 12
        assert mine["metric"].endswith(f"[people=2,prompts=6]@{asked.tag}")
    assert [one.why_left_out is None for one in people] == [True, True, False]
    assert "chose the whole face in 0% of the checks" in capsys.readouterr().out
    assert (people[0].consistent, people[2].consistent) == (1.0, 0.0)
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == [
        "agreement.csv", "key.json", "pairs.csv", "people.csv", "shares.csv",
    ]  # fmt: skip


def test_a_pair_is_won_by_whom_the_other_loses_it_to(survey, tmp_path):
    files = [answered(survey, tmp_path, "a", one_in_three)]
    tables = figures(Survey.read(survey), read_answers(Survey.read(survey), files))
    won, lost = tables["pairs"][:2]
    assert won["value"] == pytest.approx(1 - lost["value"])
    assert tables["agreement"][0]["value"] is None  # of one person


def test_krippendorff_s_alpha_is_that_of_his_own_example():
    """Computing Krippendorff's alpha-reliability (2011), C: nominal, 12 units, 4 coders: 0.743."""
    rows = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    counts = torch.zeros(12, 5, dtype=torch.float64)
    for row in rows:
        for unit, value in enumerate(row):
            if value != ".":
                counts[unit, int(value) - 1] += 1
    once = torch.ones(12, dtype=torch.float64)
    assert krippendorff_alpha(counts, once) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(counts, 2 * once) != krippendorff_alpha(counts, once)
    agreed = torch.tensor([[2.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    assert krippendorff_alpha(agreed, once[:2]) == 1.0
    assert krippendorff_alpha(agreed[:1], once[:1]) is None


def test_nobody_who_looked_is_an_error(survey, tmp_path):
    people = read_answers(Survey.read(survey), [answered(survey, tmp_path, "c", blind)])
    with pytest.raises(DataError, match="nobody counts"):
        figures(Survey.read(survey), people)


def changed(path: Path, **keys) -> Path:
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))
    return path


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda one: changed(one, survey="0" * 64), "answers the survey 000000000000, and this one is"),
        (lambda one: changed(one, survey=None), "answers the survey None"),
        (lambda one: changed(one, person="somebody"), "damaged: the person is 'somebody'"),
        (lambda one: changed(one, choices=[0]), "damaged: it has 1 answers to 20 questions"),
        (lambda one: changed(one, choices={}), "damaged: it has no list of answers"),
        (lambda one: changed(one, choices=[2] * 20), "damaged: an answer is 2, of 2 places"),
        (lambda one: changed(one, choices=[True] * 20), "damaged: an answer is True"),
        (lambda one: changed(one, more=1), "damaged: the keys are"),
        (lambda one: one.write_bytes(one.read_bytes()[:50]), "damaged: it is no JSON"),
        (lambda one: one.write_text("[" * 100_000), "damaged: it is no JSON"),
        (lambda one: one.write_text("[]"), "damaged: it holds a list"),
        (lambda one: one.write_bytes(b" " * (2 << 20)), "damaged: it has 2,097,152 bytes"),
        (lambda one: one.unlink(), "is no file of answers"),
    ],
)  # fmt: skip
def test_what_is_no_answer_to_this_survey_is_refused_in_one_line(
    survey, tmp_path, capsys, spoil, said
):
    path = answered(survey, tmp_path, "a", first)
    spoil(path)
    assert main(["survey", "read", str(survey), str(path)]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_one_person_twice_is_refused_by_both_names(survey, tmp_path):
    files = [
        answered(survey, tmp_path, "a", first), answered(survey, tmp_path, "a", blind, "again")
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"a\.json and again\.json are of the same person"):
        read_answers(Survey.read(survey), files)


def test_a_key_that_is_none_is_refused(tmp_path):
    (tmp_path / "key.json").write_text('{"format": 1}')
    with pytest.raises(DataError, match="is no key of a survey"):
        Survey.read(tmp_path)
