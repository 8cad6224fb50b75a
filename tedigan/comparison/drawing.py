"""Our faces of a protocol's prompts and a rival's, in the form in which any method hands in its own."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.method_folder import picture_name
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.method.text_to_face import FaceMaker
from tedigan.progress import progress
from tedigan.rivals.rival import SIZE_PX
from tedigan.rivals.rival_folder import OpenedRival
from tedigan.store import pictures
from tedigan.store.files import finished_folder, sha256_file
from tedigan.tensors import stream, to_images, to_pixels

AT_ONCE = 32
INDEX = "index.parquet"


def draw_method(folder: Path, maker: FaceMaker, protocol: ComparisonProtocol) -> int:
    """A face of each prompt, and further ones of the first, by the protocol's seed; how many there are."""
    places = places_of(protocol)
    texts = [protocol.captions[prompt] for prompt, _ in places]
    with finished_folder(folder) as fresh:
        parts = maker.faces(texts, seed=protocol.seed)
        left = iter(progress(places, total=len(places), desc="draw", unit="face"))
        for part in parts:
            for face in part:
                pictures.save(fresh / picture_name(*next(left)), face)
    return len(places)


def draw_rival(
    folder: Path, rival: OpenedRival, protocol: ComparisonProtocol, data: Dataset | None = None
) -> int:
    """The same by a rival; the chance of each picture is the protocol's seed, its prompt and its number.

    data: whose test photographs a rival that edits is given: for each prompt the photograph of the prompt before,
    which its caption was not written for. Who leaves it as it is reaches the floor of text fidelity, and no more.
    """
    edits = rival.rival.edits_photographs
    if edits and (data is None or sha256_file(data.folder / INDEX) != protocol.dataset):
        raise DataError(
            f"{rival.rival.name} edits photographs, and the data set here is not the protocol's. Name the "
            "workspace that has it."
        )
    places = places_of(protocol)
    starts = range(0, len(places), AT_ONCE)
    with finished_folder(folder) as fresh:
        for start in progress(starts, total=len(starts), desc="draw", unit="batch"):
            some = places[start : start + AT_ONCE]
            z = torch.stack(
                [
                    torch.randn(rival.rival.z_dim, generator=stream(protocol.seed, "rival", *one))
                    for one in some
                ]
            )
            texts = [protocol.captions[prompt] for prompt, _ in some]
            given = None
            if edits and data is not None:
                given = _photographs(data, [protocol.ids[prompt - 1] for prompt, _ in some])
            for place, face in zip(some, to_pixels(rival.draw(texts, z, given)), strict=True):
                pictures.save(fresh / picture_name(*place), face)
    return len(places)


def places_of(protocol: ComparisonProtocol) -> list[tuple[int, int]]:
    """(prompt, face): a face of each prompt, then the further ones of the first."""
    further = [
        (prompt, face)
        for prompt in range(protocol.variety_prompts)
        for face in range(1, protocol.variety_faces)
    ]
    return [(prompt, 0) for prompt in range(len(protocol.captions))] + further


def _photographs(data: Dataset, ids: list[int]) -> Float[Tensor, "n 3 64 64"]:
    return to_images(torch.stack([pictures.resize(one, SIZE_PX) for one in data.pixels(ids)]))
