"""Model folders -> what draws faces and inverts photographs, with its numbers."""

from pathlib import Path
from typing import Literal

import torch

from tedigan.generator.engine import Engine, choose_engine
from tedigan.generator.whitening import whitening_of
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.text_to_face import FaceMaker, FaceSettings
from tedigan.models.opening import (
    load_discriminator,
    load_encoder,
    load_generator,
    load_text_encoder,
)
from tedigan.tensors import stream


def open_face_maker(
    models: Path,
    device: torch.device,
    settings: FaceSettings,
    *,
    precision: Literal["auto", "fp32", "bf16", "fp16"],
    compilation: Literal["auto", "never"],
) -> tuple[FaceMaker, Engine]:
    """Text -> faces, and the engine that draws them; see `choose_engine`.

    models: the folder that holds generator/ and text_encoder/.
    """
    generator = load_generator(models / "generator", device)
    captions = load_text_encoder(models / "text_encoder", device)
    engine = choose_engine(
        generator,
        precision=precision,
        compilation=compilation,
        batch_size=settings.batch_size,
    )
    return FaceMaker(generator, captions, engine.synthesise, settings), engine


def open_inverter(models: Path, device: torch.device, settings: InversionSettings) -> Inverter:
    """Photographs -> codes. models: the folder that holds generator/ and encoder/."""
    has_features = settings.weight_perceptual > 0
    generator = load_generator(models / "generator", device)
    return Inverter(
        generator,
        load_encoder(models / "encoder", generator),
        load_discriminator(models / "generator", device) if has_features else None,
        whitening_of(generator, stream(0, "whitening")),
        settings,
    )
