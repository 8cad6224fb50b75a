"""Prompts by quotas: as many as asked, to the prompt; no contradictions; and the texts say what was assigned."""

from pathlib import Path

import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.bulk.prompts import Prompt
from tedigan.bulk.quotas import Assigned, Quotas, assign, draw_prompts, met, read_quotas
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.errors import CaptionError

GRAMMAR = load_grammar()
HAIR = ["Black_Hair", "Blond_Hair", "Brown_Hair"]
BOUND = {  # the bald have no bangs, and neither they nor goatees are women
    "count": 120,
    "quotas": {"Male": 0.5, "Goatee": 0.2, "Smiling": 0.4, "Bangs": 0.3, "Wearing_Hat": 0.1},
    "one_of": [[*HAIR, "Bald"]],
}


def assigned(content: dict, *, seed: int = 0) -> Assigned:
    return assign(Quotas.model_validate(content), GRAMMAR, seed=seed)


def counts(found: Assigned) -> dict[str, int]:
    return dict(zip(found.names, found.values.sum(dim=0).tolist(), strict=True))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_quotas_are_met_to_the_prompt_and_the_grammar_is_kept(seed: int) -> None:
    found = assigned(BOUND, seed=seed)
    assert counts(found) == {
        **{"Male": 60, "Goatee": 24, "Smiling": 48, "Bangs": 36, "Wearing_Hat": 12},
        **dict.fromkeys([*HAIR, "Bald"], 30),
    }
    for row in range(len(found)):
        face = found.face(row)
        assert GRAMMAR.contradictions(face) == []
        assert face["Male"] or not face["Goatee"]
        assert face["Male"] or not face["Bald"]


@given(st.integers(1, 60), st.floats(0, 1), st.integers(0, 9))
@settings(max_examples=30, deadline=None)
def test_any_share_of_any_count_is_met_to_the_nearest_prompt(
    count: int, share: float, seed: int
) -> None:
    found = counts(
        assigned({"count": count, "quotas": {"Male": share}, "one_of": [HAIR]}, seed=seed)
    )
    assert abs(found["Male"] - share * count) <= 0.5 + 1e-9
    assert sum(found[name] for name in HAIR) == count
    assert max(found[name] for name in HAIR) - min(found[name] for name in HAIR) <= 1


def test_shares_are_decimals_and_a_tie_goes_to_what_holds() -> None:
    assert counts(assigned({"count": 5, "quotas": {"Male": 0.3, "Young": 0.7}})) == {
        "Male": 2,  # the float lies below 0.3
        "Young": 4,
    }


def test_groups_go_by_weight() -> None:
    found = assigned({"count": 9, "one_of": [{"Straight_Hair": 1, "Wavy_Hair": 3.5}]})
    assert counts(found) == {"Straight_Hair": 2, "Wavy_Hair": 7}


def test_the_seed_alone_decides() -> None:
    one, again, other = assigned(BOUND), assigned(BOUND), assigned(BOUND, seed=1)
    assert torch.equal(one.values, again.values)
    assert not torch.equal(one.values, other.values)
    texts = [list(draw_prompts(found, GRAMMAR, seed=0)) for found in (one, again)]
    assert texts[0] == texts[1] != list(draw_prompts(one, GRAMMAR, seed=1))


def test_attributes_that_nothing_keeps_apart_are_independent() -> None:
    """Within 3.5 standard errors of a correlation of 4000 rows."""
    content = {**BOUND, "count": 4000, "quotas": {**BOUND["quotas"], "Young": 0.5}}
    found = assigned(content)
    correlations = torch.corrcoef(found.values.double().T)
    place = {name: i for i, name in enumerate(found.names)}
    for name in ("Smiling", "Wearing_Hat", "Young"):
        others = [i for other, i in place.items() if other != name]
        assert float(correlations[place[name], others].abs().max()) < 3.5 / 4000**0.5
    without = [float(correlations[place["Bangs"], place[name]]) for name in HAIR]
    assert max(without) - min(without) < 3.5 / 4000**0.5  # as often beside each colour


def test_what_only_men_have_is_independent_among_men() -> None:
    found = assigned({"count": 4000, "quotas": {"Male": 0.5, "Goatee": 0.2, "Mustache": 0.2}})
    men = found.values[found.values[:, 0]].double()
    assert abs(float(torch.corrcoef(men[:, 1:].T)[0, 1])) < 3.5 / 2000**0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_a_prompt_says_what_was_assigned_to_it_and_nothing_else(seed: int) -> None:
    found, reader = assigned(BOUND, seed=seed), Reader(GRAMMAR)
    prompts = list(draw_prompts(found, GRAMMAR, seed=seed))
    assert [prompt.row for prompt in prompts] == [*range(1, 121)]
    for row, prompt in enumerate(prompts):
        face, said = found.face(row), reader.read(prompt.text)
        assert said.items() <= face.items(), prompt
        assert {name for name, holds in face.items() if holds} <= said.keys(), prompt
        assert {"Male", "Smiling", "Wearing_Hat"} <= said.keys(), prompt  # what is not there, too


def test_any_face_that_the_grammar_allows_is_told_whole() -> None:
    """With quotas for nearly all attributes at once, within what a caption may hold."""
    claims = [
        said.claim for said in GRAMMAR.statements if said.claim.holds and said.only_if is None
    ]
    excluded = {claim for rivals in GRAMMAR.rivals for claim in rivals}
    free = {claim.name: 0.5 for claim in claims if claim not in excluded}
    found = assigned({"count": 40, "quotas": {"Male": 0.5, **free}})
    reader = Reader(GRAMMAR)
    for row, prompt in enumerate(draw_prompts(found, GRAMMAR, seed=0)):
        said = reader.read(prompt.text)
        assert {name for name, holds in found.face(row).items() if holds} <= said.keys()
        assert said.items() <= found.face(row).items()


def test_a_row_is_the_same_whatever_stands_beside_it() -> None:
    found = assigned(BOUND)
    part = Assigned(found.names, found.values[:5])
    assert (
        list(draw_prompts(part, GRAMMAR, seed=3)) == list(draw_prompts(found, GRAMMAR, seed=3))[:5]
    )


def test_what_must_be_tight_is_found() -> None:
    """Bangs beside neither Bald nor a receding hairline: the three fill every row."""
    shares = {"Bangs": 0.5, "Bald": 0.25, "Receding_Hairline": 0.25, "Male": 0.25}
    found = assigned({"count": 40, "quotas": shares})
    assert [*counts(found).values()] == [20, 10, 10, 10]
    together = [found.face(row) for row in range(40)]
    assert all(face["Bangs"] + face["Bald"] + face["Receding_Hairline"] == 1 for face in together)
    assert all(face["Male"] == face["Bald"] for face in together)


def test_what_has_no_room_beside_the_others_is_placed_before_them() -> None:
    """By chance 15 of 20 have straight hair or bangs; bald may be who has neither."""
    found = assigned({"count": 20, "quotas": {"Straight_Hair": 0.5, "Bangs": 0.5, "Bald": 0.4}})
    assert counts(found) == {"Straight_Hair": 10, "Bangs": 10, "Bald": 8}
    assert not (found.values[:, 2:] & found.values[:, :2]).any()


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (
            {"quotas": {"Bald": 0.6, "Bangs": 0.5, "Male": 1}},
            r"at most one of Bangs \(5\), Bald \(6\)",
        ),
        ({"quotas": {"Bald": 0.6, "Male": 0.5}}, r"Bald \(6\), not Male \(5\)"),
        ({"quotas": {"Gray_Hair": 0.1}, "one_of": [HAIR]}, "put them into one group"),
        ({"quotas": {"Male": 0.5}, "one_of": [["Male", "Young"]]}, "Male: has 2 quotas"),
        ({"quotas": {"Smilling": 0.5}}, "Smilling.*did you mean Smiling"),
        ({"quotas": {"Blurry": 0.5}}, "Blurry: the grammar never states it"),
        ({}, "expected at least one attribute"),
    ],
)
def test_quotas_that_cannot_be_met_are_named(content: dict, advice: str) -> None:
    with pytest.raises(CaptionError, match=f"(?s){advice}"):
        assigned({"count": 10, **content})


def test_a_file_is_read_with_the_grammar_beside_it(tmp_path: Path) -> None:
    own = "extends: celeba\nattributes:\n  Freckles: {group: has, says: [freckles]}\n"
    (tmp_path / "own.yaml").write_text(own, encoding="utf-8")
    content = {"count": 4, "quotas": {"Freckles": 1, "Male": 1}, "captions": "own.yaml"}
    (tmp_path / "quotas.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    quotas, grammar = read_quotas(tmp_path / "quotas.yaml")
    for prompt in draw_prompts(assign(quotas, grammar, seed=0), grammar, seed=0):
        assert isinstance(prompt, Prompt)
        assert "freckles" in prompt.text


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("count: 0\n", "count: .*greater than or equal to 1"),
        ("count: 5\nquotas: {Male: 1.5}\n", r"quotas.Male: .*less than or equal to 1 \(got 1.5\)"),
        ("count: 5\none_of: [[Young]]\n", "one_of.0: .*at least 2 items"),
        ("count: 5\none_of: [[Young, Young]]\n", "a name stands twice"),
        ("count: 5\none_of: [{Young: .inf, Male: 1}]\n", "finite"),
        ("count: 5\nbalanced: []\n", "balanced: .*expected count|expected count.*balanced"),
        ("count: 5\nquotas: {Male: 1, Male: 0}\n", "'Male' stands twice"),
        ("- 5\n", "holds list"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_key(
    tmp_path: Path, text: str, advice: str
) -> None:
    (tmp_path / "quotas.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CaptionError, match=f"(?s)quotas.yaml.*{advice}"):
        read_quotas(tmp_path / "quotas.yaml")
    with pytest.raises(CaptionError, match="does not exist"):
        read_quotas(tmp_path / "other.yaml")


def test_sentences_that_leave_the_person_out_are_passed_over(tmp_path: Path) -> None:
    extra = 'sentences:\n  anonymous: {weight: 50, text: "a face that {is and has and wears}"}\n'
    (tmp_path / "own.yaml").write_text(f"extends: celeba\n{extra}", encoding="utf-8")
    grammar, reader = load_grammar(tmp_path / "own.yaml"), Reader(GRAMMAR)
    found = assign(Quotas(count=20, quotas={"Male": 0.5, "Smiling": 1}), grammar, seed=0)
    for row, prompt in enumerate(draw_prompts(found, grammar, seed=0)):
        assert reader.read(prompt.text)["Male"] == found.face(row)["Male"]


def test_what_was_asked_stands_beside_what_there_is() -> None:
    quotas = Quotas(count=3, quotas={"Male": 0.5}, one_of=({"Young": 1, "Gray_Hair": 3},))
    rows = {row.name: row for row in met(quotas, {"Male": 2 / 3, "Young": 0.2}, {"Male": 0.75})}
    assert rows["Male"][1:] == (0.5, 2 / 3, 0.75)
    assert rows["Young"][1:] == (0.25, 0.2, None)
    assert rows["Gray_Hair"][1:] == (0.75, 0.0, None)
