"""Opens face parsers: our own model folders, and SegFormer checkpoints of other people through transformers.

A checkpoint numbers the classes in an order of its own; its config.json names them, and by the names its maps
are put into ours.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional

from tedigan.annotators.parser_network import FaceParser, Parser, ParserConfig
from tedigan.errors import WeightsError
from tedigan.store.files import sha256_file
from tedigan.store.model_folders import architecture_of, freeze, open_network, read_config
from tedigan.vocabulary.labels import LABEL_NAMES

NAME = "parser"
SEGFORMER_PX = 512  # the side in which such checkpoints were trained
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's colours


@dataclass(frozen=True)
class OwnParser:
    """A parser that the platform trained."""

    network: FaceParser
    origin: str
    device: torch.device

    @torch.no_grad()
    def parse(self, images: Float[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n h w"]:
        """Class indices at the images' own size; one image at a time, as 19 planes of it are large."""
        return torch.cat(
            [_most_likely(self.network(one.to(self.device))) for one in images.split(1)]
        )


@dataclass(frozen=True)
class SegformerParser:
    """A SegFormer checkpoint. classes: our index of each of its classes."""

    network: nn.Module
    classes: UInt8[Tensor, " k"]
    origin: str
    device: torch.device

    @torch.no_grad()
    def parse(self, images: Float[Tensor, "n 3 h w"]) -> UInt8[Tensor, "n h w"]:
        """Class indices at the images' own size."""
        return torch.cat([self._parse(one.to(self.device)) for one in images.split(1)])

    def _parse(self, image: Float[Tensor, "1 3 h w"]) -> UInt8[Tensor, "1 h w"]:
        mean, deviation = (image.new_tensor(v)[:, None, None] for v in (_MEAN, _DEVIATION))
        small = functional.interpolate(
            image, (SEGFORMER_PX, SEGFORMER_PX), mode="bilinear", antialias=True
        )
        logits = self.network(pixel_values=((small + 1) / 2 - mean) / deviation).logits
        large = functional.interpolate(logits, image.shape[2:], mode="bilinear")
        return self.classes[_most_likely(large).long()]


def load_parser(place: str, device: torch.device, *, may_download: bool = False) -> Parser:
    """The parser of a model folder, or of a hub id such as `jonathandinu/face-parsing`.

    may_download: whether a hub id that is not cached may be fetched.
    """
    folder = Path(place)
    if (architecture := architecture_of(folder)) is not None:
        if architecture != NAME:
            ParserConfig.from_json({"architecture": architecture})  # which says what it is
        config = read_config(folder)
        numbers = ParserConfig.from_json(config)
        network = open_network(lambda: FaceParser(numbers), folder / f"{NAME}.safetensors")
        freeze(network, device)
        digest = sha256_file(folder / f"{NAME}.safetensors")
        origin = f"predicted by {NAME} {digest[:12]}{_taught_by(config)}"
        return OwnParser(network, origin, device)
    return _load_segformer(place, device, may_download=may_download)


def _taught_by(config: Mapping[str, Any]) -> str:
    """Where the label maps came from that it learnt, if its folder says so."""
    origin = config.get("training", {}).get("origin", {}).get("label")
    named = {"source": "of a source", "drawn": "of drawn faces"}.get(origin, origin)
    return "" if origin is None else f", taught by label maps {named}"


def _load_segformer(place: str, device: torch.device, *, may_download: bool) -> SegformerParser:
    """Safetensors only; code that a repository carries is never run."""
    from transformers import SegformerForSemanticSegmentation
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        network = SegformerForSemanticSegmentation.from_pretrained(
            place, local_files_only=not may_download, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(
            f"the parser {place!r} cannot be loaded: {error}. Give a folder that the platform trained, or one "
            "with a SegFormer's config.json and model.safetensors, or allow a hub id to be downloaded."
        ) from error
    classes = classes_of(network.config.id2label)
    freeze(network, device)
    return SegformerParser(network, classes, f"predicted by {_name_of(place, network)}", device)


def classes_of(names: Mapping[int, str]) -> UInt8[Tensor, " k"]:
    """Our index of each class of a checkpoint, by its name (`nose`, or `nose.png` as masks are called)."""
    ours = [names[index].removesuffix(".png") for index in sorted(names)]
    unknown = sorted(set(ours) - set(LABEL_NAMES))
    if unknown or "background" not in ours:
        problem = f"calls classes {unknown}" if unknown else "has no class `background`"
        raise WeightsError(
            f"the parser's config.json {problem}; expected names of CelebAMask-HQ: "
            f"{', '.join(LABEL_NAMES)}. Correct id2label, or give a checkpoint for face parsing."
        )
    return torch.tensor([LABEL_NAMES.index(name) for name in ours], dtype=torch.uint8)


def _most_likely(logits: Float[Tensor, "n k h w"]) -> UInt8[Tensor, "n h w"]:
    return logits.argmax(1).to(torch.uint8).cpu()


def _name_of(place: str, network: Any) -> str:
    """A folder's name with its weights' sha256, or a hub id with its commit."""
    files = sorted(Path(place).glob("*.safetensors"))
    if not files:
        return f"{place} {str(network.config._commit_hash)[:12]}"
    digest = hashlib.sha256("".join(map(sha256_file, files)).encode()).hexdigest()
    return f"{Path(place).resolve().name} {digest[:12]}"
