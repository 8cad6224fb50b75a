"""Photograph files that are wrong in one way each, and some that only look so."""

import io
import struct
import zlib

import torch
from PIL import Image
from torch import Tensor

from tedigan.store import pictures


def file_of(picture: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=image_format, **options)
    return buffer.getvalue()


def png(width: int, height: int, *, bits: int, colour: int, row: bytes) -> bytes:
    """A PNG of equal rows, in any of the format's kinds of pixel. colour: 0 grey, 2 RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(1)
    packed = b"".join(packer.compress(b"\0" + row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def as_picture(pixels: Tensor) -> Image.Image:
    return Image.fromarray(pixels.permute(1, 2, 0).contiguous().numpy())


def damaged(pixels: Tensor) -> dict[str, tuple[str, bytes]]:
    """problem -> (suffix, content) of photographs that must be set aside."""
    jpg, picture = pictures.encode(pixels, "jpg"), as_picture(pixels)
    other = as_picture(255 - pixels)
    animation = file_of(picture, "WEBP", save_all=True, append_images=[other])
    return {
        "damaged": ("jpg", jpg[: len(jpg) // 2]),
        "empty file": ("jpg", b""),
        "16-bit": ("png", png(32, 32, bits=16, colour=2, row=b"\x12\x34" * 96)),
        "animated": ("webp", animation),
        "too large": ("png", png(30_000, 30_000, bits=1, colour=0, row=bytes(3750))),
        "not a picture": ("jpg", b"She has wavy hair.\n" * 20),
        "too small": ("png", pictures.encode(pixels[:, :8, :8], "png")),
    }


def unusual(pixels: Tensor) -> dict[str, tuple[str, bytes]]:
    """note -> (suffix, content) of photographs that are read as a person would see them."""
    picture = as_picture(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    transparent = torch.cat([pixels, torch.full_like(pixels[:1], 200)])
    return {
        "CMYK converted to RGB": ("jpg", file_of(picture.convert("CMYK"), "JPEG", quality=95)),
        "turned by its EXIF": ("jpg", file_of(picture, "JPEG", quality=95, exif=exif)),
        "transparency put on white": ("png", pictures.encode(transparent, "png")),
        "L converted to RGB": ("png", file_of(picture.convert("L"))),
    }
