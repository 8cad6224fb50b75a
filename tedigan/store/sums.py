"""SHA256SUMS of a model folder: what lies in it, as it was written.

All that is written here have one, and none is read without. It names every file. Who reads one compares it with
its line; `verify_sums` compares all of them. It guards against what was lost, damaged or exchanged by mistake.
Whoever can write it can write a new one, which a signature upon it shows (tedigan.models.signatures).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from tedigan.errors import WeightsError
from tedigan.store.files import write_text
from tedigan.store.plain_files import MAX_BYTES, read_plain, sha256_plain

SUMS = "SHA256SUMS"
MAX_SUMS = 2**16  # bytes; some 800 files
MAX_TEXT, MAX_OTHER = 2**20, 2**28  # of config.json and the card; of sheets and logs
_NAME = r"(?!\.|SHA256SUMS)[^/\\\x00-\x1f\x7f\ud800-\udfff]{1,200}"
_LINE = re.compile(rf"([0-9a-f]{{64}})  ({_NAME})")
_ADVICE = "Make or import the model again, or `dvc checkout`."


def write_sums(folder: Path) -> None:
    """Of every file that lies there. WeightsError for what a list cannot name, or is too large for its kind."""
    files = _files(folder)
    for path in files:
        if not re.fullmatch(_NAME, path.name):
            raise WeightsError(
                f"{path} cannot be named in {SUMS}, expected at most 200 printable characters. Rename it, or "
                "take it away."
            )
    sums = "".join(f"{sha256_plain(path, _most(path))}  {path.name}\n" for path in files)
    if len(sums.encode()) > MAX_SUMS:
        raise WeightsError(
            f"{folder} holds {len(files)} files, expected those of one model, some 800 at most. Take away "
            "what is none of it."
        )
    write_text(folder / SUMS, sums)


def has_sums(folder: Path) -> bool:
    """Whether somebody recorded what lies there; a folder of codes, which is no model's, may be without."""
    return os.path.lexists(folder / SUMS)


def read_sums(folder: Path) -> dict[str, str]:
    """sha256 of each file, by its name; WeightsError where there is no such list, or it names nothing."""
    path = folder / SUMS
    if not has_sums(folder):
        raise WeightsError(
            f"{folder} has no {SUMS}, expected a line for each of its files: nothing says that they are those "
            "that were written. If you trust them, run `tedigan models seal` on the folder, which writes it."
        )
    lines = read_plain(path, MAX_SUMS).decode("utf-8", "replace").splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    sums = {match[2]: match[1] for match in matches if match}
    if not lines or len(sums) != len(lines):
        wrong = next((line for line, match in zip(lines, matches, strict=True) if not match), "")
        got = f"the line {wrong[:40]!r}" if wrong else "nothing" if not lines else "a name twice"
        raise WeightsError(
            f"{path} is no list of sha256 and names: it holds {got}; expected a line for each file of the folder. "
            f"{_ADVICE}"
        )
    return sums


def check_sums(folder: Path, digests: Mapping[str, str]) -> None:
    """Compare what was read with SHA256SUMS, and whether all that it names is there.

    digests: sha256 by name. Raises WeightsError that names the file, or says that there is no list.
    """
    sums = read_sums(folder)
    for name, digest in digests.items():
        _compare(folder / name, digest, sums)
    for name in sums:
        if not (folder / name).is_file():
            raise WeightsError(
                f"{folder / name} is missing, expected as {SUMS} names it. {_ADVICE}"
            )


def check_listed(path: Path, digest: str) -> None:
    """Compare one file that was read with its line in the list beside it."""
    _compare(path, digest, read_sums(path.parent))


def verify_sums(folder: Path) -> None:
    """Compare all files of a folder with SHA256SUMS, in both directions, unless one is too large for its kind."""
    digests = {path.name: sha256_plain(path, _most(path)) for path in _files(folder)}
    check_sums(folder, digests)


def _most(path: Path) -> int:
    """Bytes that such a file may have."""
    if path.suffix == ".safetensors":
        return MAX_BYTES
    return MAX_TEXT if path.suffix in (".json", ".md") else MAX_OTHER


def _compare(path: Path, digest: str, sums: Mapping[str, str]) -> None:
    if path.name not in sums:
        raise WeightsError(
            f"{path} is not named in {SUMS} beside it, expected a line for each file; it was put there later, or "
            f"the list was cut. {_ADVICE}"
        )
    if digest != sums[path.name]:
        raise WeightsError(
            f"{path}: sha256 is {digest[:12]}, expected {sums[path.name][:12]}; the file was damaged or replaced. "
            f"{_ADVICE}"
        )


def _files(folder: Path) -> list[Path]:
    """All but the list itself, a signature upon it, and what a file manager or git hides there."""
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", SUMS)) and (path.is_symlink() or not path.is_dir())
    )
