"""Photographs from wherever they lie, in whichever of three layouts, as one `Source`."""

from dataclasses import replace
from pathlib import Path

from tedigan.dataset.sources.celebamask import is_celebamask, read_celebamask
from tedigan.dataset.sources.multimodal import is_multimodal, read_multimodal
from tedigan.dataset.sources.plain import read_plain
from tedigan.dataset.sources.reading import ItemFiles
from tedigan.dataset.sources.source import MERGED, Item, Listing, Place, Source, list_places

__all__ = ["MERGED", "Item", "ItemFiles", "Place", "Source", "open_source"]


def open_source(uri: str, *, root: Path, cache: Path) -> Source:
    """List a source, its layout told by its names; each entry is used or left out by name.

    A path is relative to `root`; objects are kept in `cache`.
    """
    listing = list_places(uri, root=root, cache=cache)
    source = _read(listing)
    left_out = sorted([*listing.left_out, *source.left_out], key=lambda one: (one.name, one.reason))
    return replace(source, left_out=left_out)


def _read(listing: Listing) -> Source:
    if is_multimodal(listing.places):
        return read_multimodal(listing)
    return (read_celebamask if is_celebamask(listing.places) else read_plain)(listing)
