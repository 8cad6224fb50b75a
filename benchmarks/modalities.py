"""How fast each part of a record is made, at three sizes, and what 30,000 records of 1024 px take.

    python -m benchmarks.modalities --workers 2
    python -m benchmarks.modalities --photographs CelebA-HQ-img.tar --count 32

Without --photographs, faces are drawn. A picture of another size is scaled to each size before the clock starts.
Parser and tagger are the networks of the default settings, with random weights: speed does not need better ones.
Alignment is measured where the extra `align` is installed, on photographs.
"""

import argparse
import functools
import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tedigan.annotators.landmarks import find_landmarks
from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig
from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.captions.writer import draw_captions
from tedigan.dataset.kinds.alignment import align
from tedigan.dataset.kinds.cutouts import cut_out, soften
from tedigan.dataset.kinds.sketches import sketch_of
from tedigan.drawn import draw_face
from tedigan.errors import DataError
from tedigan.store import pictures
from tedigan.store.photographs import read_photographs
from tedigan.tensors import stream, to_images
from tedigan.training.parser_and_tagger import MAX_INPUT_PX, PARSER_SETTINGS, TAGGER_SETTINGS
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import colours_to_labels, resize_labels

SIZES = (128, 256, 1024)
RECORDS, RECORDS_PX = 30_000, 1024
SAID = "Smiling Young Wavy_Hair Brown_Hair Arched_Eyebrows High_Cheekbones Wearing_Earrings".split()


@dataclass(frozen=True)
class Face:
    """A photograph [3, s, s], a label map [s, s] and the photograph as a file."""

    pixels: Tensor
    labels: Tensor
    jpeg: bytes


def image(face: Face) -> object:
    """Decode and encode."""
    return pictures.encode(pictures.decode(face.jpeg), "jpg")


def ten_captions(face: Face) -> object:  # noqa: ARG001
    """Of one face."""
    true = {name: name in SAID for name in ATTRIBUTE_NAMES}
    rng = stream("benchmark")
    return draw_captions(true, grammar=_grammar(), num_captions=10, generator=rng)


def sketch(face: Face) -> object:
    """As PNG."""
    return pictures.encode(sketch_of(face.pixels, face.pixels.shape[1]), "png")


def label(face: Face) -> object:
    """Of a source's map: in its size, and as PNG."""
    return pictures.encode(resize_labels(face.labels[None], face.labels.shape[0]), "png")


def label_by_parser(face: Face) -> object:
    """By the platform's own."""
    with torch.no_grad():
        return _parser()(to_images(face.pixels[None])).argmax(1)


def attributes_by_tagger(face: Face) -> object:
    """By the platform's own."""
    with torch.no_grad():
        return _tagger()(to_images(face.pixels[None]))


def cutout(face: Face) -> object:
    """Along the label map, as PNG."""
    alpha = soften(face.labels > 0, face.pixels)
    return pictures.encode(cut_out(face.pixels, alpha), "png")


def alignment(face: Face) -> object:
    """Landmarks and resampling."""
    try:
        return align(face.pixels, find_landmarks(face.pixels), size_px=face.pixels.shape[1])
    except DataError:
        return None  # a face that was not found took its time, too


PARTS: list[Callable[[Face], object]] = [
    image, ten_captions, sketch, label, cutout, label_by_parser, attributes_by_tagger, alignment,
]  # fmt: skip


def main() -> None:
    """Measure, and print a table."""
    arguments = _arguments()
    pool = ProcessPoolExecutor(
        arguments.workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(arguments.photographs, arguments.count),
    )
    print(
        f"| part | {' | '.join(f'{size} px' for size in SIZES)} | {RECORDS:,} at {RECORDS_PX} px |"
    )
    print(f"|---{'|---:' * (len(SIZES) + 1)}|")
    with pool:
        for part in PARTS:
            if part is alignment and not importlib.util.find_spec("dlib"):
                continue
            rates = [_rate(pool, arguments, part.__name__, size) for size in SIZES]
            hours = RECORDS / rates[SIZES.index(RECORDS_PX)] / 3600
            shown = " | ".join(f"{rate:.1f}" for rate in rates)
            print(f"| {part.__name__.replace('_', ' ')} | {shown} | {hours:.2f} h |", flush=True)
    print(f"\nPictures a second on {arguments.workers} processes of one thread each.")


def _rate(
    pool: ProcessPoolExecutor, arguments: argparse.Namespace, part: str, size_px: int
) -> float:
    """Pictures a second of all processes together, when each has what it needs in memory."""
    jobs = [(part, size_px)] * arguments.workers
    list(pool.map(_make_all, jobs))  # scales the pictures and opens the models
    start = time.perf_counter()
    made = sum(pool.map(_make_all, jobs))
    return made / (time.perf_counter() - start)


def _make_all(job: tuple[str, int]) -> int:
    """In a worker: one part of every picture."""
    name, size_px = job
    (part,) = [part for part in PARTS if part.__name__ == name]
    return len([part(face) for face in _faces(size_px)])


_chosen: tuple[Path | None, int] = (None, 0)


def _start(photographs: Path | None, count: int) -> None:
    global _chosen
    _chosen = photographs, count
    torch.set_num_threads(1)


@functools.cache
def _faces(size_px: int) -> list[Face]:
    """What a worker works on; a photograph takes the label map of a drawn face."""
    photographs, count = _chosen
    drawn = [draw_face(0, index) for index in range(count)]
    maps = [pictures.rasterise(face.label_svg, size_px, is_label=True) for face in drawn]
    if photographs is None:
        seen = [pictures.rasterise(face.svg, size_px) for face in drawn]
    else:
        seen = [*read_photographs(photographs, size_px, limit=count).pixels]
    return [
        Face(pixels, colours_to_labels(map), pictures.encode(pixels, "jpg"))
        for pixels, map in zip(seen, maps, strict=True)
    ]


@functools.cache
def _grammar() -> Grammar:
    return load_grammar(CELEBA)


@functools.cache
def _parser() -> FaceParser:
    return FaceParser(ParserConfig(MAX_INPUT_PX, PARSER_SETTINGS.base_channels)).eval()


@functools.cache
def _tagger() -> FaceTagger:
    return FaceTagger(
        TaggerConfig(MAX_INPUT_PX, TAGGER_SETTINGS.base_channels, ATTRIBUTE_NAMES)
    ).eval()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photographs", type=Path, help="a folder or a .tar of faces")
    parser.add_argument("--count", type=int, default=16, help="pictures for each process")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


if __name__ == "__main__":
    main()
