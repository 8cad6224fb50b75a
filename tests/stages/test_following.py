"""A source is another one when a file of it is new, gone or changed, and not because it was looked at again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tasks.stages
from tedigan.errors import DataError
from tedigan.stages.following import has_changed, listing_of, note_listing
from tedigan.workspace import Workspace
from tests.stages.small import small_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "workspace").mkdir()
    made = small_workspace(tmp_path / "workspace")
    source = tmp_path / "source"
    (source / "img").mkdir(parents=True)
    for name in ("a.png", "b.png"):
        (source / "img" / name).write_bytes(b"picture")
    made.dataset.mkdir(parents=True, exist_ok=True)
    (made.dataset / "dataset.json").write_text("{}")
    return with_source(made, str(source))


def with_source(workspace: Workspace, source: str) -> Workspace:
    dataset = workspace.params.dataset.model_copy(update={"source": source})
    return Workspace(workspace.root, workspace.params.model_copy(update={"dataset": dataset}))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda folder: (folder / "img/c.png").write_bytes(b"picture"),
    "a file that is gone": lambda folder: (folder / "img/a.png").unlink(),
    "another content": lambda folder: (folder / "img/a.png").write_bytes(b"another"),
    "another name": lambda folder: (folder / "img/a.png").rename(folder / "img/c.png"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_the_source_is_seen(workspace: Workspace, change) -> None:
    note_listing(workspace, listing_of(workspace))
    assert not has_changed(workspace, listing_of(workspace))
    change(Path(workspace.params.dataset.source))
    assert has_changed(workspace, listing_of(workspace))


def test_another_place_is_another_source(workspace: Workspace, tmp_path: Path) -> None:
    note_listing(workspace, listing_of(workspace))
    shutil.copytree(workspace.params.dataset.source, tmp_path / "copy")
    other = with_source(workspace, str(tmp_path / "copy"))
    assert has_changed(other, listing_of(other))


def test_one_tar_is_a_source_whatever_lies_beside_it(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "all.tar").write_bytes(b"tar")
    packed = with_source(workspace, str(tmp_path / "all.tar"))
    note_listing(packed, listing_of(packed))
    (tmp_path / "other.tar").write_bytes(b"tar")
    assert not has_changed(packed, listing_of(packed))
    (tmp_path / "all.tar").write_bytes(b"another")
    assert has_changed(packed, listing_of(packed))


def test_drawn_faces_never_change(workspace: Workspace) -> None:
    drawn = with_source(workspace, "drawn")
    note_listing(drawn, listing_of(drawn))
    assert not has_changed(drawn, listing_of(drawn))


def test_of_what_a_data_set_was_made_that_nobody_noted_is_not_taken_for_granted(workspace) -> None:
    assert has_changed(workspace, listing_of(workspace))
    shutil.rmtree(workspace.dataset)
    assert not has_changed(workspace, listing_of(workspace))  # there is none to be made again


def test_a_file_beside_a_tar_is_not_the_source(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "all.tar").write_bytes(b"tar")
    packed = with_source(workspace, str(tmp_path / "all.tar"))
    before = listing_of(packed)
    (tmp_path / "all.tar.sha256").write_bytes(b"sum")
    assert listing_of(packed) == before


def test_a_source_that_lists_nothing_is_no_changed_source(workspace: Workspace) -> None:
    """A disk that is not mounted."""
    shutil.rmtree(workspace.params.dataset.source)
    with pytest.raises(DataError, match="is it mounted"):
        listing_of(workspace)


def test_a_changed_source_makes_the_data_set_again_and_once(workspace, monkeypatch) -> None:
    ran = []

    def make(*given: object) -> None:
        ran.append(given)
        note_listing(workspace, listing_of(workspace))

    monkeypatch.setattr(tasks.stages, "run_and_record", make)
    note_listing(workspace, listing_of(workspace))
    tasks.stages.follow_source.fn(workspace)
    assert ran == []
    CHANGES["a new file"](Path(workspace.params.dataset.source))
    for _ in range(2):
        tasks.stages.follow_source.fn(workspace)
    assert ran == [("dataset", workspace, ["its source lists other files"])]


def test_a_data_set_that_could_not_be_made_is_tried_again(workspace, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(tasks.stages, "run_and_record", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            tasks.stages.follow_source.fn(workspace)
