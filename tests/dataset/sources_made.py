"""Small sources of each layout, written for tests: photographs of noise, never of a person."""

import pickle
from pathlib import Path

import torch
from torch import Tensor

from tedigan.store import pictures
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES, attributes_of, format_attributes

ATTRIBUTES = "CelebAMask-HQ-attribute-anno.txt"
MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
NUM = 6


def noise(id: int, side: int = 32, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(id)
    return torch.randint(0, 256, (channels, side, side), generator=generator).to(torch.uint8)


def smooth(id: int, side: int = 64) -> Tensor:
    """Blobs of colour: a picture that survives compression and scaling."""
    small = noise(id, 8)[None].float()
    large = torch.nn.functional.interpolate(small, (side, side), mode="bicubic")
    return large[0].clamp(0, 255).to(torch.uint8)


def put(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def write_celebamask(folder: Path, num: int = NUM) -> Path:
    """Photographs of noise with attributes, two of each person, photographs 2 and 3 being val."""
    for id in range(num):
        put(folder / f"CelebA-HQ-img/{id:05d}.png", pictures.encode(noise(id), "png"))
    rows = {f"{id}.jpg": attributes_of(ATTRIBUTE_NAMES[id % 20 : id % 20 + 9]) for id in range(num)}
    put(folder / ATTRIBUTES, format_attributes(rows))
    people = "".join(f"{i},{i // 2},{'val' if i in (2, 3) else 'train'}\n" for i in range(num))
    put(folder / "identity.csv", "idx,identity,partition\n" + people)
    return folder


def write_mapping(folder: Path, celeba_numbers: list[int]) -> Path:
    rows = [f"{id} {n - 1} {n:06d}.jpg" for id, n in enumerate(celeba_numbers)]
    put(folder / MAPPING, "idx orig_idx orig_file\n" + "\n".join(rows) + "\n")
    return folder


def write_masks(folder: Path, num: int = NUM) -> Path:
    """The skin everywhere, the nose on the upper half."""
    for id in range(num):
        for name, grey in (("skin", 255), ("nose", 0)):
            mask = torch.full((1, 64, 64), grey, dtype=torch.uint8)
            mask[:, :32] = 255
            path = folder / f"CelebAMask-HQ-mask-anno/0/{id:05d}_{name}.png"
            put(path, pictures.encode(mask, "png"))
    return folder


def write_multimodal(folder: Path, num: int = NUM, *, is_nested: bool = False) -> Path:
    """As MM-CelebA-HQ was released; the last third is test."""
    image, text = ("image/images", "text/celeba-caption") if is_nested else ("image", "text")
    for id in range(num):
        put(folder / f"{image}/{id}.jpg", pictures.encode(noise(id), "jpg"))
        put(folder / f"{text}/{id}.txt", f"she is number {id}\nthe woman wears earrings\n")
        put(folder / f"sketch/{id}.jpg", pictures.encode(noise(id + 100), "jpg"))
        labels = torch.full((1, 32, 32), id % 19, dtype=torch.uint8)
        put(folder / f"label/{id}.png", pictures.encode(labels, "png"))
    first_test = num * 2 // 3
    for split, ids in (("train", range(first_test)), ("test", range(first_test, num))):
        names = [f"{id}" for id in ids]
        put(folder / f"{split}/filenames.pickle", pickle.dumps(names, protocol=2))
    return folder


def write_pictures(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        suffix = name.rsplit(".", 1)[-1].lower().replace("jpeg", "jpg")
        put(folder / name, pictures.encode(noise(number), suffix))
    return folder
