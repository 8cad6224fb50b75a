"""The sentences of tests/data/paraphrases.csv, and how well a reader understands them.

`python -m tests.captions.paraphrases` prints how the built-in grammar's reader reads each kind.
"""

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader

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


def main() -> None:
    """Print the verdicts by kind, then each opposite and each invention."""
    reader, counts, faults = Reader(load_grammar()), Counter[tuple[str, str]](), []
    for one in load_paraphrases():
        read = reader.read(one.text)
        counts[one.kind, one.verdict(read)] += 1
        faults += [f"opposite  {name}: {one.text}" for name in one.opposites(read)]
        faults += [f"invented  {name}: {one.text}" for name in one.invented(read)]
    print(f"{'':14}", *(f"{verdict:>7}" for verdict in VERDICTS))
    for kind in KINDS:
        print(f"{kind:14}", *(f"{counts[kind, verdict]:7}" for verdict in VERDICTS))
    totals = [sum(counts[kind, verdict] for kind in KINDS) for verdict in VERDICTS]
    print(f"{'all':14}", *(f"{total:7}" for total in totals))
    print(*sorted(faults), sep="\n")


if __name__ == "__main__":
    main()
