"""Text -> tokens that are the same for plural and singular, capitals, hyphens and apostrophes."""

import re
from collections.abc import Mapping

_TOKEN = re.compile(r"[^\W_]+|[.,;:!?()]")
_CONTRACTED_NOT = re.compile(
    r"\b(is|are|was|were|does|do|did|has|have|had|ca|could|wo|would|should|must|need)n['\u2019]?t\b"
)
_CONTRACTED = re.compile(r"['\u2019](?:s|re|ve|d|ll|m)\b")  # of a verb or a genitive
_CLOCK = re.compile(r"(?<![a-z])o['\u2019 _-]?clock(?![a-z])")


def singular(word: str) -> str:
    """Without a plural's s; "glasses" becomes "glasse", which does where both sides do so."""
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word


DETERMINERS = frozenset("a an the his her their its some".split())
DEGREES = frozenset("very quite rather really fairly so extremely slightly somewhat fully".split())


def tokens_of(text: str, spellings: Mapping[str, str]) -> list[str]:
    """Words in lower case and singular, and marks: "Isn't bald." -> is, not, bald, "."."""
    text = _CONTRACTED_NOT.sub(r"\1 not", text.lower())
    text = _CONTRACTED.sub("", _CLOCK.sub("clock", text))
    words = map(singular, _TOKEN.findall(text))
    return [spellings.get(word, word) for word in words]


def phrase_tokens(phrase: str, spellings: Mapping[str, str]) -> tuple[str, ...]:
    """The tokens that a phrase is recognised by: without articles, possessives and words of degree."""
    words = tokens_of(phrase, spellings)
    return tuple(word for word in words if word not in DETERMINERS and word not in DEGREES)
