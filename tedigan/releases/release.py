"""A release: every file that a workspace's result consists of, by its sha256. Its own digest names it.

    models/<model>/<file>            all that serves, and the referee that judged it
    evaluation/, edits/              what was measured, each prompt's and each edit's values among it
    dataset/dataset.json, grammar.yaml   of the data set that it learnt from: its recipe and digests
    params.yaml code.lock dvc.lock   numbers, code and lineage

It is immutable and holds no time, host or person, so that equal results are one release.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tedigan.errors import DataError
from tedigan.store.files import sha256_file, sha256_value
from tedigan.store.objects import is_name

FORMAT = 1
MODELS, EVALUATION, EDITS = "models", "evaluation", "edits"
SHORT = 12  # hexadecimal digits of a digest that people are shown


@dataclass(frozen=True)
class Piece:
    """A file: the sha256 of what it holds, and its size in bytes."""

    sha256: str
    num_bytes: int


@dataclass(frozen=True)
class Release:
    """files: path -> piece."""

    files: Mapping[str, Piece]

    @classmethod
    def of(cls, files: Mapping[str, Path]) -> "Release":
        """Of files on the disk, by the paths that they are to have."""
        pieces = {
            name: Piece(sha256_file(path), path.stat().st_size) for name, path in files.items()
        }
        return cls(dict(sorted(pieces.items())))

    @cached_property
    def digest(self) -> str:
        """sha256 of the canonical JSON."""
        return sha256_value(self.to_json())

    @property
    def parts(self) -> dict[str, str]:
        """Each model, and each other folder or file, by one sha256 of all that it holds."""
        groups: dict[str, dict[str, str]] = {}
        for name, piece in self.files.items():
            depth = 2 if name.startswith(f"{MODELS}/") else 1
            groups.setdefault("/".join(name.split("/")[:depth]), {})[name] = piece.sha256
        return {part: sha256_value(files) for part, files in groups.items()}

    @property
    def num_model_bytes(self) -> int:
        """Of all models together."""
        return sum(
            one.num_bytes for name, one in self.files.items() if name.startswith(f"{MODELS}/")
        )

    def to_json(self) -> dict[str, Any]:
        """As the store holds it."""
        files = {name: [one.sha256, one.num_bytes] for name, one in sorted(self.files.items())}
        return {"format": FORMAT, "files": files}

    def to_bytes(self) -> bytes:
        """Canonical, so that one release is one object."""
        return f"{json.dumps(self.to_json(), sort_keys=True, indent=1)}\n".encode()


def release_from(content: bytes, *, digest: str, source: str) -> Release:
    """The release of a store's object; a DataError where it is not the one that it is named after."""
    try:
        found = json.loads(content)
        pieces = {str(name): Piece(str(a), int(b)) for name, (a, b) in found["files"].items()}
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise DataError(f"{source} is no release: {error!r}. Register it again.") from error
    release = Release(pieces)
    if found.get("format") != FORMAT or release.digest != digest:
        raise DataError(
            f"{source} is release {release.digest[:SHORT]} (format {found.get('format')}), expected "
            f"{digest[:SHORT]}, which it is named after; it was changed. Register it again."
        )
    if wrong := [name for name in pieces if not is_name(name)]:
        raise DataError(
            f"{source} names the file {wrong[0]!r}, expected paths within the release. Register it again."
        )
    return release
