"""Foreign checkpoints -> our networks' tensors. Each dialect is one module; `read_foreign` finds the right one."""

from pathlib import Path

from tedigan.errors import WeightsError
from tedigan.foreign.dialects import (
    genforce_stylegan1,
    genforce_stylegan2,
    idinvert_encoder,
    psp,
    rosinality,
    tedigan_base,
)
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.foreign.dialects.nvidia_ada import read_pickle
from tedigan.foreign.pickles.torch_files import read_torch_file

__all__ = ["OF_TORCH", "ForeignModel", "read_foreign"]

OF_TORCH = (
    tedigan_base,
    idinvert_encoder,
    genforce_stylegan1,
    genforce_stylegan2,
    psp,
    rosinality,
)
_KNOWN = (
    "NVIDIA's .pkl, rosinality's .pt, genforce's .pth, TediGAN's (idinvert's) generator and encoder, pSp's and "
    "e4e's .pt"
)


def read_foreign(path: Path) -> list[ForeignModel]:
    """The models of a file: a generator, an encoder, or (pSp, e4e) an encoder and its generator.

    A .pkl is NVIDIA's; other files are torch.save's, and the names of their tensors say whose. Nothing of
    the file is executed. Raises WeightsError for an unknown, damaged or hostile file, KeysError for a
    tensor that is missing, left over or of another shape.
    """
    if path.suffix == ".pkl":
        return read_pickle(path)
    checkpoint = read_torch_file(path)
    for dialect in OF_TORCH:
        if dialect.recognises(checkpoint):
            return dialect.translate(checkpoint)
    names = ", ".join(list(checkpoint.content)[:6]) or "nothing"
    raise WeightsError(
        f"{path.name} is of no known dialect: it begins with {names[:200]}; expected {_KNOWN}. Choose such a "
        "file, or save the network's state_dict() under one of these names."
    )
