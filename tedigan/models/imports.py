"""Ready-made models -> our networks: a model folder of ours, or an official file read as data."""

from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tedigan.encoders.adopted import OFFICIAL_ENCODERS, official_encoder
from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.encoders.psp import PyramidEncoder
from tedigan.errors import WeightsError
from tedigan.foreign.dialects import (
    NETWORKS as NETWORKS,
)
from tedigan.foreign.dialects import (
    NOTHING,
    ForeignModel,
    read_foreign,
)
from tedigan.foreign.dialects import (
    Told as Told,
)
from tedigan.foreign.dialects.foreign import may_be_left_out
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.model_configs import check_config
from tedigan.models.cards import imported_card
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import fill, load_into, read_config, save_model

GENERATORS = ("stylegan2", "stylegan1")

Config = dict[str, Any]


@dataclass(frozen=True)
class FoundModel:
    """A model read from a folder or a foreign file.

    config: config.json without `training`. networks: filled, on the CPU. history: what is known of their making.
    """

    config: Config
    networks: dict[str, nn.Module]
    history: dict[str, Any]


def read_generator(path: Path) -> FoundModel:
    """G_ema and, where there are such, G and D of a model folder or an official file.

    Raises WeightsError for what is missing, damaged, hostile, or no unconditional StyleGAN.
    """
    found = [model for model in read_models(path) if is_generator(model.config)]
    return _only(path, found, "a generator")


def read_generator_config(path: Path) -> GeneratorConfig:
    """The numbers of a generator folder or an official file."""
    config = read_config(path) if path.is_dir() else read_generator(path).config
    return GeneratorConfig.from_json(config)


def read_encoder(path: Path) -> tuple[IdinvertEncoder | PyramidEncoder, dict[str, Any]]:
    """An official encoder, and what is known of its making; from the folder of its import or its file."""
    encoders = [model for model in read_models(path) if not is_generator(model.config)]
    found = _only(path, encoders, "an encoder of TediGAN (idinvert), pSp or e4e")
    network = found.networks["encoder"]
    assert isinstance(network, IdinvertEncoder | PyramidEncoder), "official_encoder builds these"
    return network, found.history


def read_models(
    path: Path, told: Told = NOTHING, only: Collection[str] = NETWORKS
) -> list[FoundModel]:
    """All the models of a folder or an official file. told, only: see `read_foreign`."""
    if path.is_dir():
        return [_read_folder(path)]
    models = read_foreign(
        path, told, only
    )  # first, as it refuses what is no file, or too large to be hashed
    digest = sha256_file(path)
    return [_filled(model, path, digest) for model in models]


def import_models(
    path: Path,
    folder: Path,
    *,
    licence: str,
    told: Told = NOTHING,
    only: Collection[str] = NETWORKS,
) -> list[Path]:
    """Write the models of an official file as model folders, all or none; returns the folders.

    One model is `folder` itself, two (pSp, e4e) are its `encoder` and `generator`.
    """
    if path.is_dir():
        raise WeightsError(
            f"{path} is a folder, expected an official file. A model folder needs no import: name it as it is."
        )
    if folder.exists():
        raise WeightsError(f"{folder} exists; expected a new folder. Name another, or remove it.")
    models = read_models(path, told, only)
    names = ["generator" if is_generator(model.config) else "encoder" for model in models]
    places = [Path()] if len(models) == 1 else [Path(name) for name in names]
    with finished_folder(folder) as fresh:
        for place, model in zip(places, models, strict=True):
            config = model.config | {"training": model.history | {"licence": licence}}
            save_model(fresh / place, model.networks, config, imported_card(config))
    return [folder / place for place in places]


def _own(tensor: Tensor, seen: set[int]) -> Tensor:
    """Memory that no other network has: two that learn are never one."""
    place = tensor.untyped_storage().data_ptr()
    if place in seen or not tensor.is_contiguous():
        tensor = tensor.clone(memory_format=torch.contiguous_format)
    seen.add(tensor.untyped_storage().data_ptr())
    return tensor


def generator_networks(config: Config) -> dict[str, nn.Module]:
    """What a generator's folder may hold, not yet filled."""
    parsed = GeneratorConfig.from_json(config)
    return {"G_ema": Generator(parsed), "G": Generator(parsed), "D": Discriminator(parsed)}


def is_generator(config: Config) -> bool:
    """A StyleGAN, and not an encoder."""
    return str(config["architecture"]).lower().startswith(GENERATORS)


def _only(path: Path, found: list[FoundModel], what: str) -> FoundModel:
    if not found:
        raise WeightsError(f"{path} does not hold {what}, which is expected here. Name another.")
    return found[0]


def _read_folder(folder: Path) -> FoundModel:
    source = read_config(folder)
    there = {path.stem for path in folder.glob("*.safetensors")}
    networks = _unfilled(source, folder, there | {"G_ema", "encoder"})
    for name, network in networks.items():
        load_into(network, folder / f"{name}.safetensors")
    config = {key: value for key, value in source.items() if key != "training"}
    return FoundModel(config, networks, dict(source.get("training") or {}))


def _filled(model: ForeignModel, path: Path, digest: str) -> FoundModel:
    config = model.config
    check_config(config, path.name)
    networks = _unfilled(config, path, model.networks.keys())
    seen: set[int] = set()
    for name, network in networks.items():
        tensors = {key: _own(tensor, seen) for key, tensor in model.networks[name].items()}
        with may_be_left_out() if name == "D" else nullcontext():
            fill(network, tensors, f"{path.name}: {name}")
    history = {"source": model.dialect, "source_sha256": digest, "notes": model.notes}
    if is_generator(config):
        config = GeneratorConfig.from_json(config).to_json()
    return FoundModel(config, networks, history)


def _unfilled(config: Config, path: Path, names: Collection[str]) -> dict[str, nn.Module]:
    """Of the networks that a model may have those that are there, without values."""
    architecture = str(config.get("architecture"))
    with torch.device("meta"):
        if architecture in OFFICIAL_ENCODERS:
            return {"encoder": official_encoder(config)}
        if architecture.lower().startswith(GENERATORS):
            networks = generator_networks(config)
            return {name: network for name, network in networks.items() if name in names}
    raise WeightsError(
        f"{path} holds a {architecture[:40]!r}; expected a StyleGAN or an encoder of TediGAN (idinvert), "
        "pSp or e4e. Name the folder that `tedigan models import` made, or an official file."
    )
