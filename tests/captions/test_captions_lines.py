"""Captions files: what a line may be, and the first that is refused."""

import pytest

from tedigan.captions.lines import check_caption, parse_captions
from tedigan.errors import CaptionError


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "Write one or remove the line"),
        (" \t ", "holds no words"),
        ("?!", "holds no words"),
        ("x" * 10_000, "Shorten it"),
        ("young " * 101, "101 words"),
        ("a man\x00", "UTF-8"),
    ],
)
def test_an_unusable_caption_is_refused_with_its_line(text: str, advice: str) -> None:
    with pytest.raises(CaptionError, match=rf"line 7 .*{advice}"):
        check_caption(text, line=7)


def test_a_captions_file_is_read_line_by_line() -> None:
    assert parse_captions("A man. \nA woman.\n") == ["A man.", "A woman."]
    with pytest.raises(CaptionError, match="line 2"):
        parse_captions("A man.\n\nA woman.\n")
    with pytest.raises(CaptionError, match="empty"):
        parse_captions("")
