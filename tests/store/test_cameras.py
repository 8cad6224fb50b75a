"""Pictures as cameras and phones write them: what a person would see is what is read."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tedigan.captions.lists import Edit
from tedigan.errors import DataError, ImageError
from tedigan.jobs.render_edits import jobs_of
from tedigan.store import pictures
from tedigan.store.photographs import read_photographs
from tests.dataset.sources_made import put, smooth

PICTURE = pictures.to_pillow(smooth(1))
# Display P3 and Adobe RGB (1998): X, Y, Z under D50 of red, green and blue, and their gamma.
SPACES = {
    "Display P3": ([0.5151, 0.2412, -0.0011, 0.2920, 0.6922, 0.0419, 0.1571, 0.0666, 0.7841], 2.2),
    "Adobe RGB": ([0.6097, 0.3111, 0.0195, 0.2053, 0.6257, 0.0609, 0.1492, 0.0632, 0.7446], 2.2),
}


def file_of(picture: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def profile(name: str) -> bytes:
    """A version 2 ICC profile of three primaries and a gamma."""
    primaries, gamma = SPACES[name]
    fixed = lambda *values: b"".join(struct.pack(">i", round(one * 65536)) for one in values)  # noqa: E731
    text = name.encode() + b"\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249),
    }
    for number, colour in enumerate(b"rgb"):
        tags[bytes([colour]) + b"XYZ"] = b"XYZ \0\0\0\0" + fixed(
            *primaries[3 * number : 3 * number + 3]
        )
        tags[bytes([colour]) + b"TRC"] = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for key, content in tags.items():
        table += key + struct.pack(">II", offset + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"none", 0x02100000, b"mntr", b"RGB ", b"XYZ "
    )
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def in_srgb(colour: tuple[int, int, int], name: str) -> np.ndarray:
    """By hand: linear light, XYZ under D50, sRGB."""
    primaries, gamma = SPACES[name]
    linear = (np.array(colour) / 255) ** gamma
    xyz = np.array(primaries).reshape(3, 3).T @ linear
    to_rgb = np.array(
        [[3.1339, -1.6169, -0.4906], [-0.9788, 1.9161, 0.0335], [0.0719, -0.2290, 1.4052]]
    )
    light = np.clip(to_rgb @ xyz, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF", "MPO"])
def test_a_turned_camera_is_turned_back_in_every_format(image_format: str) -> None:
    turn = Image.Transpose
    undone = [None, turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM, turn.TRANSPOSE]
    undone += [turn.ROTATE_270, turn.TRANSVERSE, turn.ROTATE_90]
    picture = pictures.to_pillow(smooth(1)[:, :, :40].contiguous())
    for orientation, how in enumerate(undone, start=1):
        exif = Image.Exif()
        exif[0x0112] = orientation
        more = {"save_all": True, "append_images": [picture]} if image_format == "MPO" else {}
        seen = pictures.decode(file_of(picture, image_format, exif=exif, quality=95, **more))
        right = pictures.from_pillow(picture if how is None else picture.transpose(how))
        assert (seen.float() - right.float()).abs().mean() < 8, orientation


def test_a_picture_behind_the_first_is_not_seen_and_it_is_said() -> None:
    other = pictures.to_pillow(255 - smooth(1))
    content = file_of(PICTURE, "MPO", save_all=True, append_images=[other], quality=95)
    assert (pictures.decode(content).float() - smooth(1).float()).abs().mean() < 8
    assert "first of several pictures" in pictures.peculiarities(content)


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_colours_of_a_profile_are_seen_in_srgb(name: str, mode: str) -> None:
    colour = (200, 120, 60)
    picture = Image.new("RGB", (20, 20), colour)
    picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    content = file_of(picture, "PNG", icc_profile=profile(name))
    seen = pictures.decode(content)[:, 10, 10].numpy().astype(float)
    assert np.abs(seen - in_srgb(colour, name)).max() < 4
    assert np.abs(seen - np.array(colour)).max() > 10
    assert "colour profile converted to sRGB" in pictures.peculiarities(content)


@pytest.mark.parametrize("damaged", [b"no profile", profile("Display P3")[:150], b""])
def test_a_damaged_profile_changes_nothing(damaged: bytes) -> None:
    content = file_of(PICTURE, "PNG", icc_profile=damaged)
    assert torch.equal(pictures.decode(content), smooth(1))
    assert pictures.peculiarities(content) == []


def test_pages_of_a_tiff_are_refused_but_a_small_copy_is_none() -> None:
    with pytest.raises(ImageError, match="2 pages"):
        pictures.decode(file_of(PICTURE, "TIFF", save_all=True, append_images=[PICTURE]))
    preview = file_of(PICTURE, "TIFF", tiffinfo={254: 1})
    with pytest.raises(ImageError, match="small preview"):
        pictures.decode(preview)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_progressive_picture_is_refused(share: float) -> None:
    content = file_of(PICTURE, "JPEG", progressive=True, quality=95)
    with pytest.raises(ImageError, match="Copy it again"):
        pictures.decode(content[: int(share * len(content))])


def test_damaged_exif_is_no_reason_to_refuse() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker" * 5
    content = file_of(PICTURE, "JPEG", exif=exif)
    start = content.find(b"Exif") + 6
    rng = np.random.default_rng(0)
    for _ in range(100):
        changed = bytearray(content)
        for place in rng.integers(0, 60, 3):
            changed[start + place] = rng.integers(256)
        assert pictures.decode(bytes(changed)).shape == (3, 64, 64)


def test_what_only_another_program_reads_is_refused_whatever_its_suffix() -> None:
    heic = b"\0\0\0\x18ftypheic" + bytes(99)
    for content, what in ((heic, "HEIC picture"), (file_of(PICTURE, "EPS"), "not a picture")):
        with pytest.raises(ImageError, match=what):
            pictures.decode(content)


# In a folder of photographs to edit


def test_one_bad_picture_is_set_aside_and_the_others_go_on(tmp_path: Path) -> None:
    for name in ("a.png", "c.png"):
        put(tmp_path / name, pictures.encode(smooth(1), "png"))
    put(tmp_path / "b.jpg", b"")
    put(tmp_path / "c.jpg", pictures.encode(smooth(2), "jpg"))
    put(tmp_path / "._a.png", b"\0")
    found = read_photographs(tmp_path, 32, limit=9)
    assert found.names == ["a", "c"]
    assert [(one.name, one.problem) for one in found.left_out] == [
        ("b.jpg", "empty file"),
        ("c.png", "twice"),
    ]
    edits = [Edit("b", "smiling", 1.0), Edit("*", "bald", 1.0)]
    assert [job.row for job in jobs_of(edits, found.names, set_aside=found.stems_left_out)] == [
        0,
        1,
    ]
    with pytest.raises(DataError, match="'z'"):
        jobs_of([Edit("z", "bald", 1.0)], found.names, set_aside=found.stems_left_out)


def test_a_folder_of_bad_pictures_alone_is_refused_with_the_first_reason(tmp_path: Path) -> None:
    put(tmp_path / "b.jpg", b"")
    with pytest.raises(DataError, match=r"no picture that can be used.*b\.jpg is not a picture"):
        read_photographs(tmp_path, 32, limit=9)
