"""Picture files: what is read, what is refused, and that equal pixels give equal bytes."""

import io
import struct
import zlib
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from tedigan.errors import ImageError
from tedigan.store import pictures


def noise(height: int = 24, width: int = 32, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (channels, height, width), generator=generator).to(torch.uint8)


def file_of(picture: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [1, 3])
def test_png_gives_the_same_pixels_back(channels: int) -> None:
    pixels = noise(channels=channels)
    assert torch.equal(pictures.decode(pictures.encode(pixels, "png")), pixels.expand(3, -1, -1))


def test_pillow_writes_the_same_pixels_where_the_fast_encoder_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pixels = noise(21, 18)
    fast = pictures.encode(pixels, "png")
    monkeypatch.setattr(pictures, "fpng", None)
    slow = pictures.encode(pixels, "png")
    assert fast != slow
    assert torch.equal(pictures.decode(fast), pixels)
    assert torch.equal(pictures.decode(slow), pixels)


@pytest.mark.parametrize("image_format", pictures.FORMATS)
def test_equal_pixels_give_equal_bytes(image_format: str) -> None:
    assert pictures.encode(noise(), image_format) == pictures.encode(noise(), image_format)


def test_the_exif_turn_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    content = file_of(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert pictures.decode(content).shape == (3, 40, 20)


def test_transparency_is_put_on_white() -> None:
    content = file_of(Image.new("RGBA", (20, 20), (255, 0, 0, 0)))
    assert int(pictures.decode(content).min()) == 255


def test_cmyk_is_converted() -> None:
    content = file_of(Image.new("CMYK", (20, 20), (0, 255, 255, 0)), "JPEG")
    red, green, blue = pictures.decode(content)[:, 10, 10].tolist()
    assert red > 200
    assert max(green, blue) < 60


def test_a_grey_map_keeps_its_indices() -> None:
    labels = torch.arange(18, dtype=torch.uint8).repeat(18, 1)
    assert torch.equal(pictures.decode_map(pictures.encode(labels[None], "png")), labels)


def deep_png(side: int = 20) -> bytes:
    """RGB of 16 bits a channel, which Pillow cannot write and opens as 8 bits."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 16, 2, 0, 0, 0)
    rows = zlib.compress(side * (b"\0" + b"\x12\x34" * 3 * side))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def damaged_files() -> dict[str, tuple[bytes, str]]:
    jpg = pictures.encode(noise(64, 64), "jpg")
    frames = [Image.new("L", (20, 20), grey) for grey in (0, 200)]
    huge = bytearray(file_of(Image.new("1", (100, 100))))
    huge[16:24] = (10_000).to_bytes(4, "big") * 2  # width and height in the header
    huge[29:33] = zlib.crc32(huge[12:29]).to_bytes(4, "big")
    bomb = bytearray(huge)
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    bomb[29:33] = zlib.crc32(bomb[12:29]).to_bytes(4, "big")
    deep = Image.new("I;16", (20, 20))
    return {
        "truncated": (jpg[: len(jpg) // 2], "Copy it again"),
        "truncated png": (pictures.encode(noise(), "png")[:900], "Copy it again"),
        "no picture": (b"<html>404</html>", "not a picture"),
        "empty": (b"", "not a picture"),
        "animated": (
            file_of(frames[0], "GIF", save_all=True, append_images=frames[1:]),
            "2 frames",
        ),
        "16 bit": (file_of(deep), "Save it as 8-bit RGB"),
        "16 bit colour": (deep_png(), "Save it as 8-bit RGB"),
        "tiny": (file_of(Image.new("RGB", (4, 300))), "at least 16 px"),
        "huge": (bytes(huge), "announces 10000 x 10000"),
        "bomb": (bytes(bomb), "refused.*decompression bomb"),
    }


@pytest.mark.parametrize("kind", damaged_files())
def test_an_unusable_picture_is_refused_with_its_name_and_reason(kind: str) -> None:
    content, reason = damaged_files()[kind]
    with pytest.raises(ImageError, match=reason) as caught:
        pictures.decode(content, name="7.jpg")
    assert "7.jpg" in str(caught.value)


def test_refusals_are_counted_under_a_word_or_two() -> None:
    problems = {}
    for kind, (content, _) in damaged_files().items():
        with pytest.raises(ImageError) as caught:
            pictures.decode(content)
        problems[kind] = caught.value.problem
    assert problems == {
        "truncated": "damaged",
        "truncated png": "damaged",
        "no picture": "not a picture",
        "empty": "empty file",
        "animated": "animated",
        "16 bit": "16-bit",
        "16 bit colour": "16-bit",
        "tiny": "too small",
        "huge": "too large",
        "bomb": "too large",
    }


def test_what_was_changed_to_read_a_picture_is_said() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = file_of(Image.new("CMYK", (40, 20)), "JPEG", exif=exif)
    assert pictures.peculiarities(turned) == ["turned by its EXIF", "CMYK converted to RGB"]
    assert pictures.peculiarities(pictures.encode(noise(), "jpg")) == []


def test_a_wide_picture_is_cut_to_its_centre() -> None:
    pixels = torch.zeros(3, 20, 60, dtype=torch.uint8)
    pixels[:, :, 20:40] = 255
    assert int(pictures.resize(pixels, 20).min()) == 255


def test_resizing_to_the_same_size_changes_nothing() -> None:
    pixels = noise(32, 32)
    assert torch.equal(pictures.resize(pixels, 32), pixels)


def test_a_drawn_label_map_has_no_mixed_colours() -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10"/>'
        '<circle cx="5" cy="5" r="3.3" fill="#cc0000"/></svg>'
    )
    drawn = pictures.rasterise(svg, 64, is_label=True)
    assert set(drawn[0].unique().tolist()) == {0, 204}
    assert len(pictures.rasterise(svg, 64)[0].unique()) > 2


def test_a_grid_is_read_like_a_page() -> None:
    sheet = pictures.grid(torch.arange(3, dtype=torch.uint8).reshape(3, 1, 1, 1), 2)
    assert sheet[0].tolist() == [[0, 255, 255, 1], [255] * 4, [255] * 4, [2, 255, 255, 255]]


def test_saving_names_the_usable_formats(tmp_path: Path) -> None:
    pictures.save(tmp_path / "a.png", noise())
    assert torch.equal(pictures.load(tmp_path / "a.png"), noise())
    with pytest.raises(ImageError, match="use png, jpg, webp"):
        pictures.save(tmp_path / "a.bmp", noise())
    with pytest.raises(ImageError, match="Check its name"):
        pictures.load(tmp_path / "b.png")
