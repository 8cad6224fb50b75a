"""What captions that somebody gives must be, before any is learnt from."""

from collections.abc import Sequence

from tedigan.errors import CaptionError

MAX_WORDS = 200  # in one caption; the longest published one has 62


def check_captions(lines: Sequence[str], *, name: str, may_repeat: bool = False) -> None:
    """CaptionError for a line without a word or without end, and for one caption that stands for all.

    may_repeat: a face of few attributes has few captions, and a grammar says so again.
    """
    for number, line in enumerate(lines, start=1):
        if not any(letter.isalpha() for letter in line):
            raise CaptionError(
                f"line {number} of {name} is {line[:40]!r}, which has no word; expected a caption a line. Write "
                "one, or remove the line."
            )
        if (num_words := len(line.split())) > MAX_WORDS:
            raise CaptionError(
                f"line {number} of {name} has {num_words:,} words, expected a caption of at most {MAX_WORDS}. "
                "Shorten it."
            )
    if (
        not may_repeat
        and len(lines) > 1
        and len({" ".join(line.casefold().split()) for line in lines}) == 1
    ):
        raise CaptionError(
            f"{name} has one caption {len(lines)} times, {lines[0][:40]!r}; expected different ones. Write more, "
            "or leave one."
        )
