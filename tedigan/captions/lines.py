"""Captions as people write them, one a line: whether a text can be a caption at all."""

from tedigan.errors import CaptionError

MAX_WORDS = 100
MAX_CHARACTERS = 1000


def check_caption(text: str, *, line: int = 1) -> str:
    """The caption without outer space; a CaptionError with its line's number if it is unusable."""
    caption = text.strip()
    if not any(character.isalpha() for character in caption):
        raise CaptionError(
            f"line {line} holds no words (got {caption[:40]!r}); expected one caption a line, "
            'such as "She has wavy hair and wears a hat." Write one or remove the line.'
        )
    if any(not character.isprintable() for character in caption):
        raise CaptionError(
            f"line {line} holds control characters; expected plain text. Save the file as UTF-8."
        )
    num_words = len(caption.split())
    if len(caption) > MAX_CHARACTERS or num_words > MAX_WORDS:
        raise CaptionError(
            f"line {line} has {num_words} words and {len(caption)} characters; at most {MAX_WORDS} "
            f"words and {MAX_CHARACTERS} characters are read. Shorten it to one sentence."
        )
    return caption


def parse_captions(text: str) -> list[str]:
    """The captions of a captions file's text, one a line; CaptionError names the first bad line."""
    lines = text.splitlines()
    if not lines:
        raise CaptionError(
            "the captions file is empty; expected one caption a line. Write at least one."
        )
    return [check_caption(line, line=number) for number, line in enumerate(lines, start=1)]
