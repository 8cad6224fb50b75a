"""An official encoder -> models/encoder, in the place of a training: for the generator that it belongs to."""

from pathlib import Path

import torch

from tedigan.encoders.adopted import AdoptedEncoder
from tedigan.encoders.idinvert import IdinvertEncoder
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


def adopt_encoder(init: Path, source: Path, folder: Path, *, seed: int) -> None:
    """Write `folder` for the generator in `source`, with the statistics of its W; nothing is trained.

    Raises WeightsError for an encoder of another generator's size, or of sketches or label maps.
    """
    network, history = read_encoder(init)
    generator = load_generator(source, torch.device("cpu"))
    encoder = fit_encoder(network, generator, init, seed=seed)
    config = {
        "architecture": "adopted_encoder",
        "network": network.to_json(),
        "generator": generator.config.to_json(),
        "generator_sha256": sha256_file(source / "G_ema.safetensors"),
        "training": history | {"adopted": True},
    }
    with finished_folder(folder) as fresh:
        save_model(fresh, {"encoder": encoder}, config, encoder_card(config))


def fit_encoder(
    network: IdinvertEncoder | PyramidEncoder, generator: Generator, init: Path, *, seed: int
) -> AdoptedEncoder:
    """An official encoder with the statistics of the generator's W; `init` is its place, for an error."""
    _check(network, generator, init)
    encoder = AdoptedEncoder(network)
    w_avg, w_std = w_statistics(generator, stream(seed, "w_statistics"))
    encoder.w_avg.copy_(w_avg)
    encoder.w_std.copy_(w_std)
    return encoder


def _check(network: object, generator: Generator, init: Path) -> None:
    sizes = (getattr(network, "num_ws", None), getattr(network, "w_dim", None))
    wanted = (generator.num_ws, generator.config.w_dim)
    if sizes != wanted:
        raise WeightsError(
            f"{init} gives codes of {sizes[0]} x {sizes[1]}, but the generator takes "
            f"{wanted[0]} x {wanted[1]}; an encoder serves the generator that it was trained with. "
            "Set train_generator.init to that one."
        )
    if isinstance(network, PyramidEncoder) and network.input_channels != 3:
        raise WeightsError(
            f"{init} reads pictures of {network.input_channels} channels, expected photographs (3); sketch and "
            "label encoders invert no photographs. Choose its RGB encoder."
        )
