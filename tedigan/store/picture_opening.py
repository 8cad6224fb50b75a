"""A picture's bytes -> a Pillow picture that may be used: single, whole, of 8 bits and of a usable size."""

import io
import struct
import warnings

from PIL import Image, UnidentifiedImageError

from tedigan.errors import ImageError

MAX_PIXELS = 89_000_000  # a little below Pillow's own warning
MIN_SIDE_PX = 16
_ORIENTATION = 0x0112  # EXIF tag
_OTHER_COLOURS = {"LAB", "HSV"}
_SUBFILE = 254  # TIFF tag; bit 0: a smaller copy of another page
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")  # whatever the suffix says
_HEIC = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"}

_COLOURS = {"RGB", "RGBA", "RGBX", "L", "LA", "P", "PA", "1", "CMYK", "YCbCr"}


def open_picture(content: bytes, name: str) -> Image.Image:
    """A decoded, checked Pillow picture; each way to fail is an ImageError with its reason."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=_FORMATS)
            check_picture(picture, name)
            picture.load()
    except UnidentifiedImageError:
        raise _unidentified(content, name) from None
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"{name} is refused: {error}. Give a picture of a face.", problem="too large"
        ) from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise ImageError(
            f"{name} is damaged: {error}. Copy it again or remove it.", problem="damaged"
        ) from error
    return picture


def _unidentified(content: bytes, name: str) -> ImageError:
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        return ImageError(
            f"{name} is a HEIC picture, which is not read; expected JPEG, PNG, WebP or AVIF. Save it as JPEG.",
            problem="HEIC",
        )
    return ImageError(
        f"{name} is not a picture ({len(content)} bytes beginning {content[:8]!r}); expected "
        "JPEG, PNG or WebP. Replace or remove it.",
        problem="not a picture" if content else "empty file",
    )


def check_picture(picture: Image.Image, name: str) -> None:
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
    if (num_frames := _num_pictures(picture)) > 1:
        is_tiff = picture.format == "TIFF"
        raise ImageError(
            f"{name} has {num_frames} pages; save one of them."
            if is_tiff
            else f"{name} is an animation of {num_frames} frames; save one of them.",
            problem="several pages" if is_tiff else "animated",
        )
    if picture.format == "TIFF" and picture.tag_v2.get(_SUBFILE, 0) & 1:  # type: ignore[attr-defined]
        raise ImageError(
            f"{name} holds a small preview, as a camera's raw file does; expected the picture itself. Develop it "
            "as JPEG.",
            problem="raw",
        )
    if picture.mode not in _COLOURS or _is_deep(picture):
        raise ImageError(
            f"{name} has pixels of mode {picture.mode} (or more than 8 bits); expected RGB or grey with 8 bits a "
            "channel. Save it as 8-bit RGB.",
            problem="colours" if picture.mode in _OTHER_COLOURS else "16-bit",
        )


def _num_pictures(picture: Image.Image) -> int:
    """How many a person would see: a camera's second picture (MPO) is none, nor is a smaller copy of the first."""
    num_frames: int = getattr(picture, "n_frames", 1)
    if picture.format != "TIFF" or num_frames == 1:
        return 1 if picture.format == "MPO" else num_frames
    num_whole = 0
    for page in range(num_frames):
        picture.seek(page)
        num_whole += not picture.tag_v2.get(_SUBFILE, 0) & 1  # type: ignore[attr-defined]
    picture.seek(0)
    return num_whole


def orientation(picture: Image.Image) -> int:
    """How the camera was held, 1 to 8; 1 where EXIF does not say, or is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = picture.getexif().get(_ORIENTATION, 1)
    except (OSError, ValueError, SyntaxError, KeyError, TypeError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def _is_deep(picture: Image.Image) -> bool:
    """Whether the file has 16 bits a channel, of which Pillow would drop the lower 8 in silence."""
    tiles = getattr(picture, "tile", [])
    return any(";16" in str(argument) for *_, argument in tiles)
