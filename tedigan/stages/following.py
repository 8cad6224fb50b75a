"""Has the source of the data set changed since it was last looked at? DVC compares its name alone."""

from pathlib import Path

from tedigan.errors import DataError
from tedigan.store.addresses import open_bucket
from tedigan.store.files import read_json, sha256_value, write_json
from tedigan.workspace import Workspace


def listing_of(workspace: Workspace) -> str:
    """A digest of the source's files, by their names and versions; of drawn faces, of nothing."""
    source = workspace.params.dataset.source
    if source == "drawn":
        return sha256_value({})
    place = source if source.startswith("s3://") else str(workspace.at(source))
    folder, _, name = place.rpartition("/")
    is_one_file = Path(place).is_file() or place.endswith(".tar")
    bucket, prefix = (open_bucket(folder), name) if is_one_file else (open_bucket(place), "")
    found = {k: one for k, one in bucket.versions(prefix).items() if k == name or not is_one_file}
    if not found:
        raise DataError(
            f"dataset.source {place} holds no file, expected the photographs; is it mounted, and its name right? "
            "The data set stays as it is."
        )
    return sha256_value(found)


def has_changed(workspace: Workspace, listing: str) -> bool:
    """Whether the data set that lies there was made of another; also where nobody noted of what."""
    is_made = (workspace.dataset / "dataset.json").is_file()
    return is_made and _noted(workspace) != [workspace.params.dataset.source, listing]


def note_listing(workspace: Workspace, listing: str) -> None:
    """What the data set was made of: as it was listed before it was read."""
    write_json(_path(workspace), [workspace.params.dataset.source, listing])


def _noted(workspace: Workspace) -> list[str] | None:
    path = _path(workspace)
    noted: list[str] | None = read_json(path) if path.is_file() else None
    return noted


def _path(workspace: Workspace) -> Path:
    return workspace.work / "source.json"
