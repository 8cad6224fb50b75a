"""Pictures whose numbers mean other colours than sRGB's, by their ICC profile: Display P3, Adobe RGB, CMYK."""

import io
from functools import lru_cache

from PIL import Image, ImageCms

_SPACES = {
    "RGB": "RGB",
    "RGBX": "RGB",
    "CMYK": "CMYK",
    "L": "GRAY",
}  # mode -> the profile's colour space
_OPAQUE = {"RGBA": "RGB", "LA": "L", "PA": "RGB", "P": "RGB", "1": "L"}
_SRGB = "sRGB"  # in the description of those that ask for nothing


def to_srgb(picture: Image.Image) -> Image.Image:
    """The picture in sRGB, with its alpha; as it is without a profile, or with one that does not fit it."""
    profile = picture.info.get("icc_profile")
    mode = _OPAQUE.get(picture.mode, picture.mode)
    if not profile or mode not in _SPACES or (transform := _transform(profile, mode)) is None:
        return picture
    with_alpha = picture.convert("RGBA") if picture.has_transparency_data else None
    seen = transform.apply(picture.convert(mode))
    if with_alpha is not None:
        seen.putalpha(with_alpha.getchannel("A"))
    return seen


def is_converted(picture: Image.Image) -> bool:
    """Whether `to_srgb` changes its colours."""
    profile = picture.info.get("icc_profile")
    mode = _OPAQUE.get(picture.mode, picture.mode)
    return bool(profile) and mode in _SPACES and _transform(profile, mode) is not None


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None where there is nothing to do, or nothing that can be done."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = found.profile.xcolor_space.strip()
        if space != _SPACES[mode] or _SRGB in (found.profile.profile_description or ""):
            return None
        return ImageCms.buildTransform(found, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
