"""Model folders -> what draws faces, steers codes and inverts photographs, with its numbers."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from tedigan.annotators.tagger import load_guide
from tedigan.captions.grammar_files import load_grammar
from tedigan.captions.reader import Reader
from tedigan.encoders.modalities import DRAWINGS
from tedigan.generator.engine import Engine, choose_engine
from tedigan.generator.stylegan import Generator
from tedigan.generator.whitening import whitening_of
from tedigan.method.edit import Editor
from tedigan.method.inversion import InversionSettings, Inverter
from tedigan.method.sentence_reader import SentenceReader
from tedigan.method.sources import Composer
from tedigan.method.steering import Steering, SteeringSettings
from tedigan.method.text_to_face import (
    FaceMaker,
    FaceSettings,
    RegressedText,
    Start,
    StartSettings,
    SteeredText,
    TextToCode,
)
from tedigan.models.drawing_encoders import open_drawing_encoder
from tedigan.models.layers import load_layers
from tedigan.models.opening import (
    load_discriminator,
    load_encoder,
    load_generator,
    load_latent_tagger,
    load_mover,
    load_reader_backbone,
    load_text_encoder,
    load_text_reader,
)
from tedigan.models.source_reader import Picture, SourceReader
from tedigan.store import pictures
from tedigan.tensors import stream, to_images

Way = Literal["search", "one_pass", "regression"]
STEERED = ("generator", "guide", "latent_tagger", "layers", "text_mapper")
EDITED = ("encoder", *STEERED)
COMPOSED = ("sketch_encoder", "label_encoder", *EDITED)
MODELS_OF: dict[Way, tuple[str, ...]] = {
    "search": STEERED,
    "one_pass": STEERED,
    "regression": ("generator", "text_encoder", "text_mapper"),
}


def open_sentence_reader(
    grammar: Path, folder: Path, device: torch.device, *, known: Collection[str] | None = None
) -> SentenceReader:
    """Sentence -> what it wishes, in open wording. folder: of a text mapper. known: what can be steered."""
    network = load_text_reader(folder, device)
    backbone = load_reader_backbone(network.config, device)
    return SentenceReader(Reader(load_grammar(grammar)), backbone, network, known)


def open_steering(
    models: Path,
    device: torch.device,
    settings: SteeringSettings,
    *,
    generator: Generator | None = None,
    has_layers: bool = True,
) -> Steering:
    """What moves codes. models: holds generator/, guide/, latent_tagger/ and layers/.

    has_layers: False where they are not measured yet; then every attribute acts on all of them.
    """
    generator = generator or load_generator(models / "generator", device)
    tagger = load_latent_tagger(models / "latent_tagger", device)
    guide = load_guide(models / "guide", device)
    if has_layers:
        layers = load_layers(models / "layers", tagger.names, generator.num_ws).to(device)
    else:
        layers = torch.ones(len(tagger.names), generator.num_ws, dtype=torch.bool, device=device)
    recognise = None if guide.identity is None else guide.recognise
    return Steering(generator, tagger, layers, guide.look, settings, recognise=recognise)


def in_one_pass(steering: Steering, folder: Path, device: torch.device) -> Steering:
    """The mover of a text mapper's folder in the place of the search."""
    still = replace(steering.settings, num_search_steps=0)
    return replace(steering, settings=still, mover=load_mover(folder, device))


def open_texts(
    models: Path,
    device: torch.device,
    ways: Sequence[Way],
    grammar: Path,
    start: StartSettings,
    steering: SteeringSettings,
    *,
    strength: float,
) -> tuple[Generator, dict[str, TextToCode], SentenceReader]:
    """The generator of a models folder, ways from sentences to its codes (`MODELS_OF`), and their reader.

    What several ways need is opened once, the bank where faces begin too.
    """
    generator, mapper = load_generator(models / "generator", device), models / "text_mapper"
    reader = open_sentence_reader(grammar, mapper, device)
    texts: dict[str, TextToCode] = {}
    if "regression" in ways:
        captions = load_text_encoder(models / "text_encoder", device)
        texts["regression"] = RegressedText(generator, captions, start.truncation_psi)
    if {"search", "one_pass"} & {*ways}:
        search = open_steering(models, device, steering, generator=generator)
        reader = replace(reader, known=search.tagger.names)
        begin = Start(generator, search.tagger, start)
        steered = SteeredText(reader.reading, search, begin, strength)
        texts["search"] = steered
        if "one_pass" in ways:
            texts["one_pass"] = replace(steered, steering=in_one_pass(search, mapper, device))
    return generator, {way: texts[way] for way in ways}, reader


def open_face_makers(
    generator: Generator,
    texts: Mapping[str, TextToCode],
    settings: FaceSettings,
    *,
    precision: Literal["auto", "fp32", "bf16", "fp16"],
    compilation: Literal["auto", "never"],
) -> tuple[dict[str, FaceMaker], Engine]:
    """Text -> faces by each way, and the one engine that draws them; see `choose_engine`."""
    engine = choose_engine(
        generator,
        precision=precision,
        compilation=compilation,
        batch_size=settings.batch_size,
    )
    makers = {
        way: FaceMaker(generator, text, engine.synthesise, settings) for way, text in texts.items()
    }
    return makers, engine


def open_editor(
    models: Path,
    grammar: Path,
    device: torch.device,
    inversion: InversionSettings,
    steering: SteeringSettings,
    *,
    region_cells: int,
) -> tuple[Inverter, Editor]:
    """What inverts photographs and what edits their codes. models: holds the folders of EDITED."""
    inverter = open_inverter(models, device, inversion)
    moves = open_steering(models, device, steering, generator=inverter.generator)
    reader = open_sentence_reader(grammar, models / "text_mapper", device, known=moves.tagger.names)
    return inverter, Editor(reader.reading, moves, region_cells)


def open_composer(
    models: Path,
    grammar: Path,
    device: torch.device,
    start: StartSettings,
    steering: SteeringSettings,
) -> tuple[Composer, SourceReader]:
    """What makes codes of sources, and what reads these. models: holds the folders of COMPOSED."""
    generator = load_generator(models / "generator", device)
    moves = open_steering(models, device, steering, generator=generator)
    sentences = open_sentence_reader(
        grammar, models / "text_mapper", device, known=moves.tagger.names
    )
    encoder = load_encoder(models / "encoder", generator)
    drawings = {
        kind: open_drawing_encoder(models / f"{kind}_encoder", generator, kind) for kind in DRAWINGS
    }
    size_px = generator.config.img_resolution

    @torch.no_grad()
    def invert(picture: Picture) -> Tensor:
        if isinstance(picture, Tensor):  # a code, or an image
            return picture if picture.ndim == 3 else encoder(picture.to(device))
        pixels = pictures.resize(pictures.any_picture(picture), size_px)
        return encoder(to_images(pixels[None].to(device)))

    begin = Start(generator, moves.tagger, start)
    composer = Composer(generator, begin, moves, sentences.reading, start.truncation_psi)
    return composer, SourceReader(generator, drawings, invert, size_px)


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
