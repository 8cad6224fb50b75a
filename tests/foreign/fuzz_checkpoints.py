"""Damages small valid checkpoints at random and reads them: each is read, or refused by our errors.

python -m tests.foreign.fuzz_checkpoints --count 10000 --seed 0

For each container (NVIDIA's .pkl, torch.save's zip file and its older stream) `count` mutants:
flipped bits, truncations, insertions, deletions, splices of two files, extreme numbers; and, in
the pickles, opcodes that are swapped, repeated, removed or replaced. Each is read in full, all
tensors copied, in a watched process. Prints counts; exits with 1 if a mutant raised another
exception, made Python do something, took more than a second, or memory grew by more than 100 MiB.
Those mutants are kept, and their folder named: torch writes addresses into its older stream, so
another run makes slightly others of it.
"""

import argparse
import faulthandler
import pickletools
import random
import struct
import sys
import tempfile
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from tests.foreign.nvidia_snapshot import dump, generator, module
from tests.foreign.torch_containers import zipped
from tests.foreign.watched_reader import outcome_of, peak_kib, start_watch

MAX_SECONDS = 1.0  # of processor time
MAX_GROWTH_KIB = 100 * 2**10
OPCODES = [ord(opcode.code) for opcode in pickletools.opcodes]
EXTREMES = [0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]


class Seed(NamedTuple):
    """A valid file: its bytes, the pickle in it, and how to put another pickle in its place."""

    data: bytes
    content: bytes
    wrap: Callable[[bytes], bytes]


# Valid files


def checkpoint(scale: float) -> dict[str, Any]:
    """Return what a small training file holds."""
    net = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))
    optimizer = torch.optim.Adam(net.parameters())
    (net(torch.ones(2, 2, 1, 1)).sum() * scale).backward()
    optimizer.step()
    big = torch.arange(24.0).reshape(2, 3, 4) * scale
    return {
        "net": net.state_dict(),
        "views": OrderedDict(a=big[1], b=big.transpose(0, 2), c=big[:, 1:2].half(), d=big[0, 0, 0]),
        "kinds": {str(i): big.to(kind) for i, kind in enumerate((torch.bool, torch.int64))},
        "optimizer": optimizer.state_dict(),
        "args": argparse.Namespace(lr=scale, device=torch.device("cuda", 0), path=Path("/a/b")),
        "latent_avg": torch.ones(2, 4) * scale,
        "loss": np.float64(scale),
        "empty": torch.empty(0),
    }


def saved(protocol: int, is_zip: bool) -> bytes:
    """Return a file of torch.save."""
    file = BytesIO()
    torch.save(
        checkpoint(1.5 * protocol),
        file,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=is_zip,
    )
    return file.getvalue()


def zip_seed(data: bytes) -> Seed:
    """Take a zip file apart."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        entries = {path: file.read(path) for path in file.namelist()}
    place = next(path for path in entries if path.endswith("/data.pkl"))
    return Seed(data, entries[place], lambda content: zipped(entries | {place: content}))


def stream_seed(data: bytes) -> Seed:
    """Take a stream apart: its fourth pickle is the content."""
    file, ends = BytesIO(data), [0]
    for _ in range(4):
        list(pickletools.genops(file))
        ends.append(file.tell())
    before, after = data[: ends[3]], data[ends[4] :]
    return Seed(data, data[ends[3] : ends[4]], lambda content: before + content + after)


def seeds_of(container: str) -> list[Seed]:
    """Return the valid files of a container."""
    if container == "zip":
        return [zip_seed(saved(protocol, True)) for protocol in (2, 4)]
    if container == "stream":
        return [stream_seed(saved(protocol, False)) for protocol in (2, 4)]
    tensors = {"weight": torch.arange(6.0).reshape(2, 3), "part.w_avg": torch.ones(2)}
    snapshots = [dump({"G": module("Generator", tensors)}, protocol) for protocol in (3, 4, 5)]
    snapshots.append(dump({"G_ema": generator(), "D": None}))
    return [Seed(data, data, lambda content: content) for data in snapshots]


# Damage


def damage_bytes(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """Change a file without knowing what it is."""
    raw, place, length = bytearray(data), rng.randrange(len(data)), rng.choice((1, 2, 8, 64))
    match rng.randrange(7):
        case 0:
            raw[place] ^= 1 << rng.randrange(8)
        case 1:
            raw[place] = rng.randrange(256)
        case 2:
            del raw[place:]
        case 3:
            del raw[place : place + length]
        case 4:
            raw[place:place] = rng.randbytes(length)
        case 5:
            width = rng.choice((1, 2, 4, 8))
            number = rng.choice(EXTREMES) % 2 ** (8 * width)
            raw[place : place + width] = number.to_bytes(width, "little")
        case _:
            start = rng.randrange(len(other))
            raw[place : place + rng.choice((0, length))] = other[start : start + length]
    return bytes(raw)


def damage_opcodes(rng: random.Random, content: bytes, other: bytes) -> bytes:
    """Change whole opcodes of a pickle, so that the reader goes on behind the damage."""
    parts = split(content)
    i, j = rng.randrange(1, len(parts)), rng.randrange(1, len(parts))
    match rng.randrange(6):
        case 0:
            parts[i], parts[j] = parts[j], parts[i]
        case 1:
            parts[i] = b""
        case 2:
            parts[i] *= rng.choice((2, 3, 1000))
        case 3:
            parts[i] = bytes([rng.choice(OPCODES)]) + parts[i][1:]
        case 4:
            parts[i] = parts[i][:1] + struct.pack("<Q", rng.choice(EXTREMES))[: len(parts[i]) - 1]
        case _:
            parts[i:i] = rng.choice((parts, split(other)))[j : j + rng.choice((1, 5, 50))]
    return b"".join(parts)


def split(content: bytes) -> list[bytes]:
    """Return the opcodes of a valid pickle, each with its argument."""
    places = [place or 0 for _, _, place in pickletools.genops(content)]
    ends = [*places[1:], len(content)]
    return [content[start:end] for start, end in zip(places, ends, strict=True)]


def mutant(container: str, seeds: list[Seed], seed: int, index: int) -> bytes:
    """Return one damaged file."""
    rng = random.Random(f"{container} {seed} {index}")
    one, other = rng.choice(seeds), rng.choice(seeds)
    data = one.data
    if rng.random() < 0.5:
        data = one.wrap(damage_opcodes(rng, one.content, other.content))
    if rng.random() < 0.5 or data == one.data:
        data = damage_bytes(rng, data, other.data)
    return data


# Reading


def fuzz(container: str, seed: int, count: int, folder: Path) -> list[str]:
    """Read the mutants of one container, print what came of them, and return what is wrong."""
    seeds, counts, faults, slowest = seeds_of(container), Counter[str](), [], 0.0
    reasons = set()
    suffix = ".pkl" if container == "nvidia" else ".pt"
    for index in range(count):
        path = folder / f"{container}-{index}{suffix}"
        path.write_bytes(mutant(container, seeds, seed, index))
        outcome, seconds, seen = outcome_of(path)
        kind, error, *parts = [*outcome.split(": "), "", ""]
        counts[f"{kind} {error}".strip()] += 1
        reasons.add("".join(parts[1:2]).partition(" at byte ")[0])
        slowest = max(slowest, seconds)
        if outcome.startswith("escaped") or seen or seconds > MAX_SECONDS:
            faults.append(f"{path}: {outcome[:200]}, {seconds:.2f} s, {sorted(set(seen))}")
        else:
            path.unlink()
    print(f"{container}: {dict(counts.most_common())} for {len(reasons)} reasons, ", end="")
    print(f"the slowest took {1000 * slowest:.0f} ms")
    return faults


def main() -> int:
    """Fuzz each container."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=10_000, help="mutants of each container")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    faulthandler.dump_traceback_later(120 + args.count, exit=True)  # a read that never ends
    containers = ("nvidia", "zip", "stream")
    for container in containers:
        seeds_of(container)
    start_watch()
    before, faults = peak_kib(), []
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    for container in containers:
        faults += fuzz(container, args.seed, args.count, folder)
    if not faults:
        folder.rmdir()
    growth = peak_kib() - before
    if growth > MAX_GROWTH_KIB:
        faults.append(f"memory grew by {growth} KiB")
    print(f"memory grew by {growth / 2**10:.0f} MiB; {len(faults)} faults")
    print("\n".join(faults[:20]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
