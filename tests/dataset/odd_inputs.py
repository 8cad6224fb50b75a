"""Sources as people really have them, one oddity each: made by code, no photograph of a person.

Each writer fills an empty folder; what it returns is the source. `RIGHT` says what must come of it.
"""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tedigan.store import pictures
from tests.dataset.sources_made import (
    noise,
    put,
    smooth,
    write_celebamask,
    write_multimodal,
    write_pictures,
)

Writer = Callable[[Path], Path]
TEN = "".join(f"caption {word} of ten\n" for word in "a b c d e f g h i j".split())


def file_of(picture: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def photographs(folder: Path) -> Path:
    """Four, which no two of are alike."""
    return write_pictures(folder / "source", ["a.jpg", "b.png", "c.jpg", "d.jpg"])


def release(folder: Path) -> Path:
    """MM-CelebA-HQ with ten captions each."""
    source = write_multimodal(folder / "source", num=9)
    labels = torch.zeros(1, 32, 32, dtype=torch.uint8)
    labels[:, 8:, 8:24] = 1
    for id in range(9):
        put(source / f"text/{id}.txt", f"she is number {id}\n" + TEN.split("\n", 1)[1])
        put(source / f"label/{id}.png", pictures.encode(labels, "png"))
    return source


def tar_of(source: Path, *, extra: Callable[[tarfile.TarFile], None] | None = None) -> Path:
    path = source.with_suffix(".tar")
    with tarfile.open(path, "w") as tar:
        for one in sorted(source.rglob("*")):
            if not one.is_dir() or one.is_symlink():
                tar.add(one, one.relative_to(source).as_posix(), recursive=False)
        if extra is not None:
            extra(tar)
    return path


# What a source lists


def upper_case_suffix(folder: Path) -> Path:
    source = write_celebamask(folder / "source")
    (source / "CelebA-HQ-img/00001.png").rename(source / "CelebA-HQ-img/1.PNG")
    return source


def linked_folder_outside(folder: Path) -> Path:
    source = photographs(folder)
    write_pictures(folder / "elsewhere", ["e.jpg"])
    (source / "more").symlink_to(folder / "elsewhere")
    return source


def linked_layout_outside(folder: Path) -> Path:
    source = write_celebamask(folder / "source")
    (source / "CelebA-HQ-img").rename(folder / "elsewhere")
    (source / "CelebA-HQ-img").symlink_to(folder / "elsewhere")
    return source


def linked_folder_inside(folder: Path) -> Path:
    source = write_celebamask(folder / "source")
    (source / "CelebA-HQ-img").rename(source / "photographs")
    (source / "CelebA-HQ-img").symlink_to("photographs")
    return source


def link_to_a_secret(folder: Path) -> Path:
    source = release(folder)
    put(folder / "secret.txt", TEN)
    (source / "text/7.txt").unlink()
    (source / "text/7.txt").symlink_to(folder / "secret.txt")
    return source


def dangling_link(folder: Path) -> Path:
    source = photographs(folder)
    (source / "e.jpg").symlink_to("nowhere.jpg")
    return source


def link_in_a_circle(folder: Path) -> Path:
    source = photographs(folder)
    (source / "again").symlink_to(".")
    return source


def special_file(folder: Path) -> Path:
    source = photographs(folder)
    os.mkfifo(source / "e.jpg")
    return source


def tar_with_links(folder: Path) -> Path:
    def extra(tar: tarfile.TarFile) -> None:
        for name, kind, target in [
            ("e.jpg", tarfile.SYMTYPE, "a.jpg"),
            ("f.jpg", tarfile.LNKTYPE, "c.jpg"),
            ("g.jpg", tarfile.SYMTYPE, "/etc/hostname"),
            ("h.jpg", tarfile.FIFOTYPE, ""),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            tar.addfile(member)

    return tar_of(photographs(folder), extra=extra)


def tar_of_macos(folder: Path) -> Path:
    source = photographs(folder)
    for name in ("a.jpg", "b.png", "c.jpg", "d.jpg"):
        put(source / f"._{name}", b"\0\5\26\7" + bytes(60))
    put(source / "__MACOSX/._a.jpg", b"\0\5\26\7")
    return tar_of(source)


def table_of_macos(folder: Path) -> Path:
    source = photographs(folder)
    put(source / "photos.csv", "file,Smiling\na,1\nb,0\nc,1\nd,0\n")
    put(source / "._photos.csv", b"\0\5\26\7")
    return tar_of(source)


def photograph_beside_a_png(folder: Path) -> Path:
    source = photographs(folder)
    put(source / "a.png", pictures.encode(smooth(9), "png"))
    return source


def same_stem(folder: Path) -> Path:
    return write_pictures(folder / "source", ["same.jpg", "same.jpeg", "b.png"])


def other_formats(folder: Path) -> Path:
    source = photographs(folder)
    for number, image_format in enumerate(("BMP", "GIF", "TIFF", "AVIF")):
        picture = pictures.to_pillow(smooth(20 + number))
        put(source / f"e.{image_format.lower()}", file_of(picture, image_format))
    return source


def heic(folder: Path) -> Path:
    source = photographs(folder)
    put(source / "e.heic", b"\0\0\0\x18ftypheic" + bytes(99))
    put(source / "f.jpg", b"\0\0\0\x18ftypheic" + bytes(99))
    return source


def number_twice(folder: Path) -> Path:
    source = write_celebamask(folder / "source")
    put(source / "CelebA-HQ-img/0.jpg", pictures.encode(noise(77), "jpg"))
    return source


def not_utf8(folder: Path) -> Path:
    source = photographs(folder)
    path = os.fsencode(source) + b"/\xff\xfe.jpg"
    with open(path, "wb") as file:  # noqa: PTH123 (no Path of such a name)
        file.write(pictures.encode(noise(33), "jpg"))
    return source


# Masks


def with_masks(folder: Path, save: Callable[[Path, np.ndarray], None]) -> Path:
    """CelebAMask-HQ with the lower two thirds skin, saved as somebody saved them."""
    source = write_celebamask(folder / "source")
    mask = np.zeros((64, 64), bool)
    mask[20:, 8:56] = True
    for id in range(6):
        path = source / f"CelebAMask-HQ-mask-anno/0/{id:05d}_skin.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        save(path, mask)
    return source


def masks_of_0_and_1(folder: Path) -> Path:
    return with_masks(folder, lambda path, mask: Image.fromarray(mask.astype("uint8")).save(path))


def masks_of_two_colours(folder: Path) -> Path:
    def save(path: Path, mask: np.ndarray) -> None:
        picture = Image.fromarray(mask.astype("uint8"), "L").convert("P")
        picture.putpalette([0, 0, 0, 255, 255, 255])
        picture.save(path)

    return with_masks(folder, save)


def masks_of_alpha(folder: Path) -> Path:
    def save(path: Path, mask: np.ndarray) -> None:
        white = np.full((64, 64, 4), 255, np.uint8)
        white[..., 3] = mask * 255
        Image.fromarray(white).save(path)

    return with_masks(folder, save)


def masks_that_are_empty(folder: Path) -> Path:
    source = masks_of_0_and_1(folder)
    empty = Image.new("L", (64, 64))
    empty.save(source / "CelebAMask-HQ-mask-anno/0/00003_nose.png")
    return source


# Releases that lack something, or say too much


def image_deleted(folder: Path) -> Path:
    source = release(folder)
    (source / "image/3.jpg").unlink()
    return source


def captions_9(folder: Path) -> Path:
    source = release(folder)
    put(source / "text/3.txt", TEN.split("\n", 1)[1])
    return source


def captions_11(folder: Path) -> Path:
    source = release(folder)
    put(source / "text/3.txt", TEN + "one more\n")
    return source


def caption_ten_times(folder: Path) -> Path:
    source = release(folder)
    put(source / "text/3.txt", "she has black hair\n" * 10)
    return source


def captions_without_a_word(folder: Path) -> Path:
    source = release(folder)
    put(source / "text/3.txt", "".join(f"{number}...\n" for number in range(10)))
    return source


def captions_without_end(folder: Path) -> Path:
    source = release(folder)
    put(source / "text/3.txt", TEN.split("\n", 1)[1] + "hair " * 5000 + "\n")
    return source


def cutout_damaged(folder: Path) -> Path:
    source = release(folder)
    for id in range(9):
        cutout = torch.cat([noise(id), noise(id + 50, channels=1)])
        cutout[3, :8], cutout[3, 8:24] = 0, 255
        put(source / f"cutout/{id}.png", pictures.encode(cutout, "png"))
    path = source / "cutout/3.png"
    put(path, path.read_bytes()[:200])
    return source


def no_list(folder: Path) -> Path:
    source = release(folder)
    for split in ("train", "test"):
        (source / split / "filenames.pickle").unlink()
    return source


def identity_of_23_digits(folder: Path) -> Path:
    source = write_celebamask(folder / "source")
    text = (source / "identity.csv").read_text()
    put(source / "identity.csv", text.replace("1,0,train", f"1,{'9' * 23},train"))
    return source


def own_identity_of_23_digits(folder: Path) -> Path:
    source = photographs(folder)
    rows = f"a,{'9' * 23},1\nb,{'9' * 22}8,0\nc,7,1\nd,7,0\n"
    put(source / "t.csv", "file,identity,Smiling\n" + rows)
    return source


def tiny_photograph(folder: Path) -> Path:
    source = photographs(folder)
    put(source / "e.png", pictures.encode(smooth(5, 16), "png"))
    return source


# Pictures as cameras write them


def second_picture_behind(folder: Path) -> Path:
    source = photographs(folder)
    first, second = (pictures.to_pillow(smooth(number)) for number in (1, 2))
    put(source / "e.jpg", file_of(first, "MPO", save_all=True, append_images=[second]))
    return source


INPUTS: dict[str, Writer] = {
    name: one
    for name, one in list(globals().items())
    if callable(one)
    and getattr(one, "__annotations__", {}) == {"folder": Path, "return": Path}
    and name not in ("photographs", "release")
}

# What must come of each: photographs that are fit, and problem -> how many; or what the refusal says.
RIGHT: dict[str, tuple[int, dict[str, int]] | str] = {
    "upper_case_suffix": (6, {}),
    "linked_folder_outside": (4, {"link": 1}),
    "linked_layout_outside": "no photographs.*CelebA-HQ-img is a link that leads out",
    "linked_folder_inside": (6, {"not read": 6}),
    "link_to_a_secret": (8, {"link": 1, "no captions": 1}),
    "dangling_link": (4, {"link": 1}),
    "link_in_a_circle": (4, {"link": 1}),
    "special_file": (4, {"no file": 1}),
    "tar_with_links": (4, {"exact duplicate": 2, "link": 1, "no file": 1}),
    "tar_of_macos": (4, {"not read": 5}),
    "table_of_macos": (4, {"not read": 1}),
    "photograph_beside_a_png": (5, {}),
    "same_stem": (3, {}),
    "other_formats": (8, {}),
    "heic": (4, {"HEIC": 2}),
    "number_twice": (5, {"twice": 2}),
    "not_utf8": (4, {"name": 1}),
    "masks_of_0_and_1": (6, {}),
    "masks_of_two_colours": (6, {}),
    "masks_of_alpha": (6, {}),
    "masks_that_are_empty": (6, {}),
    "image_deleted": (8, {"no photograph": 4}),
    "captions_9": (8, {"captions": 1}),
    "captions_11": (8, {"captions": 1}),
    "caption_ten_times": (8, {"captions": 1}),
    "captions_without_a_word": (8, {"captions": 1}),
    "captions_without_end": (8, {"captions": 1}),
    "cutout_damaged": (8, {"damaged": 1}),
    "no_list": (9, {"no list": 2}),
    "identity_of_23_digits": "line 3: identity 9+ is not from 0 to",
    "own_identity_of_23_digits": (4, {}),
    "tiny_photograph": (5, {}),
    "second_picture_behind": (5, {}),
}
