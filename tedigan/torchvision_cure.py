"""Lets PyPI's torchvision be imported beside a CPU build of torch.

torchvision's wheel is a CUDA build: beside a CPU torch its compiled operators cannot load, and the first
`import torchvision` ends in `operator torchvision::nms does not exist`, which takes lpips and parts of
transformers with it. Declaring the two operators that the import looks up is enough; nothing here calls them.
`tedigan/__init__.py` installs this finder, so every process that imports tedigan has it, and torch is
imported only if torchvision is.
"""

import importlib.abc
import importlib.machinery
import sys
from types import ModuleType

_libraries: list[
    object
] = []  # torch.library.Library objects undo their definitions when they are collected


class TorchvisionFinder(importlib.abc.MetaPathFinder):
    """Declares the missing operators when torchvision is first looked for, then steps aside."""

    def find_spec(
        self,
        fullname: str,
        path: object = None,  # noqa: ARG002  (a namespace package's is no Sequence)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        """Return None always: the usual finders load torchvision."""
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            _declare_operators()
        return None


def install() -> None:
    """Put the finder before the others, once per process."""
    if "torchvision" not in sys.modules and not any(
        isinstance(finder, TorchvisionFinder) for finder in sys.meta_path
    ):
        sys.meta_path.insert(0, TorchvisionFinder())


def _declare_operators() -> None:
    import torch

    if torch.version.cuda is not None:
        return
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _libraries.append(library)
