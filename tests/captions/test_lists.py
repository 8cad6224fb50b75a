"""Lists of edits and of sources: every form that people write them in, and the first line that is none."""

from pathlib import Path

import pytest

from tedigan.captions.lists import Edit, read_captions, read_edits
from tedigan.errors import CaptionError, DataError
from tedigan.jobs.render_edits import jobs_of
from tedigan.jobs.source_list import read_sources


def put(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "photograph,text,strength\n0.png,She smiles.,2\n",
        "\ufeffphotograph,text,strength\r\n0.png,She smiles.,2\r\n",
        "Photograph;Text;Strength\n0.png;She smiles.;2\n;;\n",
        "strength,text,photograph\n2,She\u00a0smiles.,0.png\n",
        'photograph,text,strength\n0.png,"She\nsmiles.",2\n',
        "photograph\ttext\tstrength\n0.png\tShe smiles.\t2\n".encode("utf-16"),
    ],
)
def test_edits_are_read_as_every_program_saves_them(tmp_path: Path, content: str | bytes) -> None:
    assert read_edits(put(tmp_path, content)) == [Edit("0.png", "She smiles.", 2.0)]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("photograph,text\n*,A, B\n", "line 2: the row has 3 cells.*double quotes"),
        ('photograph,text\n*,"A\nB"\n,C\n', "line 4 names no photograph"),
        ("photograph,text,strength\n*,A,9\n", "line 2: the strength is '9'"),
        ("photograph,words\n*,A\n", "expected photograph,text"),
        ("photograph,text\n", "names no edit"),
        (b"photograph,text\n*,A Zo\xeb\n", "line 2 is not UTF-8"),
    ],
)
def test_the_first_bad_edit_is_refused_with_its_line(
    tmp_path: Path, content: str | bytes, advice: str
) -> None:
    with pytest.raises(CaptionError, match=advice):
        read_edits(put(tmp_path, content))


@pytest.mark.parametrize("called", ["0", "0.png", "0.PNG", "photos/0.jpg", "photos\\\\0.png"])
def test_an_edit_names_a_photograph_with_or_without_folder_and_suffix(called: str) -> None:
    assert [job.row for job in jobs_of([Edit(called, "x")], ["a", "0", "00"])] == [1]


def test_an_edit_names_a_photograph_in_any_unicode_form_and_case() -> None:
    assert [job.row for job in jobs_of([Edit("A\u030aSA.jpg", "x")], ["\u00e5sa", "b"])] == [0]
    with pytest.raises(DataError, match="'Anna', which is 2 of"):
        jobs_of([Edit("Anna", "x")], ["anna", "ANNA"])
    assert [job.row for job in jobs_of([Edit("anna", "x")], ["anna", "ANNA"])] == [0]


@pytest.mark.parametrize("n", ["0", "\u00b2", "-1", "1.5", "9" * 5000])
def test_a_number_that_is_none_is_refused_with_its_line(tmp_path: Path, n: str) -> None:
    with pytest.raises(CaptionError, match=r"line 2: n is .*expected a whole number"):
        read_sources(put(tmp_path, f"text,n\nA man.,{n}\n"))


def test_a_source_keeps_its_words_over_a_line_break(tmp_path: Path) -> None:
    (row,) = read_sources(put(tmp_path, '\ufeffText;SKETCH;n\n"A man\nsmiling";s.png;3\n'))
    assert (row.text, dict(row.given), row.n) == ("A man smiling", {"sketch": "s.png"}, 3)


def test_captions_may_begin_with_a_mark(tmp_path: Path) -> None:
    assert read_captions(put(tmp_path, "\ufeffA man.\r\n\r\n")) == ["A man."]
