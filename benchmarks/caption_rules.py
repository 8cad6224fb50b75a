"""A grammar checker for captions of faces that knows nothing of how they are written.

Rules on words alone: marks, doubled words, articles, verbs and what may follow them, gender, and what cannot be
true together. It knows the English of the built-in grammar and no more; a word it does not know is a finding.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

ADJECTIVES = {
    "is": "attractive good-looking smiling chubby plump young bald".split(),
    "has": "arched big full black blond brown gray bushy double high slightly open closed narrow oval pale pointy "
    "receding rosy straight wavy 5 o'clock".split(),
    "wears": ["heavy"],
}
COUNTED = {
    "has": "shadow nose chin goatee mouth mustache beard face hairline".split(),
    "wears": "hat necklace necktie tie ring".split(),
}
UNCOUNTED = {
    "has": "eyebrows bags bangs lips hair cheekbones eyes skin cheeks sideburns freckles".split(),
    "wears": "eyeglasses glasses makeup earrings lipstick".split(),
}
PEOPLE = "man woman person".split()
PICTURES = "picture photograph photo portrait image headshot snapshot".split()
PARTS = ["face"]
DETERMINERS = "a an the this no".split()
FINITE = "is has wears looks appears shows presents see".split()
SMALL = "and but who with in of to be wearing here this we you one can not he she under the eyes".split()

_ALL_ADJECTIVES = {word for words in ADJECTIVES.values() for word in words}
_ALL_NOUNS = {
    word: kind for nouns in (COUNTED, UNCOUNTED) for kind, words in nouns.items() for word in words
}
_KNOWN = {
    *_ALL_ADJECTIVES, *_ALL_NOUNS, *PEOPLE, *PICTURES, *PARTS, *DETERMINERS, *FINITE, *SMALL,
}  # fmt: skip
_NEVER_LAST = {*DETERMINERS, *FINITE, *SMALL} - {"eyes", "he", "she"}
_NEVER_TOGETHER = [
    {"bald", "bangs"},
    {"bald", "hair"},
    {"bald", "hairline"},
    {"bangs", "hairline"},
    {"straight", "wavy"},
    {"open", "closed"},
    *(set(pair) for pair in combinations(("black", "blond", "brown", "gray"), 2)),
]
_ODD = [
    "appears to be", "looks (?:bald|smiling|chubby|plump)",
    r"\b(?:he|man) wears no (?:lipstick|heavy|earrings|necklace)", r"mustache[\w, ]* but no beard",
    r"goatee[\w, ]* a beard", r"a beard[\w, ]* goatee", r"is \w+, and (?:has|wears)",
]  # fmt: skip
_MARKS = re.compile(r"[A-Z][a-z0-9' -]*(?:, [a-z0-9' -]+)*\.")


def findings(caption: str) -> list[str]:
    """What is wrong with a caption; nothing if it is one or two correct sentences."""
    found = [*_contradictions(_words(caption))]
    sentences = re.split(r"(?<=[.]) ", caption)
    if len(sentences) > 2:
        found.append("more than two sentences")
    for sentence in sentences:
        words = _words(sentence)
        found += [*_marks(sentence, words), *_articles(words), *_verbs(words), *_odd(sentence)]
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'-]+|[.,]", text.lower())


def _odd(sentence: str) -> Iterator[str]:
    """What is no error and yet nobody would write."""
    for odd in _ODD:
        if re.search(odd, sentence, re.IGNORECASE):
            yield f"odd: {odd}"


def disagreements(captions: Sequence[str]) -> list[str]:
    """What captions of one face say that cannot be true of one face; nothing if all is well."""
    words = [word for text in captions for word in re.findall(r"[\w'-]+", text.lower())]
    return [*_contradictions(words)]


def _marks(caption: str, words: list[str]) -> Iterator[str]:
    """Capital, full stop, commas, doubled and dangling words, length."""
    if not _MARKS.fullmatch(caption) or "  " in caption or caption.count(".") != 1:
        yield "marks or spaces"
    for word, other in pairwise(words):
        if word == other:
            yield f"doubled {word!r}"
        if other in (".", ",") and word in _NEVER_LAST:
            yield f"{word!r} dangles before {other!r}"
        if word in ("and", "but", *PEOPLE, "he", "she") and other in ("and", "but"):
            yield f"{word!r} dangles before {other!r}"
    if unknown := sorted({word for word in words if word not in _KNOWN and word not in ".,"}):
        yield f"unknown {unknown[0]!r}"
    if not 3 <= len(words) - words.count(",") - 1 <= 60:
        yield "length"


def _articles(words: list[str]) -> Iterator[str]:
    """ "a" or "an" by the next sound; one before a counted noun, none before the others."""
    for word, after in pairwise(words):
        if word in ("a", "an") and (word == "an") != (after[0] in "aeiou8"):
            yield f"article {word} {after}"
    counted = {noun for nouns in COUNTED.values() for noun in nouns} | {*PEOPLE, *PICTURES}
    for place, word in enumerate(words):
        before = _before(words, place)
        if word in counted and before not in DETERMINERS:
            yield f"no article before {word!r}"
        if word in _ALL_NOUNS and word not in counted and before in ("a", "an"):
            yield f"an article before {word!r}"


def _before(words: list[str], place: int) -> str:
    """The word before a noun's adjectives and the commas between them."""
    place -= 1
    while place > 0 and (
        words[place] in _ALL_ADJECTIVES
        or (words[place] == "," and words[place + 1] in _ALL_ADJECTIVES and words[place - 1] in ADJECTIVES["is"])
    ):  # fmt: skip
        place -= 1
    return words[place] if place >= 0 else ""


def _verbs(words: list[str]) -> Iterator[str]:
    """A verb is there, and each has what goes with it: features, things worn, or adjectives."""
    if not any(word in FINITE for word in words):
        yield "no verb"
    kind, is_fed = "", True
    for place, (word, after) in enumerate(pairwise(words)):
        opened = _opens(word, after)
        if opened:
            if not is_fed:
                yield f"{kind!r} without a complement"
            kind, is_fed = opened, False
        elif word in _ALL_NOUNS and after != "of":
            if kind != _ALL_NOUNS[word] and words[place - 1] != "under":
                yield f"{word!r} after {kind!r}"
            is_fed = True
            if after not in (".", ",", "and", "but", "who", "with", "under", *FINITE):
                yield f"{word!r} runs into {after!r}"
        elif kind == "is" and (
            word in ADJECTIVES["is"] or word in PEOPLE or word in ("a", "an", "the")
        ):
            is_fed = True
        elif kind == "shows" and (word in PEOPLE or word in PARTS):
            is_fed = True
    if not is_fed:
        yield f"{kind!r} without a complement"


def _opens(word: str, after: str) -> str:
    """Which complement a word asks for: is, has, wears or shows; "" for most words."""
    if word in ("is", "be") and after == "wearing":
        return ""
    if word in ("is", "looks", "be"):
        return "is"
    if word in ("has", "with"):
        return "has"
    if word in ("wears", "wearing"):
        return "wears"
    return "shows" if word in ("shows", "presents", "see") else ""


def _contradictions(words: Sequence[str]) -> Iterator[str]:
    """He and she, bald and bangs."""
    present = {*words}
    denied = {after for word, after in pairwise(words) if word in ("no", "not")}
    for pair in _NEVER_TOGETHER:
        if pair <= present and not pair & denied:
            yield f"contradiction: {' and '.join(sorted(pair))}"
    if present & {"he", "man"} and present & {"she", "woman"}:
        yield "contradiction: he and she"
    beards = {word for word, after in pairwise(words) if after == "beard"}
    if "no" in beards and ("a" in beards or "goatee" in present):
        yield "contradiction: no beard, and a beard"
    if "a" in beards and "shadow" in present:
        yield "contradiction: a beard and a shadow"
