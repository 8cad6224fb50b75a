"""The sentences of tests/data/paraphrases.csv, and how well a reader understands them.

`python -m tests.captions.paraphrases [TEXT_MAPPER]` prints how each kind is read: by the built-in grammar's reader
and, with the folder of a text mapper, by its reader and by both together.
"""

import csv
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.captions.reader import Reader
from tedigan.models.makers import open_sentence_reader

FILE = Path(__file__).parents[1] / "data" / "paraphrases.csv"
KINDS = ("face", "edit", "negation", "contradiction", "nothing")
VERDICTS = ("exact", "partly", "wrong")


@dataclass(frozen=True)
class Paraphrase:
    """A sentence and what a fair reader takes it to say."""

    text: str
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    kind: str
    contradicted: tuple[str, ...]

    @property
    def truth(self) -> dict[str, bool]:
        """What `Reader.read` should give."""
        return dict.fromkeys(self.wanted, True) | dict.fromkeys(self.unwanted, False)

    def opposites(self, read: Mapping[str, bool]) -> list[str]:
        """Attributes that were read as the opposite of what is said."""
        return [name for name, holds in self.truth.items() if read.get(name, holds) is not holds]

    def invented(self, read: Mapping[str, bool]) -> list[str]:
        """Attributes that were read though the sentence leaves them open, or says them both ways."""
        return [name for name in read if name not in self.truth]

    def verdict(self, read: Mapping[str, bool]) -> str:
        """exact: all that is said and nothing else; wrong: an opposite; partly: anything between."""
        if read == self.truth:
            return "exact"
        return "wrong" if self.opposites(read) else "partly"


def load_paraphrases() -> list[Paraphrase]:
    """The sentences in the order of the file."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            Paraphrase(
                row["text"],
                _names(row["wanted"]),
                _names(row["unwanted"]),
                row["kind"],
                _names(row["contradicted"]),
            )
            for row in csv.DictReader(file, strict=True)
        ]


def _names(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(";")) if cell else ()


Read = Callable[[str], Mapping[str, bool]]


def verdicts(read: Read) -> tuple[Counter[tuple[str, str]], list[str]]:
    """How many of each kind are read how; and each opposite, invention and omission."""
    counts, faults = Counter[tuple[str, str]](), []
    for one in load_paraphrases():
        found = read(one.text)
        counts[one.kind, one.verdict(found)] += 1
        missed = [name for name in one.truth if name not in found]
        for fault, names in (
            ("opposite", one.opposites(found)),
            ("invented", one.invented(found)),
            ("missed", missed),
        ):
            faults += [f"{fault:9} {name}: {one.text}" for name in names]
    return counts, sorted(faults)


def precision_and_recall(read: Read) -> tuple[float, float]:
    """Of claims: the share of those read that are true, and of those true that are read."""
    pairs = [(set(read(one.text).items()), set(one.truth.items())) for one in load_paraphrases()]
    right = sum(len(found & true) for found, true in pairs)
    read_, true_ = (sum(len(pair[side]) for pair in pairs) for side in (0, 1))
    return right / max(read_, 1), right / max(true_, 1)


def readers(folder: Path | None) -> dict[str, Read]:
    """By name: the grammar's, and with a text mapper's folder also its own and both together."""
    grammar = Reader(load_grammar())
    if folder is None:
        return {"grammar": grammar.read}
    both = open_sentence_reader(CELEBA, folder, torch.device("cpu"))
    alone = replace(both, grammar=Silent())
    return {"grammar": grammar.read, "network": alone.read, "both": both.read}


class Silent(Reader):
    """Reads nothing."""

    def __init__(self) -> None:
        pass

    def values(self, caption: str) -> dict[str, set[bool]]:
        return {}


def main() -> None:
    """Print the verdicts by kind for each reader, then the last one's faults."""
    faults: list[str] = []
    for name, read in readers(Path(sys.argv[1]) if len(sys.argv) > 1 else None).items():
        counts, faults = verdicts(read)
        print(f"{name:14}", *(f"{verdict:>7}" for verdict in VERDICTS))
        for kind in KINDS:
            print(f"{kind:14}", *(f"{counts[kind, verdict]:7}" for verdict in VERDICTS))
        totals = [sum(counts[kind, verdict] for kind in KINDS) for verdict in VERDICTS]
        print(f"{'all':14}", *(f"{total:7}" for total in totals))
        precision, recall = precision_and_recall(read)
        print(f"claims: precision {precision:.3f}, recall {recall:.3f}\n")
    print(*faults, sep="\n")


if __name__ == "__main__":
    main()
