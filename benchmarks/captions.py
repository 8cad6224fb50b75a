"""Captions: are they correct sentences, do they read back, how varied are they, and how fast are they made?

    python -m benchmarks.captions --count 100000
    python -m benchmarks.captions --attributes CelebAMask-HQ-attribute-anno.txt --beside captions.txt --show 200

Without --attributes, those of drawn faces are used. --beside: other captions, one a line, measured alike.
"""

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.caption_rules import disagreements, findings
from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.captions.reader import Reader
from tedigan.captions.writer import Caption, draw_captions
from tedigan.drawn import describe_face
from tedigan.tensors import stream
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, parse_attributes

PER_FACE = 10


def main() -> None:
    """Measure, and print."""
    arguments = _arguments()
    grammar = load_grammar(arguments.grammar)
    faces = [*_faces(arguments.attributes, arguments.count // PER_FACE)]
    start = time.perf_counter()
    captions = [*_captions(faces, grammar, arguments.seed)]
    drawn = time.perf_counter()
    reader = Reader(grammar)
    read = [[reader.read(caption.text) for caption in group] for group in captions]
    finish = time.perf_counter()
    texts = [caption.text for group in captions for caption in group]
    result = {
        "faces": len(faces),
        **_quality(captions),
        **_faithfulness(faces, captions, read),
        "distinct share": len({*texts}) / len(texts),
        "not ten distinct": sum(len({one.text for one in group}) != PER_FACE for group in captions),
        "captions/s written": round(len(texts) / (drawn - start)),
        "captions/s read": round(len(texts) / (finish - drawn)),
        "faces told the same facts twice": sum(_repeats(group, grammar) for group in captions),
        "ours": _measures(texts) | _facts(texts, reader),
    }
    if arguments.beside:
        others = arguments.beside.read_text(encoding="utf-8").splitlines()
        result["beside"] = (
            _measures(others)
            | _facts(others, reader)
            | {"words we lack": sorted(_words(others) - _words(texts))}
        )
    print(json.dumps(result, indent=2))
    for text in texts[:: max(1, len(texts) // max(1, arguments.show))][: arguments.show]:
        print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.captions")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--attributes", type=Path, help="CelebAMask-HQ-attribute-anno.txt")
    parser.add_argument("--grammar", type=Path, default=CELEBA)
    parser.add_argument("--beside", type=Path, help="other captions, one a line")
    parser.add_argument("--show", type=int, default=0, help="captions to look at")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _faces(path: Path | None, count: int) -> Iterator[dict[str, bool]]:
    """Attributes by name, the file's from its beginning again where it has too few."""
    if path is None:
        yield from (describe_face(0, index)[0] for index in range(count))
        return
    rows = [row.tolist() for row in parse_attributes(path.read_text(encoding="utf-8")).values()]
    for index in range(count):
        yield dict(zip(ATTRIBUTE_NAMES, rows[index % len(rows)], strict=True))


def _captions(
    faces: Sequence[dict[str, bool]], grammar: Grammar, seed: int
) -> Iterator[list[Caption]]:
    for index, face in enumerate(faces):
        generator = stream(seed, "captions", index)
        yield draw_captions(face, grammar=grammar, num_captions=PER_FACE, generator=generator)


def _quality(captions: Sequence[Sequence[Caption]]) -> dict[str, object]:
    """What the grammar checker finds, in single captions and between those of one face."""
    found: Counter[str] = Counter()
    examples: dict[str, str] = {}
    broken = 0
    for group in captions:
        for caption in group:
            problems = findings(caption.text)
            broken += bool(problems)
            for problem in problems:
                found[problem] += 1
                examples.setdefault(problem, caption.text)
    quarrels = sum(bool(disagreements([one.text for one in group])) for group in captions)
    return {
        "captions": sum(map(len, captions)),
        "broken": broken,
        "faces whose captions disagree": quarrels,
        "findings": {problem: [n, examples[problem]] for problem, n in found.most_common(12)},
    }


def _faithfulness(
    faces: Sequence[dict[str, bool]],
    captions: Sequence[Sequence[Caption]],
    read: Sequence[Sequence[dict[str, bool]]],
) -> dict[str, int]:
    """Captions that read back to something else than they say, and those that say what is not so."""
    pairs = [
        (face, caption, named)
        for face, group, readings in zip(faces, captions, read, strict=True)
        for caption, named in zip(group, readings, strict=True)
    ]
    return {
        "read otherwise": sum(caption.named != named for _, caption, named in pairs),
        "untrue": sum(any(face[n] != v for n, v in named.items()) for face, _, named in pairs),
        "attributes spoken of": len({name for _, _, named in pairs for name in named}),
    }


def _measures(texts: Sequence[str]) -> dict[str, float]:
    """Vocabulary and length, in words without marks, as word-level tokenisers count them."""
    lengths = sorted(len(_split(text)) for text in texts)

    def share(part: float) -> int:
        return lengths[min(int(part * len(lengths)), len(lengths) - 1)]

    return {
        "captions": len(texts),
        "distinct": len({*texts}),
        "vocabulary": len(_words(texts)),
        "mean words": round(sum(lengths) / len(lengths), 1),
        "least": lengths[0],
        "p50": share(0.5),
        "p90": share(0.9),
        "p99": share(0.99),
        "most": lengths[-1],
    }


def _facts(texts: Sequence[str], reader: Reader) -> dict[str, float]:
    """How much a caption says, with the sex of its subject, and in how many sentences."""
    facts = sum(len(reader.values(text)) for text in texts)
    num_two = sum(bool(re.search(r"[.] \w", text)) for text in texts)
    num_open = sum(bool(re.search(r"person .*[.] (?:He|She) ", text)) for text in texts)
    return {
        "facts": round(facts / len(texts), 2),
        "share of two sentences": round(num_two / len(texts), 3),
        "share of a person who is then he or she": round(num_open / len(texts), 3),
    }


def _repeats(captions: Sequence[Caption], grammar: Grammar) -> bool:
    """Do two of them state the same of one face, but for its sex?"""
    subject = grammar.file.subject.attribute
    return len({frozenset(one.named.keys() - {subject}) for one in captions}) < len(captions)


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in _split(text)}


def _split(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


if __name__ == "__main__":
    main()
