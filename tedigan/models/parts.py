"""One generator and the networks that speak to it, from folders of ours or official files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.text import CaptionEncoder
from tedigan.errors import WeightsError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.models.adopt_encoder import fit_encoder
from tedigan.models.imports import read_encoder, read_generator
from tedigan.models.opening import load_encoder, load_text_encoder
from tedigan.store.model_folders import freeze, read_config

NAMES = ("generator", "text_encoder", "encoder")
OURS = ("visual_encoder", "adopted_encoder")


@dataclass(frozen=True)
class Parts:
    """What a generator can be spoken to with; None where there is no such network."""

    generator: Generator
    discriminator: Discriminator | None
    text_encoder: CaptionEncoder | None
    encoder: Encoder | None


def open_parts(places: Mapping[str, Path], device: torch.device) -> Parts:
    """The networks at `generator`, `text_encoder` and `encoder`, each a folder of ours or an official file.

    Where the generator's folder holds folders of these names (a workspace's models/), they count as given.
    """
    root = places["generator"]
    if (root / "generator").is_dir():
        inside = {name: root / name for name in NAMES if (root / name).is_dir()}
        places = inside | {name: place for name, place in places.items() if name != "generator"}
    networks = read_generator(places["generator"]).networks
    for network in networks.values():
        freeze(network, device)
    generator, discriminator = networks["G_ema"], networks.get("D")
    assert isinstance(generator, Generator), "the table of kinds names it so"
    assert discriminator is None or isinstance(discriminator, Discriminator), "as above"
    text, encoder = places.get("text_encoder"), places.get("encoder")
    if text is not None:
        config = read_config(text)
        _check_fits(text, (config.get("num_ws"), config.get("w_dim")), generator)
    return Parts(
        generator,
        discriminator,
        None if text is None else load_text_encoder(text, device),
        None if encoder is None else _any_encoder(encoder, generator, device),
    )


def _check_fits(place: Path, sizes: tuple[object, object], generator: Generator) -> None:
    wanted = (generator.num_ws, generator.config.w_dim)
    if sizes != wanted:
        raise WeightsError(
            f"{place} gives codes of {sizes[0]} x {sizes[1]}, but the generator takes {wanted[0]} x {wanted[1]}; "
            "encoders serve the generator that they were trained with. Name one that was trained with this one."
        )


def _any_encoder(place: Path, generator: Generator, device: torch.device) -> Encoder:
    """One trained here or adopted, or an official one as it is."""
    config = read_config(place) if place.is_dir() else {}
    if config.get("architecture") in OURS:
        made_for = config["generator"]
        _check_fits(place, (made_for["num_ws"], made_for["w_dim"]), generator)
        return load_encoder(place, generator)
    fitted = fit_encoder(read_encoder(place)[0], generator, place, seed=0)
    freeze(fitted, device)
    return fitted
