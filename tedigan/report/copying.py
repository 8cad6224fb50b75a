"""Pictures of other stages, copied beside the summary no larger than the page shows them."""

from pathlib import Path

from tedigan.store import pictures

MAX_PX = 256


def copied(source: Path, folder: Path, name: str, *, max_px: int = MAX_PX) -> str:
    """A picture at most so high, its shape kept; returns its name."""
    pixels = pictures.load(source)
    if pixels.shape[1] > max_px:
        pixels = pictures.resize_to_height(pixels, max_px)
    pictures.save(folder / name, pixels)
    return name
