"""Drawn faces: a licence-clean source of portraits with exact masks and attributes; pure, no files."""

from tedigan.drawn.face import DrawnFace, describe_face, draw_face
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import LABEL_PALETTE as LABEL_COLOURS

__all__ = ["ATTRIBUTE_NAMES", "LABEL_COLOURS", "DrawnFace", "describe_face", "draw_face"]
