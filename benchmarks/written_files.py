"""Lists and tables as people's programs save them, and damaged ones: is every cell read as it was written?

    python -m benchmarks.written_files --count 10000

Each file is of one kind (captions, edits, sources, prompts as text, CSV and parquet, attributes, identities), in a
random encoding, with random line ends, delimiter and quotes; its words hold what word processors put there. A
third of the files are then damaged at random: those must be read, or refused by the product's own error.
"""

import argparse
import csv
import io
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tedigan.bulk.prompts import Prompt, read_prompts
from tedigan.captions.lists import read_captions, read_edits
from tedigan.dataset.sources.attribute_tables import parse_attribute_table
from tedigan.dataset.sources.celebamask import parse_identities
from tedigan.errors import TediganError
from tedigan.jobs.source_list import read_sources
from tedigan.store.files import read_text

Cells = list[list[str]]
WORDS = (
    'smiling woman he wears hat, no; beard glasses\' "young" Zo\u00eb Zoe\u0308 \u00c5sa A\u030asa '
    "\U0001f469\u200d\U0001f4bb \u0645\u06cc\u200c\u062e\u0646\u062f\u062f soft-hair \u5973\u6027 "
    "na\u00efve 5 o'clock, =1+1 #1 sep= \u2019tis"
).split(" ")
ODD_BLANKS = ["\u00a0", "\t", "  ", "\u2009", "\u3000", "\u200b", "\u2028", "\u000b", "\u0085"]
BLANKS = [" "] * 8 + ODD_BLANKS
BREAKS = ["\n", "\r\n", "\r"]


class Written(NamedTuple):
    """A file's name and bytes, and what is to be read in it."""

    name: str
    content: bytes
    expected: object


def main() -> None:
    """Make the files, read them, and print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.written_files")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcomes, faults = read_all(Path(folder), arguments.count, arguments.seed)
    print(json.dumps({"files": arguments.count, **outcomes, "faults": faults[:20]}, indent=2))


def read_all(folder: Path, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """How many files were read as written or refused; and what was glued, lost, or no error of ours."""
    outcomes, faults = Counter[str](), list[str]()
    for number in range(count):
        chance = random.Random(f"{seed}/{number}")
        kind = chance.choice(list(KINDS))
        write, read = KINDS[kind]
        made = write(chance)
        is_damaged = chance.random() < 1 / 3
        content = _damaged(made.content, chance) if is_damaged else made.content
        (folder / made.name).write_bytes(content)
        try:
            found = read(folder / made.name)
        except TediganError as error:
            outcomes["damaged and refused" if is_damaged else "refused"] += 1
            if not is_damaged:
                faults.append(f"{kind} {number}: {error}")
        except Exception as error:  # what the benchmark looks for
            faults.append(f"{kind} {number}: {type(error).__name__} {error}")
        else:
            is_right = is_damaged or found == made.expected
            outcomes[
                "damaged and read" if is_damaged else "read as written" if is_right else "misread"
            ] += 1
            if not is_right:
                faults.append(f"{kind} {number}: {found!r} is not {made.expected!r}")
    return outcomes, faults


def _damaged(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, put in, taken out, or the end cut off."""
    some = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(some) + 1)
        way = chance.randrange(4)
        if way == 0:
            some[place:place] = bytes([chance.choice([0, 10, 13, 34, 44, 59, 0x85, 0xC3, 0xFF])])
        elif way == 1:
            some[place : place + 1] = bytes([chance.randrange(256)])
        elif way == 2:
            del some[place : place + chance.randint(1, 5)]
        else:
            del some[place:]
    return bytes(some)


def _sentence(chance: random.Random, blanks: list[str]) -> tuple[str, str]:
    """A text as it is written, and as it is to be read."""
    words = ["a", *(chance.choice(WORDS) for _ in range(chance.randint(1, 8)))]
    written = words[0] + "".join(chance.choice(blanks) + word for word in words[1:])
    if chance.random() < 0.2:
        written = written.replace("smi", "smi\u00ad")
    read = " ".join(words).replace("e\u0308", "\u00eb").replace("A\u030a", "\u00c5")
    return written, read


def _encoded(text: str, chance: random.Random) -> bytes:
    return text.encode(chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))


def _table(chance: random.Random, cells: Cells) -> bytes:
    """As CSV of one of the dialects that spreadsheets write."""
    buffer = io.StringIO()
    delimiter = chance.choice([",", ",", ";", "\t"]) if len(cells[0]) > 1 else ","
    end = chance.choice(BREAKS)
    # Python's writer puts other ends of lines than its own between no quotes.
    is_bare = end == "\r\n" and chance.random() < 0.5
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL if is_bare else csv.QUOTE_ALL
    csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(cells)
    text = buffer.getvalue()
    if chance.random() < 0.1 and delimiter != ",":
        text = f"sep={delimiter}{end}{text}"
    if chance.random() < 0.2:
        text += (delimiter * (len(cells[0]) - 1) + end) * 2
    return _encoded(text, chance)


def _captions(chance: random.Random) -> Written:
    pairs = [_sentence(chance, BLANKS) for _ in range(chance.randint(1, 6))]
    end = chance.choice(BREAKS)
    text = end.join(written for written, _ in pairs) + chance.choice(["", end, end * 3])
    return Written("captions.txt", _encoded(text, chance), [read for _, read in pairs])


def _edits(chance: random.Random) -> Written:
    rows, expected = [], []
    for _ in range(chance.randint(1, 5)):
        name = chance.choice(["*", "0", "0.png", "\u00c5sa.jpg", "my photo.jpg"])
        written, read = _sentence(chance, BLANKS + BREAKS)
        strength = chance.choice(["", "1", "-2.5", "\u22121", " 3 "])
        rows.append([name, written, strength])
        expected.append((name, read, float(strength.replace("\u2212", "-") or 1)))
    return Written(
        "edits.csv", _table(chance, [["photograph", "Text", "strength"], *rows]), expected
    )


def _sources(chance: random.Random) -> Written:
    rows, expected = [], []
    for _ in range(chance.randint(1, 5)):
        written, read = _sentence(chance, BLANKS + BREAKS)
        n = chance.choice(["", "3"])
        rows.append([written, "my sketch.png", n])
        expected.append((read, "my sketch.png", int(n) if n else None))
    return Written("sources.csv", _table(chance, [["text", "sketch", "n"], *rows]), expected)


def _prompts(suffix: str) -> Callable[[random.Random], Written]:
    def write(chance: random.Random) -> Written:
        blanks = BLANKS if suffix == "txt" else BLANKS + BREAKS
        pairs = [_sentence(chance, blanks) for _ in range(chance.randint(1, 6))]
        expected = [read for _, read in pairs]
        name = f"prompts.{suffix}"
        if suffix == "parquet":
            sink = io.BytesIO()
            pq.write_table(pa.table({"text": [written for written, _ in pairs]}), sink)
            return Written(name, sink.getvalue(), expected)
        if suffix == "csv":
            return Written(
                name, _table(chance, [["id", "prompt"], *(["7", w] for w, _ in pairs)]), expected
            )
        end = chance.choice(BREAKS)
        return Written(name, _encoded(end.join(w for w, _ in pairs) + end, chance), expected)

    return write


def _attributes(chance: random.Random) -> Written:
    pictures = [f"Zo\u00eb {number}.jpg" for number in range(chance.randint(1, 5))]
    bits = [[chance.choice("01") for _ in range(3)] for _ in pictures]
    header = ["picture", "Big\nNose", "Bangs", "Hat, or cap"]
    rows = [[picture, *row] for picture, row in zip(pictures, bits, strict=True)]
    expected = {p: bytes(map(int, row)) for p, row in zip(pictures, bits, strict=True)}
    return Written("table.csv", _table(chance, [header, *rows]), expected)


def _identities(chance: random.Random) -> Written:
    people = {n: (chance.randrange(9), chance.choice(["train", "test", ""])) for n in range(4)}
    rows = [[str(n), str(who), split] for n, (who, split) in people.items()]
    return Written(
        "identity.csv", _table(chance, [["idx", "identity", "partition"], *rows]), people
    )


def _read_prompts(path: Path) -> list[str]:
    found = read_prompts(path.name, root=path.parent, cache=path.parent / "cache")
    return [one.text for one in found if isinstance(one, Prompt)]


KINDS: dict[str, tuple[Callable[[random.Random], Written], Callable[[Path], object]]] = {
    "captions": (_captions, read_captions),
    "edits": (_edits, lambda path: [(e.photograph, e.text, e.strength) for e in read_edits(path)]),
    "sources": (
        _sources,
        lambda path: [(s.text, s.given["sketch"], s.n) for s in read_sources(path)],
    ),
    "prompts, text": (_prompts("txt"), _read_prompts),
    "prompts, CSV": (_prompts("csv"), _read_prompts),
    "prompts, parquet": (_prompts("parquet"), _read_prompts),
    "attributes": (_attributes, lambda path: parse_attribute_table(read_text(path)).rows),
    "identities": (_identities, lambda path: parse_identities(read_text(path))),
}

if __name__ == "__main__":
    main()
