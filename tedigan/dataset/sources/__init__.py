"""Photographs from wherever they lie, in whichever of three layouts, as one `Source`."""

from pathlib import Path

from tedigan.dataset.sources.celebamask import is_celebamask, read_celebamask
from tedigan.dataset.sources.multimodal import is_multimodal, read_multimodal
from tedigan.dataset.sources.plain import read_plain
from tedigan.dataset.sources.reading import ItemFiles
from tedigan.dataset.sources.source import MERGED, Item, Place, Source, list_places

__all__ = ["MERGED", "Item", "ItemFiles", "Place", "Source", "open_source"]


def open_source(uri: str, *, root: Path, cache: Path) -> Source:
    """List a source, its layout told by its names. A path is relative to `root`; objects are kept in `cache`."""
    places = list_places(uri, root=root, cache=cache)
    if is_multimodal(places):
        return read_multimodal(uri, places)
    if is_celebamask(places):
        return read_celebamask(uri, places)
    return read_plain(uri, places)
