"""Foreign checkpoints -> our networks' tensors. Each dialect is one module; `read_foreign` finds the right one."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tedigan.errors import WeightsError
from tedigan.foreign.dialects import (
    genforce_stylegan1,
    genforce_stylegan2,
    idinvert_encoder,
    psp_and_e4e,
    rosinality,
    tedigan_base,
)
from tedigan.foreign.dialects.foreign import ForeignModel
from tedigan.foreign.dialects.nvidia_ada import read_pickle
from tedigan.foreign.dialects.told import Told, complete
from tedigan.foreign.dialects.wrapped import WrappedFile
from tedigan.foreign.pickles.torch_files import is_zip, read_torch_file

__all__ = ["NETWORKS", "NOTHING", "OF_TORCH", "ForeignModel", "Told", "read_foreign"]

NETWORKS = ("G_ema", "G", "D")
NOTHING = Told()

OF_TORCH = (
    tedigan_base,
    idinvert_encoder,
    genforce_stylegan1,
    genforce_stylegan2,
    psp_and_e4e,
    rosinality,
)
_KNOWN = (
    "NVIDIA's .pkl, rosinality's .pt, genforce's .pth, TediGAN's (idinvert's) generator and encoder, pSp's and "
    "e4e's .pt"
)


def read_foreign(
    path: Path, told: Told = NOTHING, only: Collection[str] = NETWORKS
) -> list[ForeignModel]:
    """The models of a file: a generator, an encoder, or (pSp, e4e) an encoder and its generator.

    A .pkl is NVIDIA's, unless it is a zip file; other files are torch.save's, and the names of their tensors say
    whose. Nothing of the file is executed. told: what it cannot tell. only: of a generator's networks.

    Raises WeightsError for an unknown, damaged or hostile file, KeysError for a tensor that is missing, left over
    or of another shape.
    """
    models = _read(path, only, told)
    if told.given.keys() - {name for model in models for name in model.unsaid}:
        return [complete(model, told, path.name) for model in models]  # which refuses it
    return [complete(one, told.of(one.unsaid), path.name) for one in models]


def _read(path: Path, only: Collection[str], told: Told) -> list[ForeignModel]:
    if path.suffix == ".pkl" and not is_zip(path):
        return read_pickle(path, only)
    checkpoint = WrappedFile(read_torch_file(path), only)
    for dialect in OF_TORCH:
        if dialect.recognises(checkpoint):
            found: list[ForeignModel] = (
                psp_and_e4e.translate(checkpoint, told.encoder_type, told.start_from_latent_avg)
                if dialect is psp_and_e4e
                else dialect.translate(checkpoint)
            )
            return [one if "encoder" in one.networks else _some_of(one, only) for one in found]
    names = ", ".join(list(checkpoint.content)[:6]) or "nothing"
    raise WeightsError(
        f"{path.name} is of no known dialect: it begins with {names[:200]}; expected {_KNOWN}. Choose such a "
        "file, or save the network's state_dict() under one of these names."
    )


def _some_of(model: ForeignModel, only: Collection[str]) -> ForeignModel:
    networks = {name: tensors for name, tensors in model.networks.items() if name in only}
    return replace(model, networks=networks)
