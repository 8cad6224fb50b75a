"""Captions as people write them, one a line: whether a text can be a caption at all."""

from tedigan.errors import CaptionError
from tedigan.store.texts import lines_of, one_line

MAX_WORDS = 100
MAX_CHARACTERS = 1000
# Unseen, but writing: the joiners of emoji and Persian, the marks of direction, the letters within a flag. Not so
# the overrides of direction (U+202A to U+202E, U+2066 to U+2069), which show a text in another order than its own.
JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
MARKS = "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}"
TAGS = "".join(map(chr, range(0xE0020, 0xE0080)))


def check_caption(text: str, *, line: int | None = None) -> str:
    """The caption as one line with single spaces; a CaptionError if it is unusable, with its line's number."""
    where = "the text" if line is None else f"line {line}"
    caption = one_line(text)
    if not any(character.isalpha() for character in caption):
        raise CaptionError(
            f"{where} holds no words (got {caption[:40]!r}); expected one caption, such as "
            '"She has wavy hair and wears a hat." Write one'
            f"{' or remove the line' if line else ''}."
        )
    unseen = next((one for one in caption if not _is_writing(one)), None)
    if unseen is not None:
        raise CaptionError(
            f"{where} holds control characters or others that cannot be seen, such as {unseen!r}; expected "
            "plain text in UTF-8. Write it so."
        )
    num_words = len(caption.split())
    if len(caption) > MAX_CHARACTERS or num_words > MAX_WORDS:
        raise CaptionError(
            f"{where} has {num_words} words and {len(caption)} characters; at most {MAX_WORDS} "
            f"words and {MAX_CHARACTERS} characters are read. Shorten it to one sentence."
        )
    return caption


def _is_writing(character: str) -> bool:
    """Whether a caption may hold it: what can be seen, and what joins or directs that."""
    return character.isprintable() or character in JOINERS + MARKS + TAGS


def parse_captions(text: str) -> list[str]:
    """The captions of a captions file's text, one a line; CaptionError names the first bad line."""
    lines = lines_of(text)
    if not lines:
        raise CaptionError(
            "the captions file is empty; expected one caption a line. Write at least one."
        )
    return [check_caption(line, line=number) for number, line in enumerate(lines, start=1)]
