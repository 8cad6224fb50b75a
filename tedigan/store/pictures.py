"""Picture files and drawings <-> uint8 pixels `[3, h, w]` RGB, always by the same bytes.

A grey picture such as a sketch is `[1, h, w]`, a label map `[h, w]`. Coloured PNGs are written by fpng where it is
installed (lossless, many times faster than Pillow at a tenth to a fifth more bytes), else by Pillow.
"""

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from tedigan.errors import ImageError
from tedigan.store.colour_profiles import is_converted, to_srgb
from tedigan.store.files import write_bytes
from tedigan.store.picture_opening import check_picture, open_picture, orientation

try:
    import fpng
except ImportError:  # it has wheels for common processors only
    fpng = None

SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".webp",
        ".avif",
        ".bmp",
        ".gif",
        ".tif",
        ".tiff",
    }
)  # of photographs, in any case
_ENCODINGS: dict[str, dict[str, object]] = {
    "png": {"format": "PNG", "compress_level": 6},
    "jpg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    "webp": {"format": "WEBP", "quality": 95, "method": 4},
}
FORMATS = tuple(_ENCODINGS)
_TURNS = dict(
    zip(
        range(2, 9),
        (
            Image.Transpose.FLIP_LEFT_RIGHT,
            Image.Transpose.ROTATE_180,
            Image.Transpose.FLIP_TOP_BOTTOM,
            Image.Transpose.TRANSPOSE,
            Image.Transpose.ROTATE_270,
            Image.Transpose.TRANSVERSE,
            Image.Transpose.ROTATE_90,
        ),
        strict=True,
    )
)  # EXIF's orientation -> what undoes it
_EXACT = {"PNG", "BMP", "GIF", "TIFF"}


def decode(content: bytes, *, name: str = "picture") -> UInt8[Tensor, "3 h w"]:
    """The pixels of a picture file as a person sees it: turned by its EXIF, in sRGB, transparency on white.

    Of a camera's file with further pictures behind the first (MPO) the first is seen. Animations, several pages,
    16-bit and float pictures, damaged files and extreme sizes are refused.
    """
    return _seen(open_picture(content, name))


def from_pillow(picture: Image.Image) -> UInt8[Tensor, "3 h w"]:
    """A Pillow picture's pixels, by the same rules."""
    try:
        check_picture(picture, "picture")
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
    picture = open_picture(content, name)
    if picture.mode == "1":
        picture = picture.convert("L")
    return _to_tensor(picture if picture.mode in {"L", "P"} else picture.convert("RGB"))


@dataclass(frozen=True)
class Layers:
    """A picture that means numbers: its colours with their alpha, and the numbers themselves where it has them.

    values: of a grey or a palette picture. is_exact: whether its format keeps every pixel as it was.
    """

    mode: str
    rgba: UInt8[Tensor, "4 h w"]
    values: UInt8[Tensor, "h w"] | None
    is_exact: bool


def decode_layers(content: bytes, *, name: str = "map") -> Layers:
    """All that a map may be told by; nothing is turned or put on paper."""
    picture = open_picture(content, name)
    values = None
    if picture.mode in {"L", "P"}:
        values = _to_tensor(picture)
    elif picture.mode in {"LA", "PA"}:
        values = _to_tensor(picture.getchannel(0))
    rgba = _to_tensor(picture.convert("RGBA"))
    return Layers(picture.mode, rgba, values, picture.format in _EXACT)


def decode_cutout(content: bytes, *, name: str = "cut-out") -> UInt8[Tensor, "4 h w"]:
    """The colours and the alpha of a picture with transparency."""
    return _to_tensor(open_picture(content, name).convert("RGBA"))


def peculiarities(content: bytes) -> list[str]:
    """What `decode` does to a good picture beyond reading it, in words: for the data card."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = Image.open(io.BytesIO(content))
    is_turned = orientation(picture) != 1
    found = {
        "turned by its EXIF": is_turned,
        "first of several pictures": picture.format == "MPO",
        "colour profile converted to sRGB": is_converted(picture),
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


def _seen(picture: Image.Image) -> UInt8[Tensor, "3 h w"]:
    """The pixels as a person sees them: turned by its EXIF, transparency on white."""
    if (turn := _TURNS.get(orientation(picture))) is not None:
        picture = picture.transpose(turn)
    picture = to_srgb(picture)
    if picture.has_transparency_data:
        picture = Image.alpha_composite(
            Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")
        )
    return _to_tensor(picture.convert("RGB"))


def _to_tensor(picture: Image.Image) -> UInt8[Tensor, "*c h w"]:
    """`[h, w]` of a one-channel picture, else `[c, h, w]`."""
    tensor = torch.from_numpy(np.array(picture))
    return tensor.permute(2, 0, 1).contiguous() if tensor.ndim == 3 else tensor
