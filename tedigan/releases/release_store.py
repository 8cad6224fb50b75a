"""Where releases lie: a folder or an s3:// prefix, addressed by content, written once and never changed.

    <place>/objects/<sha256>            what files hold; releases share what they have in common
    <place>/releases/<digest>.json      a release, put last: who finds one finds all of it
    <place>/promotions/000001.json      which became champion, when and why (tedigan.releases.promotions)

A cache on this machine is laid out alike, and holds each release as a folder beside it.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from tedigan.errors import DataError, ObjectError
from tedigan.progress import progress
from tedigan.releases.release import SHORT, Release, release_from
from tedigan.store.addresses import open_bucket
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.objects import Bucket, FolderBucket
from tedigan.turns import turn

MIN_DIGITS = 8  # of a digest that is given in short


class ReleaseStore:
    """The releases below one place. place: a folder, or s3://bucket/prefix."""

    def __init__(self, place: str) -> None:
        self.place = place.rstrip("/")
        self.bucket: Bucket = open_bucket(self.place)

    def put(self, files: Mapping[str, Path]) -> Release:
        """Keep these files as a release; an equal one is the one that lies there, mended where it was damaged.

        A bucket that is missing is a StoreError: some servers would make it in silence.
        """
        release = Release.of(files)
        with tempfile.TemporaryDirectory() as scratch:
            for name, piece in progress([*release.files.items()], desc="release", unit="file"):
                if not self._holds(piece.sha256, Path(scratch)):
                    self.bucket.write(_object(piece.sha256), files[name])
                if not self._holds(piece.sha256, Path(scratch)):
                    raise DataError(
                        f"{files[name]} was changed while it was registered, expected a file that stays as it is. "
                        "Register the release again."
                    )
        if not self.bucket.create(_release(release.digest), release.to_bytes()):
            self.bucket.write(_release(release.digest), release.to_bytes())  # it was damaged
        return release

    def digests(self) -> list[str]:
        """Of every release here, sorted."""
        names = self.bucket.names("releases/")
        return [name.removeprefix("releases/").removesuffix(".json") for name in names]

    def digest_of(self, start: str) -> str:
        """The digest that begins so; a DataError where none does, or several do."""
        found = [one for one in self.digests() if one.startswith(start)]
        if len(start) < MIN_DIGITS or len(found) != 1:
            raise DataError(
                f"{len(found)} releases in {self.place} have a digest that begins with {start!r}; expected one, "
                f"and {MIN_DIGITS} digits at least. `tedigan release list` shows them."
            )
        return found[0]

    def release(self, digest: str) -> Release:
        """What a release consists of."""
        source = f"{self.place}/{_release(digest)}"
        return release_from(self.bucket.read(_release(digest)), digest=digest, source=source)

    def fetch(self, digest: str, cache: Path) -> Path:
        """The release as a folder of `cache`, each file of which is what the release says.

        What lies there is read again and, where it was changed, fetched again; so is what is missing.
        """
        with turn(cache / ".turn", f"fetching release {digest[:SHORT]}", say=lambda _: None):
            return self._fetched(digest, cache)

    def _fetched(self, digest: str, cache: Path) -> Path:
        release, folder = self.release(digest), cache / digest
        if folder.is_dir() and all(_is_whole(folder / n, release, n) for n in release.files):
            return folder
        with finished_folder(folder) as fresh:
            for name in progress([*release.files], desc="fetch", unit="file"):
                path = fresh / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.hardlink_to(self._cached(release.files[name].sha256, cache))
        return folder

    def problems(self, digest: str) -> list[str]:
        """What is wrong with a release's objects; each is read from the store."""
        found = []
        with tempfile.TemporaryDirectory() as scratch:
            for name, piece in self.release(digest).files.items():
                try:
                    path = self.bucket.fetch(_object(piece.sha256), Path(scratch))
                except ObjectError:
                    found.append(f"{name}: the object {piece.sha256[:SHORT]} is gone")
                    continue
                if sha256_file(path) != piece.sha256:
                    found.append(f"{name}: the object {piece.sha256[:SHORT]} was changed")
        return found

    def _holds(self, sha256: str, scratch: Path) -> bool:
        """Whether the store has an object, and what it is named after."""
        name = _object(sha256)
        return self.bucket.exists(name) and sha256_file(self.bucket.fetch(name, scratch)) == sha256

    def _cached(self, sha256: str, cache: Path) -> Path:
        """An object as a file of the cache, read again before it is believed."""
        kept, name = FolderBucket(cache), _object(sha256)
        path = cache / name
        if path.is_file() and sha256_file(path) == sha256:
            return path
        with tempfile.TemporaryDirectory(dir=_made(cache)) as scratch:
            given = self.bucket.fetch(name, Path(scratch))
            if (found := sha256_file(given)) != sha256:
                raise DataError(
                    f"{self.place}/{name} has sha256 {found[:SHORT]}, expected the one that it is named after; it "
                    "was changed in the store. Delete it, and register the release there again."
                )
            kept.write(name, given)
        return path


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _object(sha256: str) -> str:
    return f"objects/{sha256}"


def _release(digest: str) -> str:
    return f"releases/{digest}.json"


def _is_whole(path: Path, release: Release, name: str) -> bool:
    return path.is_file() and sha256_file(path) == release.files[name].sha256
