"""A few words inside a picture file that say where it comes from; only PNG has a place for them that all keep."""

import io
import struct
import zlib

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = (
    len(SIGNATURE) + 4 + 4 + 13 + 4
)  # of IHDR, which comes first: length, name, content, checksum


def label(content: bytes, key: str, value: str) -> bytes:
    """The picture with a text of its own (PNG's tEXt; ASCII); another format as it is."""
    if not content.startswith(SIGNATURE):
        return content
    text = b"tEXt" + key.encode("ascii") + b"\x00" + value.encode("ascii")
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return content[:_HEADER_END] + chunk + content[_HEADER_END:]


def label_of(content: bytes, key: str) -> str | None:
    """What `label` wrote; None where there is nothing, or no picture."""
    if not content.startswith(SIGNATURE):
        return None
    try:
        with Image.open(io.BytesIO(content)) as picture:
            found = picture.info.get(key)
    except (OSError, ValueError, SyntaxError):
        return None
    return found if isinstance(found, str) else None
