"""NumPy's .npy files: one array each, read without pickles."""

import io
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tedigan.errors import StoreError
from tedigan.store.files import write_bytes


def write_npy(path: Path, tensor: Tensor) -> None:
    """Write one tensor, whole or not at all."""
    buffer = io.BytesIO()
    np.save(buffer, tensor.detach().cpu().numpy(), allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def read_npy(path: Path) -> Tensor:
    """Read one array of numbers; an array of objects is refused."""
    try:
        array = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
        return torch.from_numpy(np.ascontiguousarray(array))
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise StoreError(
            f"{path} is no .npy of numbers; expected what numpy.save writes of one array. Save it so."
        ) from error
