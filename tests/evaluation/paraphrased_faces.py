"""Faces of the hand-written sentences beside faces of the grammar's captions of the same wishes.

`python -m tests.evaluation.paraphrased_faces WORKSPACE` draws both with the same seeds, by generate's numbers at
evaluate's psi, and prints the share of the sentences' own wishes that the referee finds met: in the sentences'
faces (what the reader understood), in the captions', in random ones; and the paired difference with its 95 %
interval over sentences. Only attributes count that the referee is reliable on. Sentences that the grammar has no
words for, as it denies few attributes, are left out and counted.
"""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from tedigan.annotators.referee import Referee, load_referee
from tedigan.captions.grammar import Claim, Grammar
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.writer import draw_captions
from tedigan.errors import CaptionError
from tedigan.evaluation.statistics import bootstrap_interval
from tedigan.evaluation.text_fidelity import Mentions
from tedigan.method.text_to_face import FaceMaker, Read
from tedigan.stages.making_faces import open_maker
from tedigan.tensors import stream, to_images
from tedigan.workspace import Workspace
from tests.captions.paraphrases import KINDS, Paraphrase, load_paraphrases

NUM_DRAWS, NUM_CAPTIONS = (
    10,
    10,
)  # of one sentence's wishes; the first that states all of them is taken
MOST_DENIALS = 5  # in a caption; no sentence denies more


@dataclass(frozen=True)
class Pair:
    """A hand-written sentence, and a caption of the grammar's that states the same."""

    sentence: Paraphrase
    caption: str


@dataclass(frozen=True)
class Counts:
    """A number for each sentence, `[n]`. said: its wishes that the referee may judge, in all of its faces.

    met: those met in the faces of each way (sentence, caption, any). is_alike: whether sentence and caption were
    understood alike, so that their faces are the same.
    """

    kinds: tuple[str, ...]
    said: Tensor
    met: Mapping[str, Tensor]
    is_alike: Tensor

    def of(self, rows: Tensor) -> "Counts":
        """Those of some sentences."""
        kinds = tuple(self.kinds[row] for row in rows.tolist())
        met = {way: one[rows] for way, one in self.met.items()}
        return Counts(kinds, self.said[rows], met, self.is_alike[rows])

    def share(self, way: str) -> float | None:
        """Of all wishes, the share that is met; None without a wish."""
        return int(self.met[way].sum()) / int(self.said.sum()) if bool(self.said.any()) else None

    def difference(self) -> float | None:
        """The sentences' share less the captions'."""
        sentence, caption = self.share("sentence"), self.share("caption")
        return None if sentence is None or caption is None else sentence - caption

    def interval(self, seed: int) -> tuple[float, float] | None:
        """95 % bootstrap interval of the difference, over sentences."""
        rng = stream(seed, "paraphrases")
        return bootstrap_interval(len(self.said), lambda rows: self.of(rows).difference(), rng)


def pair_up(sentences: Sequence[Paraphrase], grammar: Grammar) -> tuple[list[Pair], int]:
    """The sentences that wish something, with their captions; and how many the grammar cannot say."""
    wishing = [one for one in sentences if one.truth]
    captions = [caption_of(one.truth, grammar, index) for index, one in enumerate(wishing)]
    pairs = [Pair(*pair) for pair in zip(wishing, captions, strict=True) if pair[1] is not None]
    return pairs, len(wishing) - len(pairs)


def caption_of(wishes: Mapping[str, bool], grammar: Grammar, index: int) -> str | None:
    """A caption that states these wishes and nothing else; None where the grammar has none."""
    subject = grammar.file.subject.attribute or ""
    sayable = {said.claim for said in (*grammar.statements, *grammar.denials)}
    if not {Claim(*one) for one in wishes.items() if one[0] != subject} <= sayable:
        return None
    denials = grammar.file.denials.model_copy(update={"share": 1.0, "most": MOST_DENIALS})
    speaking = replace(grammar, file=grammar.file.model_copy(update={"denials": denials}))
    for draw in range(NUM_DRAWS):
        rng = stream("paraphrases", index, draw)
        drawn = draw_captions(wishes, grammar=speaking, num_captions=NUM_CAPTIONS, generator=rng)
        for caption in drawn:
            if caption.named == wishes:
                return caption.text
    return None


def count(
    pairs: Sequence[Pair],
    maker: FaceMaker,
    read: Read,
    referee: Referee,
    *,
    num_faces: int,
    seed: int,
) -> Counts:
    """Draw num_faces of each sentence, of its caption and of nothing, face i of each from one start, and judge."""
    truths = {one.sentence.text: one.sentence.truth for one in pairs}
    texts = [one.sentence.text for one in pairs for _ in range(num_faces)]
    captions = [one.caption for one in pairs for _ in range(num_faces)]
    mentions = Mentions.read(texts, truths.__getitem__, referee.names, referee.is_reliable)

    def per_sentence(hits: Tensor) -> Tensor:
        return hits.sum(dim=1).unflatten(0, (len(pairs), num_faces)).sum(dim=1)

    def met(batches: Iterable[Tensor]) -> Tensor:
        found = torch.cat([referee.find(to_images(batch)) for batch in batches])
        return per_sentence((found == mentions.wanted) & mentions.is_mentioned)

    ways = {
        "sentence": met(maker.faces(texts, seed=seed)),
        "caption": met(maker.faces(captions, seed=seed)),
        "any": met(maker.unconditional_faces(len(texts), seed=seed)),
    }
    alike = [read(one.sentence.text).wishes == read(one.caption).wishes for one in pairs]
    kinds = tuple(one.sentence.kind for one in pairs)
    return Counts(kinds, per_sentence(mentions.is_mentioned), ways, torch.tensor(alike))


def table(counts: Counts, *, seed: int) -> list[str]:
    """A line for each kind of sentence, for all but the negated ones, and for those understood otherwise."""
    negated = torch.tensor([kind == "negation" for kind in counts.kinds])
    groups = {kind: torch.tensor([one == kind for one in counts.kinds]) for kind in KINDS}
    groups |= {"all but negation": ~negated, "all": torch.ones_like(negated)}
    groups["understood otherwise"] = ~counts.is_alike
    heads = ("sentences", "alike", "sentence", "caption", "any face", "difference")
    lines = [f"{'':20}" + "".join(f"{head:>11}" for head in heads)]
    for name, is_in in groups.items():
        here = counts.of(torch.nonzero(is_in).flatten())
        if bool(here.said.any()):
            lines.append(f"{name:20}" + _cells(here, seed))
    return lines


def _cells(counts: Counts, seed: int) -> str:
    shares = [counts.share(way) for way in ("sentence", "caption", "any")]
    numbers = [len(counts.said), int(counts.is_alike.sum())]
    low, high = counts.interval(seed) or (float("nan"), float("nan"))
    cells = [f"{number:11}" for number in numbers] + [f"{share:11.3f}" for share in shares]
    return "".join(cells) + f"{counts.difference():+11.3f} [{low:+.3f}, {high:+.3f}]"


def compare(workspace: Workspace, sentences: Sequence[Paraphrase], *, num_faces: int) -> list[str]:
    """The lines that are printed of a workspace."""
    evaluate = workspace.params.evaluate
    pairs, num_unsaid = pair_up(sentences, load_grammar(workspace.grammar))
    if not pairs:
        raise CaptionError(
            f"{workspace.grammar} has words for none of the {len(sentences)} sentences, expected a grammar of "
            "CelebA's attributes. Name a workspace whose data set has them."
        )
    referee = load_referee(workspace.model("referee"), workspace.device)
    maker, read, _ = open_maker(workspace, truncation_psi=evaluate.truncation_psi)
    counts = count(pairs, maker, read, referee, num_faces=num_faces, seed=evaluate.seed)
    about = (
        f"{len(pairs)} sentences, faces of each: {num_faces}. The grammar has no words for {num_unsaid} "
        f"more; {int(referee.is_reliable.sum())} attributes are judged."
    )
    return [about, *table(counts, seed=evaluate.seed)]


def main() -> None:
    """Compare, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation.paraphrased_faces")
    parser.add_argument("workspace", type=Path, help="folder with params.yaml, data/ and models/")
    parser.add_argument("--faces", type=int, default=4, help="of each sentence and caption")
    arguments = parser.parse_args()
    workspace = Workspace.open(arguments.workspace)
    print(*compare(workspace, load_paraphrases(), num_faces=arguments.faces), sep="\n")


if __name__ == "__main__":
    main()
