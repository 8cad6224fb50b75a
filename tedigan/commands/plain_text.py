"""Text of files, for a terminal: what a terminal would obey is shown as it is written in Python."""

import unicodedata

MAX_LINES, MAX_LETTERS = 40, 4000  # of one message: a screen


def printable(text: str) -> str:
    """The text with control and direction characters, and bytes that are no text, escaped; lines and tabs stay."""
    return "".join(letter if _is_plain(letter) else _escaped(letter) for letter in text)


def message(text: str) -> str:
    """As `printable`, of at most a screen."""
    lines = printable(text[: 2 * MAX_LETTERS]).split("\n")
    kept = "\n".join(lines[:MAX_LINES])[:MAX_LETTERS]
    left = len(text) - len(kept)
    return (
        kept
        if len(lines) <= MAX_LINES and len(kept) < MAX_LETTERS
        else f"{kept} ... ({left:,} more)"
    )


def line(text: str, max_letters: int = 200) -> str:
    """As `printable`, in one line of at most so many characters."""
    shown = printable(text[: max_letters + 1].replace("\n", "\\n").replace("\t", " "))
    return shown if len(shown) <= max_letters else f"{shown[: max_letters - 3]}..."


def _is_plain(letter: str) -> bool:
    return letter.isprintable() or letter in "\n\t" or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")
