"""A training stage's checkpoint: written whole, found again by the digest of what it depends on.

It lies under the workspace's work folder, outside DVC, so that it survives a kill -9 and DVC's removal of
outputs; another digest (other parameters, data or code) never resumes it.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from tedigan.store.files import write_bytes


class CheckpointFile:
    """`<work>/checkpoints/<stage>/<digest>.pt`."""

    def __init__(self, work: Path, stage: str, digest: str) -> None:
        self.path = work / "checkpoints" / stage / f"{digest[:16]}.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Replace the checkpoint in one rename."""
        buffer = io.BytesIO()
        torch.save(state, buffer)
        write_bytes(self.path, buffer.getvalue())

    def load(self) -> dict[str, Any] | None:
        """The last whole checkpoint, or None; a damaged file counts as none. Tensors and plain values only."""
        try:
            state: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        except (FileNotFoundError, RuntimeError, EOFError, pickle.UnpicklingError):
            return None
        return state

    def remove(self) -> None:
        """Forget it, once the stage's outputs are in place; other digests' leftovers go too."""
        for path in self.path.parent.glob("*.pt"):
            path.unlink(missing_ok=True)
