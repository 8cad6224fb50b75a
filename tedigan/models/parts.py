"""One generator and the networks that speak to it, from folders of ours or official files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tedigan.encoders.encoder import Encoder
from tedigan.encoders.modalities import DRAWINGS, Drawing
from tedigan.errors import WeightsError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.models.drawing_encoders import (
    DrawingEncoder,
    check_fits,
    open_any_encoder,
    open_drawing_encoder,
)
from tedigan.models.imports import read_generator
from tedigan.models.makers import open_steering
from tedigan.models.ready_made import check_holds
from tedigan.models.signatures import check_signed
from tedigan.models.single_faces import Starts
from tedigan.store.model_folders import freeze, read_config

STEERING = ("guide", "latent_tagger", "layers")
ENCODERS = ("encoder", "sketch_encoder", "label_encoder")


@dataclass(frozen=True)
class Parts:
    """What a generator can be spoken to with; None where there is no such network."""

    generator: Generator
    discriminator: Discriminator | None
    steering: Steering | None
    encoder: Encoder | None
    drawing_encoders: Mapping[Drawing, DrawingEncoder] = field(default_factory=dict)
    starts: Starts = field(default_factory=Starts)

    @property
    def followed(self) -> Steering:
        """The steering, which a sentence needs; WeightsError where there is none."""
        if self.steering is None:
            raise WeightsError(
                "this model has no steering, which a sentence needs; expected guide/, latent_tagger/ and layers/ "
                "of this very generator. Name their folder: steering=FOLDER of tedigan.load, or --steering FOLDER."
            )
        return self.steering


def check_places(places: Mapping[str, Path], signers: Sequence[Path]) -> None:
    """WeightsError for a place that does not exist, or that none of these signed, if there are any."""
    for name, place in places.items():
        if not place.exists():
            raise WeightsError(
                f"the {name} {place} does not exist; expected a model folder or an official file. Mend its name."
            )
        check_signed(place, signers)


def open_parts(
    places: Mapping[str, Path],
    settings: SteeringSettings,
    device: torch.device,
    *,
    drawers: Mapping[str, Path],
) -> Parts:
    """The networks at `generator`, `steering`, `encoder`, `sketch_encoder` and `label_encoder`.

    generator and encoders: a folder of ours or an official file; steering: a folder that holds guide/,
    latent_tagger/ and layers/. Where the generator's is a workspace's models/, what stands in it counts as
    given. drawers: in the places of encoders of drawings that are not given.
    """
    root = places["generator"]
    if (root / "generator").is_dir():
        known = ("generator", *ENCODERS)
        inside = {name: root / name for name in known if (root / name).is_dir()}
        if (root / "latent_tagger").is_dir():
            inside["steering"] = root
        places = inside | {name: place for name, place in places.items() if name != "generator"}
    places = {**drawers, **places}
    networks = read_generator(places["generator"]).networks
    for network in networks.values():
        freeze(network, device)
    generator, discriminator = networks["G_ema"], networks.get("D")
    assert isinstance(generator, Generator), "the table of kinds names it so"
    assert discriminator is None or isinstance(discriminator, Discriminator), "as above"
    place, encoder = places.get("steering"), places.get("encoder")
    return Parts(
        generator,
        discriminator,
        None if place is None else _steering(place, generator, settings, device),
        None if encoder is None else open_any_encoder(encoder, generator, device, "image"),
        {
            modality: open_drawing_encoder(places[f"{modality}_encoder"], generator, modality)
            for modality in DRAWINGS
            if f"{modality}_encoder" in places
        },
    )


def _steering(
    place: Path, generator: Generator, settings: SteeringSettings, device: torch.device
) -> Steering:
    check_holds(place, STEERING, advice="Name a workspace's models/.")
    config = read_config(place / "latent_tagger")
    sizes = (config.get("num_ws"), config.get("w_dim"))
    check_fits(place / "latent_tagger", sizes, generator)
    return open_steering(place, device, settings, generator=generator)
