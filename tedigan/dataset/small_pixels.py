"""Photographs of a data set in memory, at the size that the networks look at."""

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.annotators.resizing import resize
from tedigan.dataset.folder import Dataset
from tedigan.tensors import to_images, to_pixels

CHUNK = 256


def small_pixels(data: Dataset, ids: list[int], size_px: int) -> UInt8[Tensor, "n 3 size size"]:
    """Photographs resized to `size_px`: 30,000 of 128 px take 1.5 GB."""
    pixels = torch.empty(len(ids), 3, size_px, size_px, dtype=torch.uint8)
    for start in range(0, len(ids), CHUNK):
        chosen = ids[start : start + CHUNK]
        full = data.pixels(chosen)
        if full.shape[-1] != size_px:
            full = to_pixels(resize(to_images(full), size_px))
        pixels[start : start + len(chosen)] = full
    return pixels
