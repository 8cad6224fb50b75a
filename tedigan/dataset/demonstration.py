"""Which parts of a data set are a demonstration: made by this platform or a model, where others have a person's.

A demonstration shows that the pipeline works. What is trained on it learns what our tools see, and figures that
are measured against it say how far two tools agree.
"""

from collections.abc import Mapping
from typing import Any

from tedigan.dataset.records import CUT_OUT, FROM_SOURCE, SKETCHED

DRAWN = "drawn"


def demonstrations(description: Mapping[str, Any]) -> dict[str, str]:
    """Kind (or `attributes`) -> why it is one, of those that are. description: what dataset.json holds."""
    origin = description["origin"]
    found = {kind: _why(kind, made, origin) for kind, made in origin.items()}
    return {kind: why for kind, why in found.items() if why}


def _why(kind: str, made: str, origin: Mapping[str, str]) -> str:
    """Empty where it is none."""
    if made in (FROM_SOURCE, DRAWN):
        return "drawn by this project, no photograph" if (kind, made) == ("image", DRAWN) else ""
    if made == SKETCHED:
        return "strokes that our own sketcher found in the image; nobody drew them"
    if made == CUT_OUT and origin.get("label") in (FROM_SOURCE, DRAWN):
        return ""
    if made == CUT_OUT:
        return f"cut out along label maps {origin.get('label', 'of unknown origin')}"
    return f"{made}; nobody looked at them" if "predicted" in made or "made from" in made else ""
