"""English that does not depend on the attributes: articles and lists."""

import re
from collections.abc import Sequence

ARTICLE = "\N{NO-BREAK SPACE}"  # stands for "a" or "an" until the next word is known
# Letters lie: "a unicorn", "a one-off", "an hour", and "an unusual", "an 8".
_TAKES_AN = re.compile(
    r"(?!uni(?!n|m)|eu|one\b|once|use|usual)[aeiou]|hour|honest|heir|8|11\b|18\b", re.IGNORECASE
)


def article(word: str) -> str:
    """The indefinite article before this word."""
    return "an" if _TAKES_AN.match(word) else "a"


def wrong_articles(text: str) -> list[str]:
    """Articles that do not go with the word behind them, such as "a oval"."""
    pairs = re.findall(r"\b(an?) ([\w'-]+)", text, re.IGNORECASE)
    return [f"{found} {word}" for found, word in pairs if found.lower() != article(word)]


def with_articles(text: str) -> str:
    """ARTICLE and the space behind it become "a " or "an "."""
    before, *parts = text.split(f"{ARTICLE} ")
    return before + "".join(f"{article(part)} {part}" for part in parts)


def without_article(phrase: str) -> str:
    """The phrase without the "a" or "an" that it begins with."""
    return phrase.removeprefix("a ").removeprefix("an ")


def join(items: Sequence[str]) -> str:
    """a; a and b; a, b, and c"""
    if len(items) < 3:
        return " and ".join(items)
    return f"{', '.join(items[:-1])}, and {items[-1]}"


def join_clauses(clauses: Sequence[str]) -> str:
    """As `join`, with a comma between two where the first is a list itself."""
    if len(clauses) == 2 and " and " in clauses[0]:
        return f"{clauses[0]}, and {clauses[1]}"
    return join(clauses)


def enumerate_phrases(phrases: Sequence[str]) -> str:
    """A list that puts what it denies last: "bangs and big lips but no beard"."""
    denied = [phrase for phrase in phrases if is_denial(phrase)]
    stated = [phrase for phrase in phrases if not is_denial(phrase)]
    return f"{join(stated)} but {join(denied)}" if stated and denied else join(phrases)


def is_denial(phrase: str) -> bool:
    """Does the phrase itself say no?"""
    return phrase.startswith(("no ", "not "))


def as_sentence(text: str) -> str:
    """With capitals and a full stop."""
    return ". ".join(part[0].upper() + part[1:] for part in text.split(". ")) + "."


def as_plain(text: str) -> str:
    """In lower case, without commas and full stops."""
    return re.sub(r"[.,]", "", text).lower()
