"""The comparison of open wording with the grammar's: who is paired, what is counted, on tiny nets."""

import shutil

import pytest
import torch

from tedigan.annotators.referee import Referee
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.errors import CaptionError
from tedigan.stages.making_faces import open_maker
from tedigan.tensors import to_images
from tedigan.workspace import Workspace
from tests.captions.paraphrases import Paraphrase, load_paraphrases
from tests.evaluation.measured import instruments
from tests.evaluation.paraphrased_faces import (
    Counts,
    Pair,
    caption_of,
    compare,
    count,
    pair_up,
    table,
)
from tests.stages.small import small_workspace, write_models

GRAMMAR = load_grammar()
SENTENCES = load_paraphrases()


@pytest.fixture(scope="module")
def referee() -> Referee:
    """Untrained; two thirds of the attributes are reliable."""
    return instruments().referee


def test_a_caption_states_what_its_sentence_wishes_and_no_more() -> None:
    pairs, num_unsaid = pair_up(SENTENCES, GRAMMAR)
    read = Reader(GRAMMAR).read
    assert all(read(one.caption) == one.sentence.truth for one in pairs)
    assert len(pairs) + num_unsaid == sum(bool(one.truth) for one in SENTENCES)
    assert len(pairs) > 140
    assert sum(one.sentence.kind == "negation" for one in pairs) >= 20


def test_what_the_grammar_never_says_has_no_caption() -> None:
    assert caption_of({"Pale_Skin": False}, GRAMMAR, 0) is None
    assert caption_of({"Bangs": True}, GRAMMAR, 0) is not None


def pair(text: str, caption: str, **truth: bool) -> Pair:
    wanted, unwanted = (tuple(n for n, v in truth.items() if v is way) for way in (True, False))
    return Pair(Paraphrase(text, wanted, unwanted, "face", ()), caption)


def test_each_way_is_judged_by_the_faces_of_its_own_text(
    untrained: Workspace, referee: Referee
) -> None:
    """Young is an attribute that this referee may not be trusted with, the others are not."""
    maker, read, _ = open_maker(untrained)
    truths = [{"Smiling": True, "Young": True}, {"Male": True, "Smiling": False}]
    texts = ["A smiling young person.", "The man is not smiling."]
    captions = ["This person is young and is smiling.", "The man has a beard."]
    pairs = [pair(*one[:2], **one[2]) for one in zip(texts, captions, truths, strict=True)]
    found = count(pairs, maker, read, referee, num_faces=3, seed=5)

    def met(words: list[str]) -> list[int]:
        faces = torch.cat(list(maker.faces([one for one in words for _ in range(3)], seed=5)))
        shown = [
            dict(zip(referee.names, row, strict=True)) for row in referee.find(to_images(faces))
        ]
        return [
            sum(
                bool(face[name]) is value
                for face in shown[3 * place : 3 * place + 3]
                for name, value in truth.items()
                if name != "Young"
            )
            for place, truth in enumerate(truths)
        ]

    assert found.said.tolist() == [3, 6]
    assert found.met["sentence"].tolist() == met(texts)
    assert found.met["caption"].tolist() == met(captions)
    assert found.is_alike.tolist() == [True, False]


def test_sentences_that_are_understood_alike_fare_alike(
    untrained: Workspace, referee: Referee
) -> None:
    maker, read, _ = open_maker(untrained)
    pairs = pair_up(SENTENCES[:12], GRAMMAR)[0]
    found = count(pairs, maker, read, referee, num_faces=1, seed=5)
    assert bool(found.is_alike.any())
    sentence, caption = (found.met[way][found.is_alike] for way in ("sentence", "caption"))
    assert torch.equal(sentence, caption)


def counts_of(kinds: list[str], said: int, sentence: list[int], caption: list[int]) -> Counts:
    ways = {"sentence": sentence, "caption": caption, "any": [0] * len(kinds)}
    met = {way: torch.tensor(numbers) for way, numbers in ways.items()}
    alike = torch.tensor(sentence) == torch.tensor(caption)
    return Counts(tuple(kinds), torch.full((len(kinds),), said), met, alike)


def test_the_difference_is_paired_over_sentences() -> None:
    """Each sentence loses one wish of four, however hard it is: no draw of sentences says otherwise."""
    caption = [1, 2, 3, 4] * 5
    counts = counts_of(["face"] * 20, 4, [one - 1 for one in caption], caption)
    assert counts.share("caption") == 50 / 80
    assert counts.difference() == pytest.approx(-0.25)
    assert counts.interval(0) == pytest.approx((-0.25, -0.25))


def test_negated_sentences_stand_apart() -> None:
    kinds = ["face", "edit", "negation", "negation"]
    lines = table(counts_of(kinds, 2, [2, 1, 0, 1], [2, 2, 2, 2]), seed=0)
    rows = {line[:20].strip(): line[20:].split() for line in lines[1:]}
    assert list(rows) == [
        "face", "edit", "negation", "all but negation", "all", "understood otherwise"
    ]  # fmt: skip
    assert rows["negation"][:6] == ["2", "0", "0.250", "1.000", "0.000", "-0.750"]
    assert rows["all but negation"][:6] == ["2", "1", "0.750", "1.000", "0.000", "-0.250"]
    assert rows["all"][:4] == ["4", "1", "0.500", "1.000"]
    assert rows["understood otherwise"][:3] == ["3", "0", "0.333"]


def test_a_workspace_is_compared_whole(tmp_path, toy_referee) -> None:
    workspace = small_workspace(tmp_path, generate={"num_search_steps": 1, "batch_size": 64})
    write_models(workspace)
    shutil.copytree(toy_referee[0].model("referee"), workspace.model("referee"))
    about, head, *lines = compare(workspace, SENTENCES[::23], num_faces=1)
    assert about.startswith("7 sentences, faces of each: 1. The grammar has no words for 1 more; ")
    assert head.split()[:2] == ["sentences", "alike"]
    assert {"face", "all"} <= {line[:20].strip() for line in lines}
    nothing = [one for one in SENTENCES if one.kind == "nothing"]
    with pytest.raises(CaptionError, match="has words for none of the 12 sentences"):
        compare(workspace, nothing, num_faces=1)
