"""A data set in the layout of the published MM-CelebA-HQ: a file a record, as other people's loaders want it.

image/{id}.jpg  sketch/{id}.jpg  label/{id}.png  text/{id}.txt  cutout/{id}.png
{split}/filenames.pickle            the names without suffix, as the published loaders read them
CelebAMask-HQ-attribute-anno.txt    where the attributes are CelebA's 40
"""

from pathlib import Path

from tedigan.dataset.folder import Dataset
from tedigan.dataset.sources.celebamask import ATTRIBUTE_FILE
from tedigan.dataset.sources.multimodal import format_names
from tedigan.dataset.splits import SPLITS
from tedigan.errors import DataError
from tedigan.progress import progress
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_bytes, write_text
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, format_attributes

_AS_JPG = {"image", "sketch"}  # as published; other kinds keep their bytes


def export(dataset: Dataset, target: Path) -> int:
    """Write the folder whole or not at all; returns the number of records."""
    if target.exists():
        raise DataError(f"{target} exists; expected a new folder. Name another, or remove it.")
    with finished_folder(target) as folder:
        for id in progress(dataset.ids, desc="export", unit="face"):
            for kind in dataset.kinds:
                content, suffix = dataset.read(kind, id), dataset.kinds[kind]
                name, content = published_file(kind, id, content, suffix)
                write_bytes(folder / name, content)
        for split in SPLITS:
            if ids := dataset.split(split):
                write_bytes(folder / split / "filenames.pickle", format_names(ids))
        if tuple(dataset.attribute_names) == ATTRIBUTE_NAMES:
            rows = zip(dataset.ids, dataset.attributes(dataset.ids), strict=True)
            text = format_attributes({f"{id}.jpg": row for id, row in rows})
            write_text(folder / ATTRIBUTE_FILE, text)
    return len(dataset.ids)


def published_file(kind: str, id: int, content: bytes, suffix: str) -> tuple[str, bytes]:
    """Name and bytes of one file, in the format that the published one has."""
    if kind in _AS_JPG and suffix != "jpg":
        pixels = pictures.decode(content, name=f"{kind} {id}")
        content, suffix = pictures.encode(pixels, "jpg"), "jpg"
    return f"{kind}/{id}.{suffix}", content
