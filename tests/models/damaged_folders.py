"""Damages a whole model folder at random, and looks at it: it is taken, or refused by one of our errors.

config.json, SHA256SUMS, the header of the weights, and what kind of file each is. Half of the folders are given
sums of what lies there, so that the damage itself is looked at. `benchmarks/folder_fuzz.py` does it many times.
"""

import contextlib
import io
import json
import os
import random
import resource
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tedigan.__main__ import main as command_line
from tests.models.hostile_folders import CONFIG, SUMS, WEIGHTS, whole_model, write_sums

MAX_SECONDS, MAX_KIB = 2.0, 500 * 2**10
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 9, 2**20, 2**31, 2**63, 10**30, 0.5, 8.7, -0.0, 1e300, "", "16", "abc",
    "x" * 5000, "\x1b[2J", "../..", [], {}, [[]], [1] * 1000, {"a": {}}, {"num_layers": 8},
]  # fmt: skip
TOKENS = [
    "NaN",
    "Infinity",
    "1e400",
    "9" * 5000,
    "[" * 100_000,
    "{",
    "}",
    '"',
    ",",
    ":",
    "null",
    "\\ud800",
    "\0",
]


def damage(folder: Path, rng: random.Random) -> None:
    """Change one to three things of a folder."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice((_value, _value, _text, _sums, _header, _bytes, _kind))(folder, rng)
    if rng.random() < 0.5:
        _write(folder / SUMS, b"")  # a pipe would wait for who reads it
        with contextlib.suppress(OSError, RuntimeError):
            write_sums(folder)


def _read(path: Path) -> bytes:
    """What is there, if it is still a file."""
    is_file = path.is_file() and not path.is_symlink() and path.stat().st_size < 2**20
    return path.read_bytes() if is_file else b"{}"


def _write(path: Path, content: bytes) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(content)


def _value(folder: Path, rng: random.Random) -> None:
    """A value of config.json, at any depth, is another or gone."""
    try:
        config = json.loads(_read(folder / CONFIG))
    except (ValueError, RecursionError):
        return
    section = config
    while isinstance(section, dict) and section:
        key = rng.choice(sorted(section))
        if not isinstance(section[key], dict) or rng.random() < 0.3:
            section[key] = rng.choice(VALUES)
            if rng.random() < 0.2:
                del section[key]
            break
        section = section[key]
    _write(folder / CONFIG, json.dumps(config).encode())


def _text(folder: Path, rng: random.Random) -> None:
    _write(folder / CONFIG, _spoilt(_read(folder / CONFIG), rng))


def _spoilt(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    token = rng.choice(TOKENS).encode()
    return content[:place] + token + content[place + rng.choice((0, 1, 10)) :]


def _sums(folder: Path, rng: random.Random) -> None:
    lines = _read(folder / SUMS).splitlines(keepends=True)
    match rng.randrange(5):
        case 0:
            lines = lines[: rng.randrange(len(lines) + 1)]
        case 1:
            lines *= 2
        case 2:
            lines = [_spoilt(b"".join(lines), rng)]
        case 3:
            lines = [line.replace(b"  ", b"  ../") for line in lines]
        case _:
            lines = [rng.randbytes(200)]
    _write(folder / SUMS, b"".join(lines))


def _header(folder: Path, rng: random.Random) -> None:
    """The JSON before the tensors, or the number of its bytes."""
    content = _read(folder / WEIGHTS)
    size = int.from_bytes(content[:8], "little")
    header, values = content[8 : 8 + size], content[8 + size :]
    if rng.random() < 0.5:
        header = _spoilt(header, rng)
    else:
        with contextlib.suppress(ValueError, IndexError, RecursionError):
            entries = json.loads(header)
            entry = entries[rng.choice(sorted(entries))]
            entry[rng.choice(sorted(entry))] = rng.choice(
                [*VALUES, [2**62, 4], [0, 2**63], [-1], "F8_E4M3", "C64"]
            )
            header = json.dumps(entries).encode()
    size = rng.choice((len(header), len(header), len(header) + 1, 0, 2**32, 2**64 - 1))
    _write(folder / WEIGHTS, size.to_bytes(8, "little") + header + values)


def _bytes(folder: Path, rng: random.Random) -> None:
    name = rng.choice((CONFIG, SUMS, WEIGHTS, "README.md"))
    content = bytearray(_read(folder / name))
    if content:
        place = rng.randrange(len(content))
        content[place : place + rng.choice((0, 1, 100))] = rng.randbytes(rng.choice((0, 1, 8)))
    _write(folder / name, bytes(content))


def _kind(folder: Path, rng: random.Random) -> None:
    """A file is a pipe, a folder, a link or gone."""
    path = folder / rng.choice((CONFIG, SUMS, WEIGHTS, "README.md", "D.safetensors"))
    _write(path, b"")
    path.unlink()
    match rng.randrange(6):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(
                rng.choice(("/dev/zero", "/etc/hostname", "nowhere", path.name, "README.md", ".."))
            )
        case 3:
            with path.open("wb") as file:
                file.truncate(2**30)


def look_at(folder: Path, action: str) -> tuple[str, float]:
    """What came of it, and the seconds of CPU."""
    begin, said = time.process_time(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            outcome = {0: "taken", 1: "refused"}[command_line(["models", action, str(folder)])]
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
    if not all(letter.isprintable() or letter in "\n\t" for letter in said.getvalue()):
        outcome = "raw control characters"
    return outcome, time.process_time() - begin


def fuzz(count: int, seed: int, place: Path) -> tuple[Counter[str], list[str]]:
    """Counts of what came, and what is wrong, by the number of the folder."""
    whole, counts, faults, slowest = whole_model(place / "whole"), Counter[str](), [], 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for index in range(count):
        rng, folder = random.Random(f"{seed} {index}"), place / "damaged"
        shutil.copytree(whole, folder)
        damage(folder, rng)
        outcome, seconds = look_at(folder, ("verify", "list", "show")[index % 3])
        shutil.rmtree(folder)
        counts[outcome.partition(":")[0]] += 1
        slowest = max(slowest, seconds)
        if outcome not in ("taken", "refused") or seconds > MAX_SECONDS:
            faults.append(f"{index}: {outcome[:200]}, {seconds:.1f} s")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    if grown > MAX_KIB:
        faults.append(f"memory grew by {grown // 1024} MiB")
    counts["slowest, ms"], counts["MiB grown"] = int(1000 * slowest), grown // 1024
    return counts, faults
