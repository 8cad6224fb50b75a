"""Multi-Modal-CelebA-HQ as it was released; its captions, sketches and label maps are kept as given.

    image/{i}.jpg  or  image/images/{i}.jpg
    text/{i}.txt   or  text/celeba-caption/{i}.txt      one caption a line
    sketch/{i}.jpg  label/{i}.png                       optional
    train/filenames.pickle  test/filenames.pickle       lists of names; read as data, nothing of them runs

CelebAMask-HQ's tables (attributes, mapping, identity.csv) are read where they lie beside.
"""

import pickle  # to write alone: what others wrote is read by a machine of our own
import re
from collections.abc import Callable, Mapping, Sequence

from tedigan.dataset.sources.celebamask import read_tables
from tedigan.dataset.sources.source import MERGED, NON_COMMERCIAL, Item, Place, Source, add_once
from tedigan.errors import DataError, WeightsError
from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.text_protocols import OldPickleReader
from tedigan.foreign.pickles.values import Budget, Call, refusal, shown

_PICTURE = r"0*(\d+)\.(?:jpe?g|png|webp)$"
_IMAGE = re.compile(r"(?:^|/)image/(?:images/)?" + _PICTURE)
_SKETCH = re.compile(r"(?:^|/)sketch/(?:[\w-]+/)?" + _PICTURE)
_LABEL = re.compile(r"(?:^|/)label/(?:[\w-]+/)?0*(\d+)\.png$")
_TEXT = re.compile(r"(?:^|/)text/(?:[\w-]+/)?0*(\d+)\.txt$")
_NAMES = re.compile(r"(?:^|/)(train|val|test)/filenames\.pickle$")
_MAX_NAMES = 1_000_000


def is_multimodal(places: Mapping[str, Place]) -> bool:
    """Whether these names are of this layout."""
    has_image = any(_IMAGE.search(name) for name in places)
    return has_image and any(_TEXT.search(n) or _NAMES.search(n) for n in places)


def read_multimodal(uri: str, places: Mapping[str, Place]) -> Source:
    """The source that these places hold."""
    found: dict[str, dict[int, Place]] = {"image": {}, "text": {}, "sketch": {}, "label": {}}
    patterns = {"image": _IMAGE, "text": _TEXT, "sketch": _SKETCH, "label": _LABEL}
    published: dict[int, str] = {}
    for name, place in places.items():
        for kind, pattern in patterns.items():
            if match := pattern.search(name):
                add_once(found[kind], int(match[1]), place)
        if match := _NAMES.search(name):
            for id in read_names(place):
                if published.setdefault(id, match[1]) != match[1]:
                    raise DataError(
                        f"{uri} lists photograph {id} in {published[id]} and in {match[1]}; a "
                        "photograph may be in one only. Mend the filenames.pickle files."
                    )
    tables = read_tables(places)
    items = {
        id: Item(
            place,
            {MERGED: found["label"][id]} if id in found["label"] else {},
            sketch=found["sketch"].get(id),
            text=found["text"].get(id),
        )
        for id, place in found["image"].items()
    }
    return Source(
        layout="MM-CelebA-HQ",
        licence=NON_COMMERCIAL,
        items=items,
        kinds=frozenset(kind for kind in ("text", "sketch", "label") if found[kind]),
        attribute_names=tables.attribute_names if tables.attributes is not None else (),
        attributes=tables.attributes,
        identities=tables.identities,
        partitions=tables.partitions | ({"published": published} if published else {}),
    )


def read_names(place: Place) -> list[int]:
    """The photograph numbers of a filenames.pickle, which may say `7`, `7.jpg` or 7."""
    budget = Budget(opcodes=4 * _MAX_NAMES, text=32 * _MAX_NAMES)
    cursor = Cursor(memoryview(place.read()), name=place.name)
    reader = OldPickleReader(cursor, resolve=_no_name(place.name), budget=budget)
    try:
        names = reader.load()
    except WeightsError as error:
        raise DataError(str(error)) from error
    if not isinstance(names, list):
        raise DataError(f"{place.name} holds {shown(names)}; expected a list of file names.")
    return [_number(name, place) for name in names]


def format_names(ids: Sequence[int]) -> bytes:
    """A filenames.pickle as the published loaders read it; `read_names` reads it too."""
    return pickle.dumps([str(id) for id in ids], protocol=2)


def _number(name: object, place: Place) -> int:
    stem = str(name).rsplit("/", 1)[-1].partition(".")[0]
    if not isinstance(name, str | int) or not stem.isdecimal():
        raise DataError(
            f"{place.name} lists {shown(name)}; expected a number such as 7 or 7.jpg. Use the "
            "published file."
        )
    return int(stem)


def _no_name(file: str) -> Callable[[str], Call]:
    """Refuses every name of code: a list of file names needs none."""

    def resolve(what: str) -> Call:
        raise refusal(file, "a name of code in a list of file names", shown(what), "text alone")

    return resolve
