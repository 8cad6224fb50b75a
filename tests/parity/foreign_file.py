"""Foreign checkpoints for tests: written as their authors write them, read as this program reads them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tedigan.foreign.pickles.torch_files import TorchFile, read_torch_file


def foreign_file(folder: Path, content: Mapping[str, Any], name: str = "theirs.pt") -> TorchFile:
    """Write with torch.save, read as data."""
    torch.save(dict(content), folder / name)
    return read_torch_file(folder / name)
