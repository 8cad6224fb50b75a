"""Text as people's programs save it: every cell and caption as it was written, or an error that names its line."""

from pathlib import Path

import pytest

from benchmarks.written_files import read_all
from tedigan.errors import DataError
from tedigan.store.texts import decode, lines_of, name_key, one_line, read_sheet, stem_key

TEXT = "A Zo\u00eb.\nShe smiles.\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_and_line_ends_are_no_text(encoding: str, end: str) -> None:
    mark = "\ufeff" if encoding in ("utf-16-le", "utf-16-be") else ""
    content = (mark + TEXT.replace("\n", end)).encode(encoding)
    assert decode(content, "captions.txt") == TEXT


def test_bytes_that_are_no_text_are_named_with_their_line() -> None:
    with pytest.raises(DataError, match=r"a\.txt line 2 is not UTF-8.*\(0xeb\).*Save it as UTF-8"):
        decode(b"A man.\nA Zo\xeb.\n", "a.txt")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("black\u00a0hair", "black hair"),
        ("smiles\nand waves", "smiles and waves"),
        ("smiles\r\n\tand", "smiles and"),
        ("a\u2028man\u200bhere", "a man here"),
        ("eye\u00adglasses", "eyeglasses"),
        ("\ufeff a\u2060b ", "ab"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
    ],
)
def test_blanks_are_one_space_and_hyphenation_is_nothing(written: str, read: str) -> None:
    assert one_line(written) == read


def test_only_ends_of_lines_part_lines_and_blank_ones_at_the_end_are_none() -> None:
    assert lines_of("a\u2028b\x0bc\r\nd\re\n\n \n") == ["a\u2028b\x0bc", "d", "e"]


@pytest.mark.parametrize(
    "text",
    [
        'photograph,text\n"0.png","He smiles\nand waves"\n',
        'photograph,text\r\n0.png,"He smiles\r\nand waves"\r\n,\r\n',
        'Photograph;TEXT\n0.png;"He smiles\nand waves"\n',
        '"photograph"\t"text"\n0.png\t"He smiles\nand waves"\n',
        'sep=;\nphotograph;text\n0.png;"He smiles\nand waves"\n',
        '"a, b";photograph;text\n;0.png;"He smiles\nand waves"\n',
    ],
)
def test_a_cell_keeps_its_words_whichever_program_wrote_the_table(text: str) -> None:
    ((_, row),) = read_sheet(text, known=("photograph", "text")).records()
    assert (row["photograph"], one_line(row["text"])) == ("0.png", "He smiles and waves")


def test_a_row_is_named_by_the_line_that_it_begins_on() -> None:
    sheet = read_sheet('a,b\n1,"x\ny"\n2,z\n3\n')
    rows = sheet.records()
    assert [next(rows)[0], next(rows)[0]] == [2, 4]
    with pytest.raises(DataError, match=r"line 5: the row has 1 cells; expected 2.*double quotes"):
        next(rows)


@pytest.mark.parametrize("text", ['a,b\n1,"x\n2,y\n', 'a,b\n1,"x"y\n'])
def test_a_quote_that_is_not_closed_swallows_nothing(text: str) -> None:
    with pytest.raises(DataError, match=r"line 2 is no CSV.*close them"):
        list(read_sheet(text))


def test_names_are_compared_without_case_unicode_form_and_slashes() -> None:
    assert name_key(" .\\Photos\\Zoe\u0308.JPG") == name_key("photos/Zo\u00eb.jpg")
    assert stem_key("Photos\\0.PNG", {".png"}) == stem_key("0", {".png"}) == "0"
    assert stem_key("anna.smith", {".png"}) == "anna.smith"


def test_three_hundred_files_of_every_kind_lose_and_glue_no_cell(tmp_path: Path) -> None:
    outcomes, faults = read_all(tmp_path, 300, seed=1)
    assert faults == []
    assert sum(outcomes.values()) == 300
