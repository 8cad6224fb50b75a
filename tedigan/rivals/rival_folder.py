"""A rival as a model folder: the averaged generator, and of the shared encoders what it draws with.

G_ema.safetensors, words.safetensors and, of one that edits, regions.safetensors. config.json has the method, the
numbers of its nets, the vocabulary in order, and how it was trained. `encoders` folders have both encoders alone.
"""

import csv
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.rivals.methods import METHODS
from tedigan.rivals.region_encoder import RegionEncoder
from tedigan.rivals.rival import Rival
from tedigan.rivals.shared_encoders import SharedEncoders
from tedigan.rivals.vocabulary import Vocabulary
from tedigan.rivals.word_encoder import WordEncoder
from tedigan.store.files import finished_folder, read_text, write_text
from tedigan.store.model_folders import (
    CARD,
    architecture_of,
    freeze,
    load_into,
    open_network,
    read_config,
    save_model,
)

RIVAL, ENCODERS, LOG = "rival", "encoders_of_rivals", "log.csv"


def save_encoders(
    folder: Path, encoders: SharedEncoders, training: Mapping[str, Any], licence: str
) -> None:
    """Words and regions, for whoever trains upon them."""
    about = _about(ENCODERS, encoders, training, licence)
    with finished_folder(folder) as fresh:
        save_model(fresh, encoders.networks(), about, _card("Encoders of the rivals", about))


def open_encoders(folder: Path) -> SharedEncoders:
    """What `save_encoders` wrote; frozen, on the CPU."""
    config = _read(folder, ENCODERS)
    vocabulary = Vocabulary(tuple(config["vocabulary"]))
    words = open_network(lambda: WordEncoder(len(vocabulary.words)), folder / "words.safetensors")
    regions = open_network(RegionEncoder, folder / "regions.safetensors")
    return SharedEncoders(vocabulary, words, regions).freeze()


def save_rival(
    folder: Path,
    rival: Rival,
    encoders: SharedEncoders,
    training: Mapping[str, Any],
    licence: str,
    *,
    log: Callable[[Path], None] | None = None,
) -> None:
    """training: what people may want to know, such as images_seen. log: writes a CSV of losses."""
    about = _about(RIVAL, encoders, training, licence)
    config = about | {"method": rival.name, "numbers": rival.to_json()}
    networks = {"G_ema": rival.G_ema, "words": encoders.words}
    if rival.edits_photographs:
        networks["regions"] = encoders.regions
    with finished_folder(folder) as fresh:
        if log is not None:
            log(fresh / LOG)
        save_model(fresh, networks, config, _card(f"{rival.name}, re-implementation", config))


def gather_rivals(folder: Path, places: Sequence[Path], licence: str) -> None:
    """Copies of rivals' folders under one, with a card. Without any, the card alone, which says how to ask."""
    with finished_folder(folder) as fresh:
        for place in places:
            shutil.copytree(place, fresh / place.name)
        write_text(fresh / CARD, _card_of_all([place.name for place in places], licence))


def last_losses(folder: Path) -> dict[str, float]:
    """The last row of a rival's log, without its step."""
    *_, last = csv.DictReader(read_text(folder / LOG).splitlines())
    return {name: float(value) for name, value in last.items() if name != "step"}


@dataclass(frozen=True)
class OpenedRival:
    """A rival that draws and no longer learns: it has no values but G_ema's, and the encoders'."""

    rival: Rival
    vocabulary: Vocabulary
    words: WordEncoder
    device: torch.device

    @classmethod
    def open(cls, folder: Path, device: torch.device) -> "OpenedRival":
        """WeightsError for what is no rival's folder."""
        config = _read(folder, RIVAL)
        method = METHODS[config["method"]]
        vocabulary = Vocabulary(tuple(config["vocabulary"]))
        count = len(vocabulary.words)
        words = open_network(lambda: WordEncoder(count), folder / "words.safetensors")
        regions = None
        if method.edits_photographs:
            regions = open_network(RegionEncoder, folder / "regions.safetensors")
            freeze(regions, device)
        with torch.device("meta"):
            rival = method.from_json(config["numbers"], regions)
        load_into(rival.G_ema, folder / "G_ema.safetensors")
        for network in (words, rival.G_ema):
            freeze(network, device)
        return cls(rival, vocabulary, words, device)

    @torch.no_grad()
    def draw(
        self,
        captions: Sequence[str],
        z: Float[Tensor, "n z_dim"],
        photographs: Float[Tensor, "n 3 64 64"] | None = None,
    ) -> Float[Tensor, "n 3 64 64"]:
        """Pictures in -1..1, on the CPU. photographs: in -1..1, to be edited by the captions."""
        text = self.words(self.vocabulary.numbers(captions).to(self.device))
        given = None if photographs is None else photographs.to(self.device)
        return self.rival.draw(text, z.to(self.device), given).cpu()


def _about(
    architecture: str, encoders: SharedEncoders, training: Mapping[str, Any], licence: str
) -> dict[str, Any]:
    return {
        "architecture": architecture,
        "vocabulary": [*encoders.vocabulary.words],
        "training": dict(training),
        "licence": licence,
    }


def _read(folder: Path, architecture: str) -> dict[str, Any]:
    if (found := architecture_of(folder)) not in (None, architecture):
        raise WeightsError(
            f"{folder} holds a model of the architecture {found}, expected {architecture}. Name a folder that "
            "`tedigan compare train` made."
        )
    return read_config(folder)


def _card(title: str, config: Mapping[str, Any]) -> str:
    training = config["training"]
    seen = training.get("images_seen", "not recorded")
    numbers = f"- Numbers: {config['numbers']}.\n" if "numbers" in config else ""
    return (
        f"# {title}, 64 px\n\n"
        "Written from the papers, small; not comparable with published figures at 256 px (docs/comparison.md).\n\n"
        f"{numbers}- Images seen: {seen}.\n"
        f"- Vocabulary: {len(config['vocabulary'])} words, two of them for padding and for unknown words.\n"
        f"- Licence: {config['licence']}\n"
        "- All that is known of its training is in `config.json`.\n"
    )


def _card_of_all(names: Sequence[str], licence: str) -> str:
    if not names:
        return (
            "# No rivals\n\n"
            "None was asked for: `train_rivals.methods` of params.yaml is empty. Name some of "
            f"{', '.join(METHODS)} there and run the stage train_rivals, or run `tedigan compare train FOLDER`.\n"
        )
    return (
        "# Rivals\n\n"
        "Published methods, written from the papers, small, at 64 px (docs/comparison.md), one a folder: "
        f"{', '.join(names)}. `tedigan compare draw PROTOCOL FACES --rival FOLDER` draws by one.\n\n"
        f"- Licence: {licence}\n"
    )
