"""Multi-Modal-CelebA-HQ as it was released; its captions, sketches and label maps are kept as given.

    image/{i}.jpg  or  image/images/{i}.jpg
    text/{i}.txt   or  text/celeba-caption/{i}.txt      one caption a line
    sketch/{i}.jpg  label/{i}.png  cutout/{i}.png       optional
    train/filenames.pickle  test/filenames.pickle       lists of names; read as data, nothing of them runs

CelebAMask-HQ's tables (attributes, mapping, identity.csv) are read where they lie beside.
"""

import pickle  # to write alone: what others wrote is read by a machine of our own
import re
from collections.abc import Callable, Mapping, Sequence

from tedigan.dataset.sources.celebamask import read_tables
from tedigan.dataset.sources.source import (
    MERGED,
    NON_COMMERCIAL,
    Item,
    Listing,
    Place,
    Source,
    only_once,
    orphans,
    unused,
)
from tedigan.errors import DataError, WeightsError
from tedigan.foreign.pickles.cursor import Cursor
from tedigan.foreign.pickles.text_protocols import OldPickleReader
from tedigan.foreign.pickles.values import Budget, Call, refusal, shown
from tedigan.store.listing import LeftOut
from tedigan.store.pictures import SUFFIXES

_PICTURE = rf"0*(\d{{1,15}})\.(?:{'|'.join(sorted(one[1:] for one in SUFFIXES))})$"
_PATTERNS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "image": r"(?:^|/)image/(?:images/)?" + _PICTURE,
        "text": r"(?:^|/)text/(?:[\w-]+/)?0*(\d{1,15})\.txt$",
        "sketch": r"(?:^|/)sketch/(?:[\w-]+/)?" + _PICTURE,
        "label": r"(?:^|/)label/(?:[\w-]+/)?0*(\d{1,15})\.png$",
        "cutout": r"(?:^|/)cutout/(?:[\w-]+/)?0*(\d{1,15})\.png$",
    }.items()
}
_NAMES = re.compile(r"(?:^|/)(train|val|test)/filenames\.pickle$")
_STRICT = "image|images|text|sketch|label|cutout"
_EXPECTED = (
    "image/0.jpg, text/0.txt, sketch/0.jpg, label/0.png, cutout/0.png and train/filenames.pickle"
)
LAYOUT = "MM-CelebA-HQ"
NUM_CAPTIONS = 10  # of each photograph, as released
_MAX_NAMES = 1_000_000


def is_multimodal(places: Mapping[str, Place]) -> bool:
    """Whether these names are of this layout."""
    has_image = any(_PATTERNS["image"].search(name) for name in places)
    return has_image and any(_PATTERNS["text"].search(n) or _NAMES.search(n) for n in places)


def read_multimodal(listing: Listing) -> Source:
    """The source that these places hold."""
    places = listing.places
    found: dict[str, dict[int, list[Place]]] = {kind: {} for kind in _PATTERNS}
    lists: dict[str, list[Place]] = {}
    for name, place in places.items():
        for kind, pattern in _PATTERNS.items():
            if match := pattern.search(name):
                found[kind].setdefault(int(match[1]), []).append(place)
        if match := _NAMES.search(name):
            lists.setdefault(match[1], []).append(place)
    published = _published(listing.uri, lists)
    tables, table_places = read_tables(places)
    once, left_out = dict[str, dict[int, Place]](), list[LeftOut]()
    for kind, by_number in found.items():
        once[kind], twice = only_once(by_number)
        left_out += twice
        left_out += orphans({id: [place] for id, place in once[kind].items()}, once["image"])
    files = [
        place for by_number in found.values() for several in by_number.values() for place in several
    ]
    used = [*table_places, *files, *(place for several in lists.values() for place in several)]
    items = {
        id: Item(
            place,
            {MERGED: once["label"][id]} if id in once["label"] else {},
            sketch=once["sketch"].get(id),
            text=once["text"].get(id),
            cutout=once["cutout"].get(id),
        )
        for id, place in once["image"].items()
    }
    left_out += unused(places, used, _EXPECTED, strict_below=_STRICT)
    return Source(
        layout=LAYOUT,
        licence=NON_COMMERCIAL,
        items=items,
        kinds=frozenset(kind for kind in _PATTERNS if kind != "image" and found[kind]),
        attribute_names=tables.attribute_names if tables.attributes is not None else (),
        attributes=tables.attributes,
        identities=tables.identities,
        partitions=tables.partitions | ({"published": published} if published else {}),
        left_out=[*left_out, *_doubtful_lists(lists, published, found["image"])],
    )


def _published(uri: str, lists: Mapping[str, Sequence[Place]]) -> dict[int, str]:
    """Photograph number -> the split that the lists say."""
    published: dict[int, str] = {}
    for split, places in lists.items():
        for id in (id for place in places for id in read_names(place)):
            if published.setdefault(id, split) != split:
                raise DataError(
                    f"{uri} lists photograph {id} in {published[id]} and in {split}; a "
                    "photograph may be in one only. Mend the filenames.pickle files."
                )
    return published


def _doubtful_lists(
    lists: Mapping[str, Sequence[Place]], published: Mapping[int, str], there: Mapping[int, object]
) -> list[LeftOut]:
    """Lists that are gone, and what is wrong with those that are there; the photographs are used all the same."""
    found = [
        LeftOut(
            f"{split}/filenames.pickle",
            "no list",
            f"{split}/filenames.pickle is not there, so that nobody knows the release's {split} photographs. "
            "Copy it from the release.",
        )
        for split in ("train", "test")
        if split not in lists
    ]
    for split, places in lists.items():
        absent = sorted(id for id, of in published.items() if of == split and id not in there)
        if absent:
            few = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
            found.append(
                LeftOut(
                    places[0].name,
                    "no photograph",
                    f"{places[0].name} lists {len(absent)} photographs that are not there: {few}. Add them, or "
                    "take them off the list.",
                )
            )
    return found


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
