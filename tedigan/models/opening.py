"""Model folders -> networks on the device, frozen, ready to use."""

from pathlib import Path
from typing import Any

import torch

from tedigan.encoders.adopted import AdoptedEncoder, official_encoder
from tedigan.encoders.encoder import Encoder
from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.encoders.text import CaptionEncoder, TextBackbone, TextEncoder
from tedigan.encoders.text_mapper import Mover, MoverConfig, TextReader, TextReaderConfig
from tedigan.encoders.visual import RefiningEncoder, VisualEncoder
from tedigan.errors import WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.models.text_backbones import load_text_model
from tedigan.store.model_folders import freeze, open_network, read_config


def load_generator(folder: Path, device: torch.device, *, name: str = "G_ema") -> Generator:
    """The generator of a model folder; `G_ema` is the one to use, `G` the one to train on."""
    config = GeneratorConfig.from_json(read_config(folder))
    generator = open_network(lambda: Generator(config), folder / f"{name}.safetensors")
    freeze(generator, device)
    return generator


def load_discriminator(folder: Path, device: torch.device) -> Discriminator:
    """The discriminator that was trained with the folder's generator."""
    if not (folder / "D.safetensors").is_file():
        raise WeightsError(
            f"{folder} has no discriminator, as its source had none; it is expected here, for perceptual "
            "features. Set manipulate.weight_perceptual to 0 and train_encoder.init to an imported encoder, or "
            "give the generator one with train_generator.total_nimg."
        )
    config = GeneratorConfig.from_json(read_config(folder))
    discriminator = open_network(lambda: Discriminator(config), folder / "D.safetensors")
    freeze(discriminator, device)
    return discriminator


def load_encoder(folder: Path, generator: Generator) -> Encoder:
    """The inversion encoder of a generator: images -> ws; trained here, or an official one that was adopted."""
    config, device = read_config(folder), generator.mapping.w_avg.device
    if config["architecture"] not in ("adopted_encoder", "visual_encoder"):
        raise WeightsError(
            f"{folder} holds a {config['architecture']!r}, expected the encoder of a generator. Name the folder "
            "that the stage train_encoder wrote."
        )

    def build() -> VisualEncoder | AdoptedEncoder:
        if config["architecture"] == "adopted_encoder":
            return AdoptedEncoder(official_encoder(config["network"]))
        return VisualEncoder.from_json(config)

    encoder = open_network(build, folder / "encoder.safetensors")
    freeze(encoder, device)
    if isinstance(encoder, VisualEncoder):
        return RefiningEncoder(encoder, generator)
    return encoder


def load_text_encoder(folder: Path, device: torch.device) -> CaptionEncoder:
    """The text encoder and the backbone that it was trained with."""
    config = read_config(folder)
    if config.get("architecture") != "text_encoder":
        raise WeightsError(
            f"{folder} holds a {str(config.get('architecture'))[:40]!r}, expected a text encoder. Name the folder "
            "that the stage train_text_encoder wrote."
        )
    sizes = [config[name] for name in ("embedding_dim", "hidden_dim", "num_ws", "w_dim")]
    encoder = open_network(lambda: TextEncoder(*sizes), folder / "text_encoder.safetensors")
    freeze(encoder, device)
    backbone = TextBackbone(*load_text_model(config["backbone"], device))
    return CaptionEncoder(backbone, encoder, config["text_layers"])


def load_latent_tagger(folder: Path, device: torch.device) -> LatentTagger:
    """What reads attributes off a generator's codes."""
    config = LatentTaggerConfig.from_json(read_config(folder))
    tagger = open_network(lambda: LatentTagger(config), folder / "latent_tagger.safetensors")
    freeze(tagger, device)
    return tagger


def load_text_reader(folder: Path, device: torch.device) -> TextReader:
    """The reader of a text mapper: what sentences wish of a face."""
    config = TextReaderConfig.from_json(_part(folder, "reader"))
    reader = open_network(lambda: TextReader(config), folder / "text_reader.safetensors")
    freeze(reader, device)
    return reader


def load_mover(folder: Path, device: torch.device) -> Mover:
    """The mover of a text mapper: codes and wishes -> shifts."""
    config = MoverConfig.from_json(_part(folder, "mover"))
    mover = open_network(lambda: Mover(config), folder / "mover.safetensors")
    freeze(mover, device)
    return mover


def load_reader_backbone(config: TextReaderConfig, device: torch.device) -> TextBackbone:
    """The layers of the text model whose states a reader reads."""
    model = load_text_model(config.backbone, device, num_layers=config.num_backbone_layers)
    return TextBackbone(*model)


def _part(folder: Path, name: str) -> dict[str, Any]:
    """A text mapper's config, of its reader or its mover."""
    config = read_config(folder)
    if config.get("architecture") != "text_mapper" or name not in config:
        raise WeightsError(
            f"{folder} holds a {str(config.get('architecture'))[:40]!r}, expected a text mapper with a {name}. "
            "Name the folder that the stage train_text_mapper wrote."
        )
    part: dict[str, Any] = config[name]
    return part
