"""Releases are addressed by what they hold, shared, fetched whole, and read again before they are believed."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tedigan.errors import DataError, ObjectError
from tedigan.releases.release import Release
from tedigan.releases.release_store import ReleaseStore


def files(folder: Path, **content: str) -> dict[str, Path]:
    """`models__g` -> a file of `models/g`."""
    found = {}
    for name, text in content.items():
        path = folder / f"{name}-{text}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found[name.replace("__", "/")] = path
    return found


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(str(tmp_path / "store"))


def held(folder: Path) -> Mapping[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_is_fetched_is_what_was_put(store: ReleaseStore, tmp_path: Path) -> None:
    release = store.put(files(tmp_path, models__g="weights", params="numbers"))
    folder = store.fetch(release.digest, tmp_path / "cache")
    assert held(folder) == {"models/g": "weights", "params": "numbers"}
    assert store.release(release.digest) == release


def test_equal_files_are_one_release_whatever_their_order(store, tmp_path: Path) -> None:
    one = store.put(files(tmp_path / "a", models__g="x", models__h="y"))
    other = store.put(dict(reversed(files(tmp_path / "b", models__g="x", models__h="y").items())))
    assert one.digest == other.digest
    assert store.digests() == [one.digest]


def test_another_byte_or_another_name_is_another_release(tmp_path: Path) -> None:
    digests = {
        Release.of(files(tmp_path, **content)).digest
        for content in ({"a": "x"}, {"a": "y"}, {"b": "x"}, {"a": "x", "b": "x"})
    }
    assert len(digests) == 4


def test_releases_share_what_they_have_in_common(store: ReleaseStore, tmp_path: Path) -> None:
    store.put(files(tmp_path, models__g="same", models__h="one"))
    store.put(files(tmp_path, models__g="same", models__h="two"))
    assert len(list(store.bucket.names("objects/"))) == 3


def test_a_changed_file_of_the_cache_is_fetched_again(store: ReleaseStore, tmp_path: Path) -> None:
    release = store.put(files(tmp_path, models__g="weights"))
    folder = store.fetch(release.digest, tmp_path / "cache")
    (folder / "models/g").write_text("changed")
    assert held(store.fetch(release.digest, tmp_path / "cache")) == {"models/g": "weights"}
    (folder / "models/g").unlink()
    assert held(store.fetch(release.digest, tmp_path / "cache")) == {"models/g": "weights"}


def test_a_file_in_the_cache_is_no_link_into_the_store(store: ReleaseStore, tmp_path: Path) -> None:
    release = store.put(files(tmp_path, models__g="weights"))
    (store.fetch(release.digest, tmp_path / "cache") / "models/g").write_text("changed")
    assert store.problems(release.digest) == []


def test_an_object_that_was_changed_in_the_store_is_refused_and_found(
    store, tmp_path: Path
) -> None:
    release = store.put(files(tmp_path, models__g="weights", models__h="more"))
    store.bucket.write(f"objects/{release.files['models/g'].sha256}", b"forged")
    with pytest.raises(DataError, match="changed in the store"):
        store.fetch(release.digest, tmp_path / "cache")
    assert not (tmp_path / "cache" / release.digest).exists()
    assert len(store.problems(release.digest)) == 1
    store.bucket.delete(f"objects/{release.files['models/h'].sha256}")
    assert [one.split(":")[0] for one in store.problems(release.digest)] == ["models/g", "models/h"]


def test_a_release_that_was_changed_is_not_believed(store: ReleaseStore, tmp_path: Path) -> None:
    release = store.put(files(tmp_path, models__g="weights"))
    name = f"releases/{release.digest}.json"
    forged = store.bucket.read(name).replace(b"models/g", b"../../g/")
    store.bucket.write(name, forged)
    with pytest.raises(DataError, match="it was changed"):
        store.fetch(release.digest, tmp_path / "cache")


def test_a_release_that_names_a_path_outside_itself_is_refused(store, tmp_path: Path) -> None:
    outside = Release.of({"../outside": files(tmp_path, a="x")["a"]})
    store.bucket.write(f"releases/{outside.digest}.json", outside.to_bytes())
    with pytest.raises(DataError, match="within the release"):
        store.fetch(outside.digest, tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"files": {"a": 3}}', b'{"files": []}'])
def test_what_is_no_release_is_said_to_be_none(store: ReleaseStore, content: bytes) -> None:
    store.bucket.write(f"releases/{'0' * 64}.json", content)
    with pytest.raises(DataError, match=r"is no release|it was changed"):
        store.release("0" * 64)


def test_a_release_is_found_by_the_start_of_its_digest(store: ReleaseStore, tmp_path: Path) -> None:
    digest = store.put(files(tmp_path, a="x")).digest
    assert store.digest_of(digest[:8]) == digest
    for start in (digest[:7], "0" * 12, ""):
        with pytest.raises(DataError, match="expected one"):
            store.digest_of(start)


def test_a_release_that_is_not_there_is_an_object_error(
    store: ReleaseStore, tmp_path: Path
) -> None:
    with pytest.raises(ObjectError):
        store.fetch("1" * 64, tmp_path)


def test_each_model_is_a_part_and_its_digest_moves_with_its_files_alone(tmp_path: Path) -> None:
    one = Release.of(files(tmp_path, models__g__a="x", models__h__a="y", params="z")).parts
    other = Release.of(files(tmp_path, models__g__a="X", models__h__a="y", params="z")).parts
    assert [*one] == ["models/g", "models/h", "params"]
    assert [name for name in one if one[name] != other[name]] == ["models/g"]


def test_what_was_damaged_is_mended_by_putting_it_again(
    store: ReleaseStore, tmp_path: Path
) -> None:
    given = files(tmp_path, models__g="weights")
    release = store.put(given)
    store.bucket.write(f"objects/{release.files['models/g'].sha256}", b"forged")
    store.bucket.write(f"releases/{release.digest}.json", b"{}")
    assert store.put(given) == release
    assert store.problems(release.digest) == []


def test_a_file_that_changes_while_it_is_put_makes_no_release(store, tmp_path, monkeypatch) -> None:
    given = files(tmp_path, models__g="weights")
    write = store.bucket.write
    monkeypatch.setattr(store.bucket, "write", lambda name, _: write(name, b"changed"))
    with pytest.raises(DataError, match="was changed while"):
        store.put(given)
    assert store.digests() == []


def test_many_who_fetch_at_once_find_one_whole_release(store: ReleaseStore, tmp_path: Path) -> None:
    release = store.put(files(tmp_path, models__g="weights", models__h="more", params="numbers"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store.fetch(release.digest, tmp_path / "c"), range(16)))
    assert {str(one) for one in found} == {str(tmp_path / "c" / release.digest)}
    assert len(held(found[0])) == 3
