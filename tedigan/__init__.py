"""TediGAN: text, photographs, sketches and label maps in StyleGAN's W+ space, as a batch platform."""

import importlib
import os
from typing import Any

# Weights come from given paths or installed packages, never from a hub at run time.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

__version__ = "0.1.0"

from tedigan import allocator, torchvision_cure

torchvision_cure.install()
allocator.keep_large_blocks()

_OFFERED = {
    "Model": "notebook",
    "interpolate": "codes",
    "load": "notebook",
    "load_ws": "codes",
    "mix": "codes",
    "save_ws": "codes",
    "sheet": "notebook",
}
__all__ = [*_OFFERED, "__version__"]


def __getattr__(name: str) -> Any:
    """The notebook's names, imported when they are first used: `import tedigan` alone brings no torch."""
    if name in _OFFERED:
        return getattr(importlib.import_module(f"tedigan.{_OFFERED[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """So that a notebook completes them."""
    return sorted({*globals(), *__all__})
