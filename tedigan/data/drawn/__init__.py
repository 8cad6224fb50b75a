"""Drawn faces: a licence-clean source of portraits with exact masks and attributes; pure, no files."""

from tedigan.data.drawn.attributes import ATTRIBUTE_NAMES
from tedigan.data.drawn.canvas import LABEL_COLOURS
from tedigan.data.drawn.face import DrawnFace, draw_face

__all__ = ["ATTRIBUTE_NAMES", "LABEL_COLOURS", "DrawnFace", "draw_face"]
