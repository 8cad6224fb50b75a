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
        ("a man\x1b[2J", "UTF-8"),
        *(
            (f"a {chr(number)}man", "UTF-8")
            for number in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
        ),
    ],
)
def test_an_unusable_caption_is_refused_with_its_line(text: str, advice: str) -> None:
    with pytest.raises(CaptionError, match=rf"line 7 .*{advice}"):
        check_caption(text, line=7)


@pytest.mark.parametrize(
    "text",
    [
        "A woman \N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER} at work.",
        "I love \N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16} her.",
        "\u0645\u06cc\u200c\u062e\u0646\u062f\u062f",  # Persian, "she smiles", with its joiner
        "A fan \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f of England.",
        "\N{LEFT-TO-RIGHT MARK}She is young.\N{RIGHT-TO-LEFT MARK}",
    ],
)
def test_joiners_of_emoji_and_persian_and_marks_of_direction_are_writing(text: str) -> None:
    assert check_caption(text) == text


@pytest.mark.parametrize("blank", ["\u00a0", "\t", "  ", "\n", "\u2028", "\u200b", " \u00ad"])
def test_what_word_processors_put_between_words_is_a_space(blank: str) -> None:
    assert check_caption(f"She is{blank}smiling. ") == "She is smiling."


def test_a_captions_file_is_read_line_by_line() -> None:
    assert parse_captions("A man. \nA woman.\n") == ["A man.", "A woman."]
    assert parse_captions("A man.\r\nA\u2028woman.\r\n\r\n") == ["A man.", "A woman."]
    with pytest.raises(CaptionError, match="line 2"):
        parse_captions("A man.\n\nA woman.\n")
    with pytest.raises(CaptionError, match="empty"):
        parse_captions("")
