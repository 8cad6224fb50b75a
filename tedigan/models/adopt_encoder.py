"""An official encoder -> a model folder, in the place of a training: for the generator that it belongs to."""

from pathlib import Path
from typing import Any

import torch

from tedigan.encoders.adopted import AdoptedEncoder
from tedigan.encoders.idinvert import IdinvertEncoder
from tedigan.encoders.modalities import CHANNELS, IN_WORDS, Modality, modality_of
from tedigan.encoders.psp import PyramidEncoder
from tedigan.encoders.visual import w_statistics
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.models.cards import encoder_card
from tedigan.models.imports import read_encoder
from tedigan.models.opening import load_generator
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream

OFFICIAL_LAYERS = 8  # pSp draws faces of sketches and label maps with others from the ninth on


def adopt_encoder(
    init: Path, source: Path, folder: Path, modality: Modality = "image", *, seed: int
) -> None:
    """Write `folder` for the generator in `source`, with the statistics of its W; nothing is trained.

    Raises WeightsError for an encoder of another generator's size, or of another modality.
    """
    network, history = read_encoder(init)
    generator = load_generator(source, torch.device("cpu"))
    encoder = fit_encoder(network, generator, init, modality, seed=seed)
    config: dict[str, Any] = {
        "architecture": "adopted_encoder",
        "network": network.to_json(),
        "generator": generator.config.to_json(),
        "generator_sha256": sha256_file(source / "G_ema.safetensors"),
        "training": history | {"adopted": True},
    }
    if modality != "image":
        config |= {
            "input_channels": encoder.input_channels,
            "layers": official_layers(generator),
        }
    with finished_folder(folder) as fresh:
        save_model(fresh, {"encoder": encoder}, config, encoder_card(config))


def official_layers(generator: Generator) -> list[int]:
    """Those that pSp takes from a drawing."""
    return list(range(min(OFFICIAL_LAYERS, generator.num_ws)))


def fit_encoder(
    network: IdinvertEncoder | PyramidEncoder,
    generator: Generator,
    init: Path,
    modality: Modality = "image",
    *,
    seed: int,
) -> AdoptedEncoder:
    """An official encoder with the statistics of the generator's W; `init` is its place, for an error."""
    _check(network, generator, init, modality)
    encoder = AdoptedEncoder(network)
    w_avg, w_std = w_statistics(generator, stream(seed, "w_statistics"))
    encoder.w_avg.copy_(w_avg)
    encoder.w_std.copy_(w_std)
    return encoder


def _check(
    network: IdinvertEncoder | PyramidEncoder, generator: Generator, init: Path, modality: Modality
) -> None:
    sizes = (network.num_ws, network.w_dim)
    wanted = (generator.num_ws, generator.config.w_dim)
    if sizes != wanted:
        raise WeightsError(
            f"{init} gives codes of {sizes[0]} x {sizes[1]}, but the generator takes "
            f"{wanted[0]} x {wanted[1]}; an encoder serves the generator that it was trained with. "
            "Set train_generator.init to that one."
        )
    check_modality(network.input_channels, modality, init)


def check_modality(input_channels: int, modality: Modality, place: Path) -> None:
    """WeightsError for an encoder of another kind of picture."""
    found = modality_of(input_channels)
    if found != modality:
        raise WeightsError(
            f"{place} reads {IN_WORDS[found]} ({input_channels} channels), expected {IN_WORDS[modality]} "
            f"({CHANNELS[modality]}): one encoder serves one kind of picture. Choose an encoder of "
            f"{IN_WORDS[modality]}."
        )
