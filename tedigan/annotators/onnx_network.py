"""ONNX networks of other people, by path. They are data: no code of theirs is run, no other file is read.

onnxruntime is the extra `onnx`; it is imported when a network is first used.
"""

import hashlib
import importlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from tedigan.errors import WeightsError


@dataclass(frozen=True)
class OnnxNetwork:
    """A network with one picture as its input. The session is opened once a process, so it can be handed on."""

    path: Path

    def __call__(self, picture: Float32[np.ndarray, "1 c h w"]) -> Float32[np.ndarray, "1 d h2 w2"]:
        """The network's first output."""
        session = _session(self.path)[0]
        try:
            output: np.ndarray = session.run(None, {session.get_inputs()[0].name: picture})[0]
        except Exception as error:  # onnxruntime raises classes of its own, and hides them
            raise WeightsError(
                f"{self.path.name} does not take a picture of {list(picture.shape)}: {error}. "
                "Is it another network, or exported for another size?"
            ) from error
        if output.ndim != 4 or output.dtype != np.float32:
            raise WeightsError(
                f"{self.path.name} gives {output.dtype} {list(output.shape)}; expected float32 planes "
                "[1, d, h, w]. Is it another network?"
            )
        return output

    @property
    def input_side_px(self) -> int | None:
        """The height that it was exported for; None if it takes any."""
        height = _session(self.path)[0].get_inputs()[0].shape[2]
        return height if isinstance(height, int) else None

    @property
    def origin(self) -> str:
        """Its file name and the first digits of its sha256."""
        return f"{self.path.stem} {_session(self.path)[1][:12]}"


@lru_cache(maxsize=4)
def _session(path: Path) -> tuple[Any, str]:
    """(session, sha256). Given as bytes, so that weights in a second file beside it are not looked for."""
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise WeightsError(
            f"{path.name} needs onnxruntime, which is not usable here ({error}). Run "
            "`pip install 'tedigan[onnx]'`."
        ) from error
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read: {error}. Give the path of an .onnx file."
        ) from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 4
    try:
        session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise WeightsError(
            f"{path} is not a whole ONNX network: {error}. Copy it again; its weights must be inside."
        ) from error
    if len(session.get_inputs()) != 1 or len(session.get_inputs()[0].shape) != 4:
        raise WeightsError(
            f"{path.name} takes {[(i.name, i.shape) for i in session.get_inputs()]}; expected one picture "
            "[1, c, h, w]. Is it another network?"
        )
    return session, hashlib.sha256(content).hexdigest()
