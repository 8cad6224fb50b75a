"""Sources in each layout: which photographs there are, and what is known of them."""

import pickle
import tarfile
from pathlib import Path

import pytest

from tedigan.dataset.sources import MERGED, Source, open_source
from tedigan.dataset.sources.celebamask import parse_identities, parse_mapping
from tedigan.errors import AttributeFileError, DataError
from tedigan.store import pictures
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tests.dataset.sources_made import (
    ATTRIBUTES,
    NUM,
    noise,
    put,
    write_celebamask,
    write_mapping,
    write_masks,
    write_multimodal,
    write_pictures,
)

PEOPLE = "idx,identity,partition\n0,7,train\n1,8,val\n"


def read(folder: Path) -> Source:
    return open_source(str(folder), root=Path("/"), cache=folder)


# CelebAMask-HQ


def test_celebamask_is_read_with_its_tables(tmp_path: Path) -> None:
    source = read(write_masks(write_mapping(write_celebamask(tmp_path), [1, 162_771, 182_638])))
    assert source.layout == "CelebAMask-HQ"
    assert sorted(source.items) == list(range(NUM))
    assert set(source.items[0].masks) == {"skin", "nose"}
    assert source.kinds == {"label"}
    assert source.identities == {id: id // 2 for id in range(NUM)}
    assert source.partitions["published"][2] == "val"
    assert source.partitions["official"] == {0: "train", 1: "val", 2: "test"}
    assert source.attributes is not None
    assert [sum(row) for row in source.attributes.values()] == [9] * NUM


def test_people_are_read_by_photograph() -> None:
    assert parse_identities(PEOPLE) == {0: (7, "train"), 1: (8, "val")}


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [("idx", "number", "expected"), ("0,7", "zero,7", "whole numbers"), ("1,8", "0,8", "twice")],
)
def test_a_damaged_identity_file_is_refused(old: str, new: str, advice: str) -> None:
    with pytest.raises(DataError, match=advice):
        parse_identities(PEOPLE.replace(old, new))


def test_a_damaged_mapping_is_refused_with_its_line() -> None:
    with pytest.raises(DataError, match="line 3"):
        parse_mapping("idx orig_idx orig_file\n0 4 000005.jpg\n1 000006.jpg\n")


def test_a_photograph_that_comes_twice_is_left_out_by_both_names(tmp_path: Path) -> None:
    write_celebamask(tmp_path)
    put(tmp_path / "CelebA-HQ-img/0.jpg", b"")
    source = read(tmp_path)
    assert sorted(source.items) == list(range(1, NUM))
    names = ["CelebA-HQ-img/0.jpg", "CelebA-HQ-img/00000.png"]
    assert [(one.name, one.problem) for one in source.left_out] == [(n, "twice") for n in names]


def test_a_file_in_a_tar_and_beside_it_is_refused(tmp_path: Path) -> None:
    write_celebamask(tmp_path)
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.add(tmp_path / ATTRIBUTES, ATTRIBUTES)
    with pytest.raises(DataError, match=r"attribute-anno\.txt twice"):
        read(tmp_path)


# MM-CelebA-HQ


@pytest.mark.parametrize("is_nested", [False, True])
def test_the_released_layout_is_read_with_its_own_texts_and_split(
    tmp_path: Path, is_nested: bool
) -> None:
    source = read(write_multimodal(tmp_path, is_nested=is_nested))
    assert source.layout == "MM-CelebA-HQ"
    assert source.kinds == {"text", "sketch", "label"}
    assert sorted(source.items) == list(range(NUM))
    assert source.items[3].text is not None
    assert source.items[3].text.text().startswith("she is number 3")
    assert set(source.items[3].masks) == {MERGED}
    published = source.partitions["published"]
    assert [published[id] for id in range(NUM)] == ["train"] * 4 + ["test"] * 2
    assert source.attributes is None


def test_the_published_attributes_beside_it_are_read(tmp_path: Path) -> None:
    write_celebamask(tmp_path / "celebamask")
    source = read(write_multimodal(tmp_path))
    assert source.layout == "MM-CelebA-HQ"
    assert source.attribute_names == ATTRIBUTE_NAMES


@pytest.mark.parametrize(
    "names", [["7", "0008"], ["7.jpg", "8.jpg"], [7, 8], ["image/7.jpg", "image/8.jpg"]]
)
@pytest.mark.parametrize("protocol", range(6))
def test_file_names_are_read_in_any_spelling(
    tmp_path: Path, names: list[object], protocol: int
) -> None:
    write_multimodal(tmp_path)
    put(tmp_path / "train/filenames.pickle", pickle.dumps(names, protocol=protocol))
    put(tmp_path / "test/filenames.pickle", pickle.dumps([], protocol=protocol))
    assert read(tmp_path).partitions["published"] == {7: "train", 8: "train"}


@pytest.mark.parametrize(
    "content",
    [
        b"(lp0\nS'7.jpg'\np1\naS\"8\"\np2\na.",
        b"(lp0\nVimage/7.jpg\np1\naI8\na.",
        b"]q\x00(U\x017U\x018e.",
    ],
)
def test_file_names_that_python_2_wrote_are_read(tmp_path: Path, content: bytes) -> None:
    write_multimodal(tmp_path)
    put(tmp_path / "train/filenames.pickle", content)
    put(tmp_path / "test/filenames.pickle", b"(lp0\n.")
    assert read(tmp_path).partitions["published"] == {7: "train", 8: "train"}


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"(lp0\ncos\nsystem\np1\na.", "a name of code"),
        (b"(lp0\nS'\\x37'\na.", "an escape in a text"),
        (b"(lp0\nS7\na.", "a text in quotes"),
        (b"(lp-1\n.", "a number of the memo"),
        (b"g0\n.", "before it is written"),
        (b"l.", "without its mark"),
        (b"7\n8\n", "an opcode that we do not run"),
    ],
)
def test_a_damaged_list_of_python_2_is_refused(tmp_path: Path, content: bytes, advice: str) -> None:
    write_multimodal(tmp_path)
    put(tmp_path / "train/filenames.pickle", content)
    with pytest.raises(DataError, match=advice):
        read(tmp_path)


def test_a_full_list_of_names_is_within_the_budget(tmp_path: Path) -> None:
    write_multimodal(tmp_path)
    names = [f"{id}.jpg" for id in range(10, 80_000)]
    put(tmp_path / "train/filenames.pickle", pickle.dumps(names, protocol=2))
    put(tmp_path / "test/filenames.pickle", pickle.dumps([], protocol=2))
    assert len(read(tmp_path).partitions["published"]) == len(names)


class Evil:
    def __reduce__(self):
        return print, ("it ran",)


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        (Evil(), "a name of code"),
        ([Evil()], "a name of code"),
        ({"a": 1}, "list of file names"),
        (["anna.jpg"], "a number such as 7"),
        ([1.5], "a number such as 7"),
    ],
)
def test_a_pickle_of_something_else_is_refused_and_nothing_of_it_runs(
    tmp_path: Path, value: object, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_multimodal(tmp_path)
    put(tmp_path / "train/filenames.pickle", pickle.dumps(value))
    with pytest.raises(DataError, match=advice):
        read(tmp_path)
    assert "it ran" not in capsys.readouterr().out


def test_a_photograph_listed_in_two_splits_is_refused(tmp_path: Path) -> None:
    write_multimodal(tmp_path)
    put(tmp_path / "test/filenames.pickle", pickle.dumps(["0"]))
    with pytest.raises(DataError, match="photograph 0 in"):
        read(tmp_path)


# Anyone's own


def test_pictures_alone_have_neither_attributes_nor_people(tmp_path: Path) -> None:
    source = read(write_pictures(tmp_path, ["b.JPG", "a/a.png", "c.webp"]))
    assert source.layout == "pictures"
    assert [source.items[id].photograph.name for id in range(3)] == ["a/a.png", "b.JPG", "c.webp"]
    assert (source.attributes, source.identities, source.partitions) == (None, None, {})
    assert source.kinds == set()


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    source = read(write_pictures(tmp_path, ["007.jpg", "12.jpg"]))
    assert {id: item.photograph.name for id, item in source.items.items()} == {
        7: "007.jpg",
        12: "12.jpg",
    }


def test_a_table_gives_own_attributes_people_and_splits(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["anna.jpg", "x/bea.jpg", "carl.jpg", "new.jpg"])
    table = "file,identity,split,has freckles,Smiling\ncarl.jpg,C,test,true,-1\nx/bea,B,train,0,1\n"
    put(tmp_path / "people.csv", table + "anna,B,train,No,YES\n")
    source = read(tmp_path)
    names = [source.items[id].photograph.name for id in range(4)]
    assert names == ["carl.jpg", "x/bea.jpg", "anna.jpg", "new.jpg"]
    assert source.attribute_names == ("has freckles", "Smiling")
    assert source.attributes == {0: b"\1\0", 1: b"\0\1", 2: b"\0\1"}
    assert source.identities is not None
    assert source.identities[1] == source.identities[2] != source.identities[0]
    assert source.partitions == {"published": {0: "test", 1: "train", 2: "train"}}


def test_what_is_not_used_is_named(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.jpg"])
    put(tmp_path / "b.HEIC", b"")
    put(tmp_path / "c.txt", b"")
    put(tmp_path / "t.csv", "file,Smiling\na,1\ngone.jpg,0\n")
    source = read(tmp_path)
    assert source.notes == {"rows of the table without a picture": 1}
    left_out = [(one.name, one.problem) for one in source.left_out]
    assert left_out == [("b.HEIC", "HEIC"), ("c.txt", "not read")]


def test_a_png_beside_a_photograph_is_its_label_map(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["0.jpg", "1.jpg"])
    for id in range(2):
        put(tmp_path / f"{id}.png", pictures.encode(noise(id, channels=1) % 19, "png"))
    source = read(tmp_path)
    assert [set(item.masks) for item in source.items.values()] == [{MERGED}, {MERGED}]
    assert source.kinds == {"label"}


@pytest.mark.parametrize(
    ("table", "advice"),
    [
        ("file,Smiling\na.jpg,maybe\n", "line 2 .*'maybe' under Smiling"),
        ("file,Smiling\na.jpg,1,0\n", "line 2: .*3 cells"),
        ("file,Smiling\na.jpg,1\na.jpg,1\n", "line 3: a.jpg comes a second time"),
        ("file,Smiling,Smiling\n", "twice"),
        ("file\n", "first line"),
        ("", "first line"),
        ("file,,Smiling\n", "first line"),
    ],
)
def test_a_doubtful_table_is_refused_with_its_line(tmp_path: Path, table: str, advice: str) -> None:
    write_pictures(tmp_path, ["a.jpg"])
    put(tmp_path / "t.csv", table)
    with pytest.raises(AttributeFileError, match=advice):
        read(tmp_path)


def test_a_row_that_may_mean_two_pictures_is_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["x/a.jpg", "y/a.jpg"])
    put(tmp_path / "t.csv", "file,Smiling\na.jpg,1\n")
    with pytest.raises(DataError, match="more than one picture"):
        read(tmp_path)


def test_two_tables_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["a.jpg"])
    for name in "tu":
        put(tmp_path / f"{name}.csv", "file,Smiling\na.jpg,1\n")
    with pytest.raises(DataError, match="at most one"):
        read(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no pictures"):
        read(tmp_path)


@pytest.mark.parametrize(
    "named", ["Zoe\u0308/A.JPG", "Zo\u00eb\\a.jpg", "./Zo\u00eb/a.jpg", "A", "\ufeffZo\u00eb/a"]
)
def test_a_table_names_pictures_in_any_unicode_form_case_and_slashes(
    tmp_path: Path, named: str
) -> None:
    write_pictures(tmp_path, ["Zo\u00eb/a.jpg", "b.jpg"])
    put(tmp_path / "t.csv", f"picture,Smiling\n{named},1\nb.jpg,0\n")
    source = open_source(str(tmp_path), root=tmp_path, cache=tmp_path / "cache")
    assert source.attributes == {0: b"\x01", 1: b"\x00"}


def test_names_that_differ_in_case_alone_are_told_apart(tmp_path: Path) -> None:
    write_pictures(tmp_path, ["A.jpg", "a.jpg"])
    put(tmp_path / "t.csv", "picture,Smiling\nA.jpg,1\na.jpg,0\n")
    source = open_source(str(tmp_path), root=tmp_path, cache=tmp_path / "cache")
    assert {item.photograph.name: source.attributes[id] for id, item in source.items.items()} == {
        "A.jpg": b"\x01", "a.jpg": b"\x00",
    }  # fmt: skip
