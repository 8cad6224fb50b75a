"""Ready-made generators -> our networks: a model folder of ours, or NVIDIA's snapshot read as data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from tedigan.errors import WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.store.files import sha256_file
from tedigan.store.models import fill, load_tensors, read_config
from tedigan.store.nvidia import network_config, read_nvidia_pickle


@dataclass(frozen=True)
class FoundGenerator:
    """networks: G, D and G_ema. history: what is known of their training."""

    config: GeneratorConfig
    networks: dict[str, nn.Module]
    history: dict[str, Any] | None


def read_generator_config(path: Path) -> GeneratorConfig:
    """The numbers of a generator folder or an NVIDIA .pkl."""
    if path.suffix == ".pkl":
        return _nvidia_config(read_nvidia_pickle(path)["G_ema"])
    return GeneratorConfig.from_json(read_config(path))


def read_generator(path: Path) -> FoundGenerator:
    """Networks on the CPU. A folder without G trains on from G_ema.

    Raises WeightsError for what is missing, damaged, hostile, or not an unconditional StyleGAN2.
    """
    return _read_nvidia(path) if path.suffix == ".pkl" else _read_folder(path)


def _read_folder(folder: Path) -> FoundGenerator:
    source = read_config(folder)
    config = GeneratorConfig.from_json(source)
    networks = _networks(config)
    for name, network in networks.items():
        file = folder / f"{name}.safetensors"
        if name == "G" and not file.is_file():
            file = folder / "G_ema.safetensors"
        fill(network, load_tensors(file), file.name)
    return FoundGenerator(config, networks, source.get("training"))


def _read_nvidia(path: Path) -> FoundGenerator:
    found = read_nvidia_pickle(path)
    missing = {"G", "D", "G_ema"} - found.keys()
    if missing:
        raise WeightsError(
            f"{path.name} holds {', '.join(found) or 'no network'}; expected G, D and G_ema, as NVIDIA's "
            "training writes them. Take a network-snapshot-*.pkl."
        )
    config = _nvidia_config(found["G_ema"], found["D"])
    networks = _networks(config)
    for name, network in networks.items():
        fill(network, found[name].tensors, f"{path.name}: {name}")
    history = {"source": "NVIDIA snapshot", "source_sha256": sha256_file(path)}
    return FoundGenerator(config, networks, history)


def _networks(config: GeneratorConfig) -> dict[str, nn.Module]:
    return {"G": Generator(config), "D": Discriminator(config), "G_ema": Generator(config)}


def _nvidia_config(generator: Any, discriminator: Any = None) -> GeneratorConfig:
    """NVIDIA's constructor arguments as ours."""
    fields = network_config(generator)
    kwargs = discriminator.init_kwargs.get("epilogue_kwargs") if discriminator else None
    if isinstance(kwargs, dict) and isinstance(kwargs.get("mbstd_group_size"), int):
        fields = fields | {"discriminator": {"mbstd_group_size": kwargs["mbstd_group_size"]}}
    return GeneratorConfig.from_json(fields)
