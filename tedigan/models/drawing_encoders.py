"""Encoders of every kind of picture, from folders of ours or official files, with the layers that they give."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.mean_face import MeanFace
from tedigan.encoders.modalities import CHANNELS, Drawing, Modality
from tedigan.encoders.unet import UNet
from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.method.drawing_fit import DEFAULT_FIT, FitSettings, FittingEncoder, empty_drawer
from tedigan.models.adopt_encoder import check_modality, fit_encoder, official_layers
from tedigan.models.imports import read_encoder
from tedigan.models.opening import load_encoder
from tedigan.store.model_folders import freeze, open_network, read_config
from tedigan.tensors import stream

OURS = ("visual_encoder", "adopted_encoder")
DRAWERS = ("drawer", "parser")  # what draws faces, and needs no encoder


@dataclass(frozen=True)
class DrawingEncoder:
    """An encoder of sketches or label maps, and the layers that it gives where nobody says."""

    encoder: Encoder
    layers: list[int]


def open_drawing_encoder(place: Path, generator: Generator, modality: Drawing) -> DrawingEncoder:
    """A folder of ours or an official file -> its encoder, with the layers that were measured, or pSp's choice.

    A folder may also hold what draws faces alone, a drawer or a parser: any generator's codes are fitted by it,
    from the mean face.
    """
    device = generator.mapping.w_avg.device
    config = read_config(place) if place.is_dir() else {}
    if config.get("architecture") in DRAWERS:
        return _from_the_mean_face(place, config, generator, modality)
    encoder = open_any_encoder(place, generator, device, modality)
    if config.get("drawer") is not None:
        drawer = open_network(lambda: empty_drawer(config), place / "drawer.safetensors")
        freeze(drawer, device)
        encoder = fitting(encoder, drawer, generator, FitSettings(**config["drawer"]["fit"]))
    return DrawingEncoder(encoder, config.get("layers") or official_layers(generator))


def _from_the_mean_face(
    place: Path, config: Mapping[str, Any], generator: Generator, modality: Drawing
) -> DrawingEncoder:
    drawer, mean = open_drawer(place, modality), MeanFace(generator, CHANNELS[modality])
    for network in (drawer, mean):
        freeze(network, generator.mapping.w_avg.device)
    settings = FitSettings(**config["fit"]) if "fit" in config else DEFAULT_FIT
    layers = list(range(generator.num_ws // 2))
    return DrawingEncoder(fitting(mean, drawer, generator, settings), layers)


def open_drawer(place: Path, modality: Drawing) -> UNet:
    """What draws faces, of a drawer's folder or a parser's; WeightsError for any other, or another kind."""
    config = read_config(place)
    kind = str(config.get("architecture"))[:40]
    if kind not in DRAWERS:
        raise WeightsError(
            f"{place} holds a {kind!r}, expected what draws faces: a {' or a '.join(DRAWERS)}. Name one."
        )
    channels = config.get("input_channels", CHANNELS["label"])  # a parser's
    check_modality(channels, modality, place)
    sizes = {"drawer": config, "input_channels": channels}
    return open_network(lambda: empty_drawer(sizes), place / f"{kind}.safetensors")


def fitting(
    encoder: Encoder, drawer: UNet, generator: Generator, settings: FitSettings
) -> FittingEncoder:
    """The encoder with what fits its codes to a drawing."""
    whitening = whitening_of(generator, stream(0, "whitening"))
    return FittingEncoder(encoder, drawer, generator, whitening, settings)


def check_fits(place: Path, sizes: tuple[object, object], generator: Generator) -> None:
    """WeightsError for codes of another generator's shape. sizes: layers and width of what lies at `place`."""
    wanted = (generator.num_ws, generator.config.w_dim)
    if sizes != wanted:
        raise WeightsError(
            f"{place} gives codes of {sizes[0]} x {sizes[1]}, but the generator takes {wanted[0]} x {wanted[1]}; "
            "it serves the generator that it was trained with. Name one that was trained with this one."
        )


def open_any_encoder(
    place: Path, generator: Generator, device: torch.device, modality: Modality
) -> Encoder:
    """One trained here or adopted, or an official one as it is."""
    config = read_config(place) if place.is_dir() else {}
    if config.get("architecture") in OURS:
        made_for = config["generator"]
        check_fits(place, (made_for["num_ws"], made_for["w_dim"]), generator)
        encoder = load_encoder(place, generator)
        check_modality(encoder.input_channels, modality, place)
        return encoder
    fitted = fit_encoder(read_encoder(place)[0], generator, place, modality, seed=0)
    freeze(fitted, device)
    return fitted
