"""Draws one image of a job again, alone, and says how near it comes."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.bulk.draw import Face, Failure
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.shard_files import LABEL, picture_of, read_rows
from tedigan.bulk.worker import Worker
from tedigan.errors import DataError
from tedigan.exactness import environment, sha256_tensor
from tedigan.store import pictures
from tedigan.store.picture_labels import label_of
from tedigan.store.shards import read_shard, read_span


@dataclass(frozen=True)
class Replay:
    """An image drawn again. said: whether it is the same, or how far off and why."""

    image: int
    row: dict[str, Any]
    pixels: UInt8[Tensor, "3 r r"]
    picture: bytes
    is_same: bool
    said: str


def named_in(picture: bytes) -> tuple[str, int]:
    """The job and the number that a picture's own recipe names; a DataError where it has none."""
    found = label_of(picture, LABEL)
    if found is None:
        raise DataError(
            "the picture carries no recipe: it is no PNG of a bulk job, or lost its text on the way; expected one "
            "as a job wrote it. Name the sha256 of its file or pixels in its place."
        )
    try:
        about = json.loads(found)
        return str(about["job"]), int(about["image"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"the picture's recipe is {found[:80]!r}, expected a job and a number; it was written by somebody "
            "else. Name the sha256 of its file or pixels in its place."
        ) from error


def image_of(picture: bytes, ledger: Ledger) -> int:
    """The number that a picture of this very job carries; a DataError where it is of another job."""
    name, image = named_in(picture)
    if name != ledger.name:
        raise DataError(
            f"the picture is of job {name[:80]}, and {ledger.address} is another; expected a picture of its own. "
            "Name the picture's job."
        )
    return image


def find(ledger: Ledger, sha256: str, cache: Path) -> int:
    """The image whose file or pixels have this digest, by the job's tables."""
    for row in rows_of(ledger, cache):
        if sha256 in (row["file_sha256"], row["pixels_sha256"]):
            return int(row["image"])
    raise DataError(
        f"job {ledger.name} has no image with sha256 {sha256[:12]}, expected one among its committed shards. Name "
        "another job, or finish this one."
    )


def rows_of(ledger: Ledger, cache: Path) -> Iterator[dict[str, Any]]:
    """Every committed image's row, in order."""
    for commit in ledger.commits():
        yield from read_rows(ledger.piece(commit.table, ".parquet", cache))


def replay(worker: Worker, image: int, given: bytes | None = None) -> Replay:
    """Draw an image again by its recipe, and compare it with what was committed; and so is the picture `given`."""
    ledger, plan = worker.ledger, worker.ledger.plan
    commit = ledger.commit_of(plan.shard_of(image))
    rows = read_rows(ledger.piece(commit.table, ".parquet", worker.scratch))
    (row,) = (one for one in rows if one["image"] == image)
    (asked,) = worker.asked(range(image, image + 1))
    face = worker.painter.face(image, asked, attempt=row["attempt"] or 0)
    if isinstance(face, Failure) or row["failed"]:
        raise DataError(_never_drawn(image, row["failed"], face))
    picture = picture_of(plan.name, face, plan.image_format)
    kept = committed_picture(worker, image)
    is_same = sha256_tensor(face.pixels) == row["pixels_sha256"]
    said = _said(worker, row, face.pixels, picture, kept)
    if given is not None and given != kept:
        pixels, before = pictures.decode(given), pictures.decode(kept)
        is_same = is_same and pixels.equal(before)
        said = f"{said}\n{_said_of_given(pixels, before)}"
    return Replay(image, row, face.pixels, picture, is_same, said)


def _never_drawn(image: int, committed: str | None, face: Face | Failure) -> str:
    """Of an image that was not drawn, then or now."""
    now = face.reason if isinstance(face, Failure) else "it can be drawn"
    then = committed or "it was drawn"
    return (
        f"image {image} cannot be compared; expected a picture on both sides. When it was committed: {then} Now: "
        f"{now} Mend its photograph or its prompt, and plan it again (`tedigan jobs redrive`)."
    )


def committed_picture(worker: Worker, image: int) -> bytes:
    """The file of an image, out of its shard."""
    commit = worker.ledger.commit_of(worker.ledger.plan.shard_of(image))
    path = worker.ledger.piece(commit.tar, ".tar", worker.scratch)
    return read_span(path, read_shard(path).spans[image]["image"])


def _said(worker: Worker, row: dict[str, Any], pixels: Tensor, picture: bytes, kept: bytes) -> str:
    if hashlib.sha256(picture).hexdigest() == row["file_sha256"]:
        return "bit-identical: the file has the committed sha256"
    if sha256_tensor(pixels) == row["pixels_sha256"]:
        return "pixel-identical; the file differs, as another build of the encoder wrote it"
    return f"differs: {_how_far(pixels, pictures.decode(kept))}. {_why(worker)}"


def _said_of_given(pixels: Tensor, kept: Tensor) -> str:
    """Of a file that is not the committed one."""
    if pixels.equal(kept):
        return "the picture that was given has the committed pixels, but its file was written anew"
    how = _how_far(pixels, kept) if pixels.shape == kept.shape else f"it is {[*pixels.shape]}"
    return f"the picture that was given is not the committed one: {how}. It was changed since."


def _how_far(pixels: Tensor, kept: Tensor) -> str:
    off = (pixels.int() - kept.int()).abs()
    return (
        f"{off.float().mean():.3f} levels on average, {int(off.max())} at most, in "
        f"{(off > 0).float().mean():.1%} of the values"
    )


def _why(worker: Worker) -> str:
    plan, here = worker.ledger.plan, environment()
    other = [
        f"{name} was {was!r} and is {here.get(name)!r}"
        for name, was in plan.environment.items()
        if here.get(name) != was
    ]
    if torch.get_num_threads() != plan.num_threads:
        other.append(f"threads were {plan.num_threads} and are {torch.get_num_threads()}")
    if not other:
        return (
            "Versions, processor and threads are the plan's; the picture was lossy, or was changed."
        )
    return f"What may explain it: {'; '.join(other)}."
