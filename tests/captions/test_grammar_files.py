"""Grammar files: the built-in one, a user's own attributes, and files that cannot be used."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_files import CELEBA, load_grammar, save_grammar
from tedigan.captions.reader import Reader
from tedigan.captions.writer import draw_captions
from tedigan.errors import CaptionError, StoreError
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES

OWN = """\
extends: celeba
attributes:
  Freckles: {group: has, says: {freckles: 2, a freckled face: 1}, denies: [no freckles], also_read: [freckled]}
  Nose_Ring: {group: wears, says: [a nose ring], denies: [no nose ring]}
  Tired: {group: is, says: [tired, weary], denies: [not tired], not_after: [looks]}
exclusive:
  rest: [Tired, Smiling]
denials: {share: 0.5, most: 2}
"""
COLUMNS = ("Male", "Freckles", "Nose_Ring", "Tired")


def write(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Grammar:
    return load_grammar(write(tmp_path_factory.mktemp("own"), OWN), columns=COLUMNS)


def test_a_grammar_is_saved_whole_and_reads_back_as_it_was(own: Grammar, tmp_path: Path) -> None:
    for grammar in (own, load_grammar()):
        save_grammar(grammar, tmp_path / "saved.yaml")
        again = load_grammar(tmp_path / "saved.yaml")
        assert again == grammar
        assert again.statements == grammar.statements
        assert "extends" not in (tmp_path / "saved.yaml").read_text(encoding="utf-8")


def test_the_built_in_grammar_speaks_of_celeba_and_nothing_else() -> None:
    grammar = load_grammar(columns=ATTRIBUTE_NAMES)
    assert {*grammar.file.attributes, "Male"} == set(ATTRIBUTE_NAMES)


def test_the_built_in_grammar_is_a_file_that_begins_with_how_to_extend_it() -> None:
    head = CELEBA.read_text(encoding="utf-8")[:1000]
    assert "extends: celeba" in head
    assert "Freckles" in head


@given(st.sets(st.sampled_from([*ATTRIBUTE_NAMES, *COLUMNS])), st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_own_attributes_are_written_and_read_back_exactly(
    own: Grammar, positives: set[str], seed: int
) -> None:
    face = {name: name in positives for name in (*ATTRIBUTE_NAMES, *COLUMNS)}
    captions = draw_captions(face, grammar=own, num_captions=10, generator=stream(seed))
    reader = Reader(own)
    for caption in captions:
        assert reader.read(caption.text) == caption.named, caption.text
        assert all(face[name] == holds for name, holds in caption.named.items())
        assert not {"Tired", "Smiling"} <= {n for n, holds in caption.named.items() if holds}


def test_own_attributes_come_in_every_clause(own: Grammar) -> None:
    face = {"Freckles": True, "Nose_Ring": True, "Tired": True, "Male": False}
    captions = draw_captions(face, grammar=own, num_captions=100, generator=stream(0))
    text = " ".join(caption.text for caption in captions)
    for phrase in [
        "has freckles",
        "with a freckled face",
        "wears a nose ring",
        "is tired",
        "weary woman",
    ]:
        assert phrase in text
    assert "looks tired" not in text


def test_null_removes_what_is_inherited(tmp_path: Path) -> None:
    grammar = load_grammar(write(tmp_path, "extends: celeba\nattributes: {Attractive: null}"))
    assert "Attractive" not in grammar.file.attributes
    assert Reader(grammar).read("an attractive man") == {"Male": True}


def test_an_attribute_that_is_only_read_is_never_said(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: celeba\nattributes: {Chubby: {also_read: [chubby]}}")
    grammar = load_grammar(path)
    face = dict.fromkeys(("Chubby", "Male"), True)
    captions = draw_captions(face, grammar=grammar, num_captions=50, generator=stream(0))
    assert not any("Chubby" in caption.named for caption in captions)
    assert Reader(grammar).read("he is chubby") == face


def test_lists_for_reading_are_added_to(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: celeba\nmodifiers: [bristly]\nignored: [hat stand, man-made]")
    read = Reader(load_grammar(path)).read
    assert read("black bristly hair and blond long hair") == {
        "Black_Hair": True,
        "Blond_Hair": True,
    }
    assert read("a hat stand, man-made") == {}


def test_a_grammar_extends_a_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path, OWN, "base.yaml")
    path = write(
        tmp_path, "extends: base.yaml\nattributes: {Dimples: {group: has, says: [dimples]}}"
    )
    grammar = load_grammar(path, columns=["Dimples"])
    assert {"Dimples", "Freckles", "Bangs"} <= set(grammar.file.attributes)


def test_keys_that_yaml_takes_for_truth_values_are_names(tmp_path: Path) -> None:
    path = write(tmp_path, "extends: celeba\nattributes: {Yes: {group: is, says: [assenting]}}")
    assert "Yes" in load_grammar(path).file.attributes


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (
            "extends: celeba\nattributes:\n  A: {group: has, says: ['']}",
            "own.yaml line 3: attributes.A.says",
        ),
        (
            "extends: celeba\nattributes:\n  A: {group: has, says: [bangs]}",
            "line 3: .*the same as 'bangs' of Bangs",
        ),
        (
            "extends: celeba\nattributes:\n  Bald: {group: has}",
            "line 3: attributes.Bald: neither said nor read",
        ),
        ("extends: celeba\ngroups:\n  is: {verbs: []}", "line 3: groups.is.verbs"),
        (
            "extends: celeba\nwords: {this: [this]}",
            "celeba.yaml line .*: sentences: only .* expected 100",
        ),
        (
            "extends: celeba\nwords:\n  this: [this]\n  this: [the]",
            "line 4: `this` stands twice; remove one",
        ),
        ("a: &x {b: 1}\nc: *x", "line 1: is referred to by an alias; write it out"),
        ("- a list", "holds list; expected the sections .*extends: celeba"),
        ("", "holds NoneType; expected the sections"),
        ("a: [", "is not YAML: .*Mend the line"),
        ("a: " + "[" * 5000, "is not YAML"),
        ("extends: own.yaml", "own.yaml line 1: own.yaml extends this file in turn. Remove"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_line(
    tmp_path: Path, text: str, advice: str
) -> None:
    with pytest.raises(CaptionError, match=rf"(?s){advice}"):
        load_grammar(write(tmp_path, text))


def test_a_misspelt_attribute_is_refused_where_the_columns_are_known(tmp_path: Path) -> None:
    path = write(tmp_path, OWN.replace("Nose_Ring:", "Nose_Rign:"))
    with pytest.raises(
        CaptionError, match=r"line 4: .*Nose_Rign: unknown .*did you mean 'Nose_Ring'"
    ):
        load_grammar(path, columns=COLUMNS)


@pytest.mark.parametrize("text", ["extends: nowhere", None])
def test_a_missing_file_is_named(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "own.yaml" if text is None else write(tmp_path, text)
    with pytest.raises(StoreError, match=r"(?:own.yaml|nowhere) cannot be read"):
        load_grammar(path)
