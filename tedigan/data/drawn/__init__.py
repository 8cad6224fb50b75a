"""Drawn faces: a licence-clean source of portraits with exact masks and attributes; pure, no files."""

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.data.drawn.face import DrawnFace, describe_face, draw_face
from tedigan.data.labels import LABEL_PALETTE as LABEL_COLOURS

__all__ = ["ATTRIBUTE_NAMES", "LABEL_COLOURS", "DrawnFace", "describe_face", "draw_face"]
