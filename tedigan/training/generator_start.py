"""Where a generator's training starts: from scratch, or from a folder or file that goes on."""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tedigan.annotators.trunk import Trunk
from tedigan.errors import WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.ops import Precision
from tedigan.generator.stylegan import Generator
from tedigan.model_configs import check_config
from tedigan.models.imports import read_generator, read_generator_config
from tedigan.store.packaged_weights import EFFICIENTNET_LITE1, load_packaged
from tedigan.training.adversarial import AdversarialSettings, AdversarialTrainer
from tedigan.training.feature_discriminator import FeatureDiscriminator
from tedigan.training.mixed_precision import check_device


@dataclass(frozen=True)
class GeneratorSize:
    """The numbers of a new generator beside its resolution; see params.yaml."""

    z_dim: int
    w_dim: int
    num_mapping_layers: int
    channel_base: int
    channel_max: int
    conv_clamp: float | None


def start_training(
    init: Path | None,
    resolution: int,
    size: GeneratorSize,
    settings: AdversarialSettings,
    *,
    seed: int,
    device: torch.device,
) -> AdversarialTrainer:
    """From `init`, a generator folder or an official file; else new networks of that size, of the seed alone.

    Optimisers are fresh, and so are the heads of a feature discriminator. Where there is no G, the training
    goes on from G_ema; where there is no D, a new one learns along. Raises WeightsError for what is no
    StyleGAN2.
    """
    if init is None:
        torch.manual_seed(seed)  # the networks' initial weights; nothing else draws from it
        config = GeneratorConfig(img_resolution=resolution, **asdict(size))
        check_config(config.to_json(), "train_generator")  # now, and not when it is written
        new: list[nn.Module | None] = [Generator(config), Discriminator(config), None]
        return _trainer(new, settings, seen=0, device=device)
    found = read_generator(init)
    config = GeneratorConfig.from_json(found.config)
    if config.architecture != "stylegan2":
        raise WeightsError(
            f"{init} is a {config.architecture}; only StyleGAN2 is trained here. Adopt it as it is with "
            "train_generator.total_nimg: 0, or train another."
        )
    networks = found.networks
    torch.manual_seed(seed)
    D = networks.get("D") or Discriminator(config)
    G = networks.get("G") or copy.deepcopy(networks["G_ema"])
    seen = int(found.history.get("images_seen", 0))
    return _trainer([G, D, networks["G_ema"]], settings, seen=seen, device=device)


def history_of(
    trainer: AdversarialTrainer,
    init: Path | None,
    *,
    data: str,
    licence: str,
    num_steps: int,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    """What the model card says of the training; no time, no host. data: in words. licence: of its photographs."""
    return {
        "images_seen": trainer.images_seen_before + num_steps * int(params["batch_size"]),
        "data": data,
        "licence": licence,
        "settings": dict(params),
        "continued_from": read_generator(init).history if init else None,
    }


def check_start(
    init: Path | None,
    resolution: int,
    conv_clamp: float | None,
    precision: Precision,
    device: torch.device,
) -> None:
    """WeightsError for an `init` of another size than the data set's, ParamsError for what cannot train so.

    conv_clamp: of new networks, where there is no `init`.
    """
    clamps = [conv_clamp]
    if init is not None:
        config = read_generator_config(init)
        if config.img_resolution != resolution:
            raise WeightsError(
                f"{init} makes {config.img_resolution} px, but the data set has {resolution} px. "
                "Set dataset.resolution to the generator's, or choose another train_generator.init."
            )
        clamps = [config.conv_clamp, config.clamp_of_d]
    check_device(precision, device, clamps)


def _trainer(
    networks: list[nn.Module | None],
    settings: AdversarialSettings,
    *,
    seen: int,
    device: torch.device,
) -> AdversarialTrainer:
    for network in networks:
        if network is not None:
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator, discriminator, average = networks
    assert isinstance(generator, Generator), "the table of kinds names it so"
    assert isinstance(discriminator, Discriminator), "the table of kinds names it so"
    assert average is None or isinstance(average, Generator), "the table of kinds names it so"
    return AdversarialTrainer(
        generator,
        discriminator,
        average,
        settings,
        features=_features(generator.config, device) if settings.feature_weight else None,
        images_seen_before=seen,
    )


def _features(config: GeneratorConfig, device: torch.device) -> FeatureDiscriminator:
    trunk = Trunk.build(load_packaged(EFFICIENTNET_LITE1), device, name="efficientnet-lite1")
    features = FeatureDiscriminator(trunk, config.img_resolution)
    return features.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
