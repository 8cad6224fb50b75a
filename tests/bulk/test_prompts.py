"""Lists of prompts: what is taken, what is set aside and why, and that the table of them is small and the same."""

import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.services import local_s3
from tedigan.bulk.prompt_table import (
    PROMPTS,
    QUARANTINE,
    ROWS_AT_ONCE,
    Asked,
    PromptTable,
    write_prompts,
)
from tedigan.bulk.prompts import Prompt, Rejected, read_prompts
from tedigan.errors import CaptionError, StoreError
from tedigan.store.files import sha256_tree
from tedigan.store.s3 import S3Bucket, client

TEXTS = [
    "A man.",
    'A woman, young, who says "no".',
    "<b>A man</b>",
    "../../etc/passwd",
    "A man.",
    "Ünal.",
]


def as_text(path: Path, texts: list[str]) -> None:
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


def as_csv(path: Path, texts: list[str]) -> None:
    cells = [text.replace('"', '""') for text in texts]
    lines = ["id,caption", *(f'{i},"{cell}"' for i, cell in enumerate(cells))]
    path.write_text("\n".join(lines), encoding="utf-8")


def as_parquet(path: Path, texts: list[str]) -> None:
    pq.write_table(pa.table({"prompt": range(len(texts)), "text": texts}), path, row_group_size=4)


WRITERS: dict[str, Callable[[Path, list[str]], None]] = {
    "list.txt": as_text,
    "list.csv": as_csv,
    "list.parquet": as_parquet,
}


def read(folder: Path, name: str = "list.txt") -> list[Prompt | Rejected]:
    return list(read_prompts(name, root=folder, cache=folder / "cache"))


def read_bytes(folder: Path, content: bytes, name: str = "list.txt") -> list[Prompt | Rejected]:
    (folder / name).write_bytes(content)
    return read(folder, name)


def texts_of(rows: list[Prompt | Rejected]) -> list[str]:
    return [row.text for row in rows if isinstance(row, Prompt)]


def prompts(count: int) -> Iterator[Prompt]:
    return (Prompt(row, f"Face {row}.") for row in range(1, count + 1))


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_list_gives_its_texts_as_they_are_and_duplicates_twice(
    tmp_path: Path, name: str
) -> None:
    WRITERS[name](tmp_path / name, TEXTS)
    assert read(tmp_path, name) == [Prompt(row, text) for row, text in enumerate(TEXTS, start=1)]


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("x" * 10_000, "x" * 80, "at most 100 words and 1000 characters.*Shorten it"),
        ("x" * 100_000, "x" * 80, "at most 100 words and 1000 characters.*Shorten it"),
        ("young " * 101, ("young " * 101)[:80], "101 words"),
        ("a\x00\x1b[31m man", "a[31m man", r"control characters.*'\\x00'.*Write it so"),
        ("a \N{RIGHT-TO-LEFT OVERRIDE}man", "a man", r"cannot be seen, such as '\\u202e'"),
        ("", "", "holds no words.*Write one"),
        ("?!", "?!", "holds no words"),
    ],
)
def test_a_bad_prompt_is_set_aside_with_its_row_and_reason(
    tmp_path: Path, name: str, text: str, shown: str, reason: str
) -> None:
    WRITERS[name](tmp_path / name, ["A man.", text, "A woman."])
    first, second, third = read(tmp_path, name)
    assert (first, third) == (Prompt(1, "A man."), Prompt(3, "A woman."))
    assert isinstance(second, Rejected)
    assert (second.row, second.shown) == (2, shown)
    with pytest.raises(CaptionError, match=reason):
        raise CaptionError(second.reason)


def test_a_text_that_is_not_utf8_is_set_aside_alone(tmp_path: Path) -> None:
    lines = read_bytes(tmp_path, b"A man.\nA man\xe9.\nA woman.\n")
    cells = read_bytes(tmp_path, b"text\nA man.\nA man\xe9.\nA woman.\n", "list.csv")
    column = pa.array([b"A man.", b"A man\xe9.", b"A woman."]).cast(pa.string(), safe=False)
    pq.write_table(pa.table({"text": column}), tmp_path / "list.parquet")
    assert lines == cells == read(tmp_path, "list.parquet")
    assert texts_of(lines) == ["A man.", "A woman."]
    assert lines[1][:2] == (2, "A man\N{REPLACEMENT CHARACTER}.")
    assert "at byte 5 (0xe9); expected plain text. Save it as UTF-8" in lines[1][2]


def test_a_line_longer_than_what_is_looked_at_is_one_row(tmp_path: Path) -> None:
    rows = read_bytes(tmp_path, b"A man.\n" + "é".encode() * 100_001 + b"\nA woman.")
    assert [row.row for row in rows] == [1, 2, 3]
    assert texts_of(rows) == ["A man.", "A woman."]
    assert "1000 characters" in rows[1][2]


@pytest.mark.parametrize("name", ["list.txt", "list.csv"])
def test_a_byte_order_mark_and_windows_line_ends_are_no_text(tmp_path: Path, name: str) -> None:
    heading = b"text\r\n" if name.endswith("csv") else b""
    content = b"\xef\xbb\xbf" + heading + b"A man.\r\nA woman.\r\n"
    assert read_bytes(tmp_path, content, name) == [Prompt(1, "A man."), Prompt(2, "A woman.")]


def test_an_empty_line_is_set_aside_and_the_end_of_the_file_is_no_line(tmp_path: Path) -> None:
    rows = read_bytes(tmp_path, b"A man.\n\nA woman.\n")
    assert [type(row) for row in rows] == [Prompt, Rejected, Prompt]


def test_the_first_known_column_counts(tmp_path: Path) -> None:
    assert texts_of(read_bytes(tmp_path, b"prompt,text\n1,A man.\n", "list.csv")) == ["A man."]
    assert texts_of(read_bytes(tmp_path, b"n,prompt\n1,A man.\n", "list.csv")) == ["A man."]


def test_a_csv_row_with_a_comma_too_many_is_set_aside(tmp_path: Path) -> None:
    rows = read_bytes(tmp_path, b'text\nA man, young.\n"A man, old."\n', "list.csv")
    assert texts_of(rows) == ["A man, old."]
    assert rows[0][1] == "A man, young."
    assert "2 cells; expected 1" in rows[0][2]


def test_parquet_of_categories_and_of_nothing_known(tmp_path: Path) -> None:
    column = pa.array(["A man.", None, "A man."]).dictionary_encode()
    pq.write_table(pa.table({"caption": column}), tmp_path / "list.parquet")
    rows = read(tmp_path, "list.parquet")
    assert texts_of(rows) == ["A man.", "A man."]
    assert "no words" in rows[1][2]


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("list.txt", b"", "holds no prompt.*It is empty; name another"),
        ("list.txt", b"\n?\n", "holds no prompt.*Of its first row: the text holds no words"),
        ("list.csv", b"", r"columns \[\]; expected one of text, caption, prompt"),
        ("list.csv", b"name;words\nA;B\n", "Name that of the prompts so"),
        ("list.csv", b'text\n"A man.\nA woman.\n', "line 2 is no CSV.*close them"),
        ("list.parquet", b"PAR1", "no parquet of texts.*Write it again"),
    ],
)
def test_a_list_that_is_none_is_refused(
    tmp_path: Path, name: str, content: bytes, advice: str
) -> None:
    with pytest.raises(CaptionError, match=f"^{name}.*{advice}"):
        read_bytes(tmp_path, content, name)


def test_a_column_of_numbers_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"prompt": [1, 2]}), tmp_path / "list.parquet")
    with pytest.raises(CaptionError, match=r"list.parquet: .*int64; expected texts"):
        read(tmp_path, "list.parquet")


def test_a_missing_list_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"other.txt is no file"):
        read_prompts("other.txt", root=tmp_path, cache=tmp_path)


def test_lists_in_s3_read_as_those_of_a_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with local_s3(tmp_path / "s3") as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.endpoint_url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3.access_key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3.secret_key)
        client().create_bucket(Bucket="lists")
        for name, write in WRITERS.items():
            write(tmp_path / name, TEXTS)
            S3Bucket("s3://lists/mine").write(name, tmp_path / name)
            address = f"s3://lists/mine/{name}"
            rows = read_prompts(address, root=tmp_path, cache=tmp_path / "cache")
            assert texts_of(list(rows)) == TEXTS
        for missing in ("s3://lists/mine/no.txt", "s3://nowhere/list.txt"):
            with pytest.raises(StoreError, match="there is no such"):
                read_prompts(missing, root=tmp_path, cache=tmp_path / "cache")


def test_equal_rows_are_written_as_equal_bytes(tmp_path: Path) -> None:
    rows = [*prompts(20), Rejected(21, "?", "no words")]
    one, other = write_prompts(tmp_path / "one", rows), write_prompts(tmp_path / "two", iter(rows))
    assert one == other == (20, 1)
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    write_prompts(tmp_path / "two", rows[1:])
    assert sha256_tree(tmp_path / "one") != sha256_tree(tmp_path / "two")


def test_what_is_set_aside_keeps_its_row_and_prompts_are_counted_without_it(tmp_path: Path) -> None:
    write_prompts(tmp_path / "job", [Prompt(1, "A."), Rejected(2, "?", "none"), Prompt(3, "B.")])
    assert pq.read_table(tmp_path / "job" / PROMPTS).to_pydict() == {
        "prompt": [0, 1],
        "text": ["A.", "B."],
        "photograph": [None, None],
        "strength": [1.0, 1.0],
        "given": ["", ""],
    }
    assert pq.read_table(tmp_path / "job" / QUARANTINE).to_pylist() == [
        {"row": 2, "shown": "?", "reason": "none"}
    ]


def test_a_list_that_breaks_off_leaves_the_table_of_before(tmp_path: Path) -> None:
    write_prompts(tmp_path / "job", prompts(2))
    (tmp_path / "empty.txt").touch()
    with pytest.raises(CaptionError):
        write_prompts(
            tmp_path / "job", read_prompts("empty.txt", root=tmp_path, cache=tmp_path / "cache")
        )
    assert len(PromptTable.open(tmp_path / "job" / PROMPTS)) == 2


def test_any_range_is_read_from_its_row_groups_alone(tmp_path: Path) -> None:
    count = 2 * ROWS_AT_ONCE + 3
    write_prompts(tmp_path / "job", prompts(count))
    table = pickle.loads(pickle.dumps(PromptTable.open(tmp_path / "job" / PROMPTS)))
    assert len(table) == count
    whole = [Asked(f"Face {row}.") for row in range(1, count + 1)]
    edge = ROWS_AT_ONCE
    for start, stop in [(0, 1), (edge - 1, edge), (edge, edge + 1), (edge - 2, count), (5, 5)]:
        assert table.asked(start, stop) == whole[start:stop]
    content, second = table.path.read_bytes(), table.footer.row_group(1).column(0).data_page_offset
    table.path.write_bytes(b"\xff" * second + content[second:])  # all of the first group is lost
    assert table.asked(edge, count) == whole[edge:]
    with pytest.raises(StoreError, match="cannot be read"):
        table.asked(0, 1)


def test_another_table_is_no_table_of_prompts(tmp_path: Path) -> None:
    as_parquet(tmp_path / "list.parquet", TEXTS)
    with pytest.raises(StoreError, match="row groups of"):
        PromptTable.open(tmp_path / "list.parquet")
    with pytest.raises(StoreError, match="Write the prompts again"):
        PromptTable.open(tmp_path / "none.parquet")
