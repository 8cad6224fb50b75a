"""Picture files and drawings <-> uint8 pixels `[3, h, w]` RGB, always by the same bytes.

A grey picture such as a sketch is `[1, h, w]`, a label map `[h, w]`. Coloured PNGs are written by fpng where it is
installed (lossless, many times faster than Pillow at a tenth to a fifth more bytes), else by Pillow.
"""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from tedigan.errors import ImageError
from tedigan.store.files import write_bytes

try:
    import fpng
except ImportError:  # it has wheels for common processors only
    fpng = None

MAX_PIXELS = 89_000_000  # a little below Pillow's own warning
MIN_SIDE_PX = 16
_ORIENTATION = 0x0112  # EXIF tag

_COLOURS = {"RGB", "RGBA", "RGBX", "L", "LA", "P", "PA", "1", "CMYK", "YCbCr"}
_ENCODINGS: dict[str, dict[str, object]] = {
    "png": {"format": "PNG", "compress_level": 6},
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    "webp": {"format": "WEBP", "quality": 95, "method": 4},
}
FORMATS = tuple(_ENCODINGS)


def decode(content: bytes, *, name: str = "picture") -> UInt8[Tensor, "3 h w"]:
    """The pixels of a picture file as a person sees it: turned by its EXIF, transparency on white.

    CMYK is converted; animations, 16-bit and float pictures, damaged files and extreme sizes are refused.
    """
    return _seen(_open(content, name))


def from_pillow(picture: Image.Image) -> UInt8[Tensor, "3 h w"]:
    """A Pillow picture's pixels, by the same rules."""
    try:
        _check(picture, "picture")
        return _seen(picture)
    except (OSError, ValueError, AttributeError) as error:
        raise ImageError(
            f"the picture cannot be read: {error}. Give a whole Pillow picture, or a path.",
            problem="damaged",
        ) from error


def to_pillow(pixels: UInt8[Tensor, "c h w"]) -> Image.Image:
    """The same pixels as a Pillow picture. c: 1 (grey), 3, or 4 with transparency."""
    array = pixels.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def decode_map(content: bytes, *, name: str = "map") -> UInt8[Tensor, "*c h w"]:
    """`[h, w]` indices of a grey or palette picture, or `[3, h, w]` pixels of a coloured one."""
    picture = _open(content, name)
    if picture.mode == "1":
        picture = picture.convert("L")
    return _to_tensor(picture if picture.mode in {"L", "P"} else picture.convert("RGB"))


def decode_cutout(content: bytes, *, name: str = "cut-out") -> UInt8[Tensor, "4 h w"]:
    """The colours and the alpha of a picture with transparency."""
    return _to_tensor(_open(content, name).convert("RGBA"))


def peculiarities(content: bytes) -> list[str]:
    """What `decode` does to a good picture beyond reading it, in words: for the data card."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(content))
    is_turned = picture.getexif().get(_ORIENTATION, 1) != 1
    found = {
        "turned by its EXIF": is_turned,
        "transparency put on white": picture.has_transparency_data,
        f"{picture.mode} converted to RGB": picture.mode in {"CMYK", "YCbCr", "L", "1", "P"},
    }
    return [words for words, is_so in found.items() if is_so]


def png_encoder(pixels: UInt8[Tensor, "c h w"], image_format: str) -> str:
    """fpng for a coloured PNG where it is installed, else Pillow."""
    is_coloured_png = image_format == "png" and len(pixels) == 3
    return "fpng" if is_coloured_png and fpng is not None else "pillow"


def encode(pixels: UInt8[Tensor, "c h w"], image_format: str) -> bytes:
    """A picture file without metadata: png and equal pixels give equal bytes.

    c: 1 (grey), 3, or 4 with transparency, which jpg has not.
    """
    if png_encoder(pixels, image_format) == "fpng":
        encoded: bytes = fpng.from_ndarray(pixels.permute(1, 2, 0).contiguous().numpy())
        return encoded
    buffer = io.BytesIO()
    to_pillow(pixels).save(buffer, **_ENCODINGS[image_format])  # type: ignore[arg-type]
    return buffer.getvalue()


def save(path: Path, pixels: UInt8[Tensor, "c h w"]) -> None:
    """Write a picture file whole; its suffix names the format."""
    image_format = path.suffix.lstrip(".").replace("jpeg", "jpg")
    if image_format not in _ENCODINGS:
        raise ImageError(f"{path.name}: cannot write {path.suffix!r}; use {', '.join(FORMATS)}.")
    write_bytes(path, encode(pixels, image_format))


def load(path: Path) -> UInt8[Tensor, "3 h w"]:
    """Read and decode a picture file."""
    try:
        return decode(path.read_bytes(), name=path.name)
    except OSError as error:
        raise ImageError(f"{path} cannot be read: {error}. Check its name and rights.") from error


def any_picture(picture: Image.Image | str | Path) -> UInt8[Tensor, "3 h w"]:
    """The pixels of a Pillow picture or of a file."""
    return from_pillow(picture) if isinstance(picture, Image.Image) else load(Path(picture))


def resize(pixels: UInt8[Tensor, "c h w"], size_px: int) -> UInt8[Tensor, "c size size"]:
    """Lanczos to `size_px` x `size_px`, from the centre square if it is not square already."""
    height, width = pixels.shape[1:]
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    if (height, width) == (size_px, size_px):
        return pixels
    small = to_pillow(pixels).resize(
        (size_px, size_px), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
    )
    tensor = _to_tensor(small)
    return tensor if tensor.ndim == 3 else tensor[None]


def resize_to_height(
    pixels: UInt8[Tensor, "3 h w"], height_px: int
) -> UInt8[Tensor, "3 height width"]:
    """Lanczos to a height; the width follows."""
    height, width = pixels.shape[1:]
    size = (round(width * height_px / height), height_px)
    return _to_tensor(to_pillow(pixels).resize(size, Image.Resampling.LANCZOS))


def rasterise(svg: str, size_px: int, *, is_label: bool = False) -> UInt8[Tensor, "3 size size"]:
    """Draw an SVG on `size_px` x `size_px`; a label map without antialiasing, so that no colour mixes."""
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=size_px,
        height=size_px,
        shape_rendering="crisp_edges" if is_label else "geometric_precision",
        skip_system_fonts=True,
    )
    return decode(bytes(png), name="drawing")


def grid(pixels: UInt8[Tensor, "n c h w"], columns: int) -> UInt8[Tensor, "c height width"]:
    """A contact sheet in reading order, with white gaps of 2 px; empty places are white."""
    num, channels, height, width = pixels.shape
    rows = -(-num // columns)
    sheet = torch.full(
        (channels, rows * (height + 2) - 2, columns * (width + 2) - 2), 255, dtype=torch.uint8
    )
    for index, picture in enumerate(pixels):
        top, left = index // columns * (height + 2), index % columns * (width + 2)
        sheet[:, top : top + height, left : left + width] = picture
    return sheet


def _open(content: bytes, name: str) -> Image.Image:
    """A decoded, checked Pillow picture; each way to fail is an ImageError with its reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
        _check(picture, name)
        picture.load()
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not a picture ({len(content)} bytes beginning {content[:8]!r}); expected "
            "JPEG, PNG or WebP. Replace or remove it.",
            problem="not a picture" if content else "empty file",
        ) from None
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name} is refused: {error}. Give a picture of a face.", problem="too large"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(
            f"{name} is damaged: {error}. Copy it again or remove it.", problem="damaged"
        ) from error
    return picture


def _check(picture: Image.Image, name: str) -> None:
    """Refuse, before decoding, what is no single 8-bit picture of a usable size."""
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} announces {width} x {height} px; at most {MAX_PIXELS} px are decoded. "
            "Give a smaller copy.",
            problem="too large",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise ImageError(
            f"{name} has {width} x {height} px; a face needs at least {MIN_SIDE_PX} px a side. "
            "Give the original photograph.",
            problem="too small",
        )
    if getattr(picture, "n_frames", 1) > 1:
        raise ImageError(
            f"{name} is an animation of {picture.n_frames} frames; save one of them.",  # type: ignore[attr-defined]
            problem="animated",
        )
    if picture.mode not in _COLOURS or _is_deep(picture):
        raise ImageError(
            f"{name} has pixels of mode {picture.mode} (or more than 8 bits); expected RGB or grey with 8 bits a "
            "channel. Save it as 8-bit RGB.",
            problem="16-bit",
        )


def _seen(picture: Image.Image) -> UInt8[Tensor, "3 h w"]:
    """The pixels as a person sees them: turned by its EXIF, transparency on white."""
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = Image.alpha_composite(
            Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")
        )
    return _to_tensor(picture.convert("RGB"))


def _is_deep(picture: Image.Image) -> bool:
    """Whether the file has 16 bits a channel, of which Pillow would drop the lower 8 in silence."""
    tiles = getattr(picture, "tile", [])
    return any(";16" in str(argument) for *_, argument in tiles)


def _to_tensor(picture: Image.Image) -> UInt8[Tensor, "*c h w"]:
    """`[h, w]` of a one-channel picture, else `[c, h, w]`."""
    tensor = torch.from_numpy(np.array(picture))
    return tensor.permute(2, 0, 1).contiguous() if tensor.ndim == 3 else tensor
