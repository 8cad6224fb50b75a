"""Is a model folder whole? Every kind of folder that the stages and `models import` write."""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.annotators.referee_network import RefereeConfig, RefereeNetwork
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig, empty_axes
from tedigan.encoders.adopted import AdoptedEncoder, official_encoder
from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.encoders.text import TextEncoder
from tedigan.encoders.text_mapper import Mover, MoverConfig, TextReader, TextReaderConfig
from tedigan.encoders.visual import VisualEncoder
from tedigan.errors import TediganError
from tedigan.method.drawing_fit import empty_drawer
from tedigan.model_configs import kind_of
from tedigan.models.imports import Config, generator_networks
from tedigan.store.files import write_bytes
from tedigan.store.model_folders import (
    is_layer_table,
    load_into,
    load_tensors,
    read_config,
    read_layers,
)
from tedigan.store.plain_files import read_plain
from tedigan.store.sums import MAX_SUMS, SUMS, verify_sums, write_sums

OF_COMPARISONS = ("rival", "encoders_of_rivals")


def verify_folder(folder: Path) -> list[str]:
    """The names of a model folder's networks; of a layer table its own.

    Raises WeightsError for a file that is not the one that was written, KeysError for tensors of other names
    or shapes than config.json implies, WeightsError for values that are no numbers.
    """
    names = check_networks(folder)  # first, as it looks at a header before it reads what follows
    verify_sums(folder)
    return names


def seal_folder(folder: Path) -> list[str]:
    """Write SHA256SUMS of what lies there; where it is no whole model, they are as they were."""
    before = read_plain(folder / SUMS, MAX_SUMS) if (folder / SUMS).exists() else None
    write_sums(folder)
    try:
        return verify_folder(folder)
    except TediganError:
        (folder / SUMS).unlink() if before is None else write_bytes(folder / SUMS, before)
        raise


def check_networks(folder: Path) -> list[str]:
    """Names, shapes and values of a model folder's networks, without its SHA256SUMS.

    Of a rival values alone: its networks are those of a room above, which looks when it opens them.
    """
    if is_layer_table(folder):
        read_layers(folder)
        return ["layers"]
    config = read_config(folder)
    if kind_of(config["architecture"], str(folder)) in OF_COMPARISONS:
        found = sorted(folder.glob("*.safetensors"))
        return [path.stem for path in found if load_tensors(path)]
    with torch.device("meta"):
        networks = _networks_of(config, folder)
    for name, network in networks.items():
        load_into(network, folder / f"{name}.safetensors")
        networks[name] = nn.Identity()  # one at a time in memory
    return list(networks)


def _networks_of(config: Config, folder: Path) -> dict[str, nn.Module]:
    """Those that the folder must have, and G and D where it has them."""
    networks = _KINDS[kind_of(config["architecture"], str(folder))](config)
    absent = [n for n in ("G", "D") if not (folder / f"{n}.safetensors").is_file()]
    return {name: network for name, network in networks.items() if name not in absent}


def _text_encoder(config: Config) -> dict[str, nn.Module]:
    sizes = (config[name] for name in ("embedding_dim", "hidden_dim", "num_ws", "w_dim"))
    return {"text_encoder": TextEncoder(*sizes)}


def _text_mapper(config: Config) -> dict[str, nn.Module]:
    """A reader, and the mover of a generator where there is one."""
    networks: dict[str, nn.Module] = {
        "text_reader": TextReader(TextReaderConfig.from_json(config["reader"]))
    }
    if "mover" in config:
        networks["mover"] = Mover(MoverConfig.from_json(config["mover"]))
    return networks


def _tagger(config: Config) -> dict[str, nn.Module]:
    """And what tells people apart, where it can."""
    networks: dict[str, nn.Module] = {"tagger": FaceTagger(TaggerConfig.from_json(config))}
    if config.get("identity") is not None:
        networks["identity"] = empty_axes(config)
    return networks


def _visual_encoder(config: Config) -> dict[str, nn.Module]:
    """And what draws faces, where it reads drawings and was taught so."""
    networks: dict[str, nn.Module] = {"encoder": VisualEncoder.from_json(config)}
    if config.get("drawer") is not None:
        networks["drawer"] = empty_drawer(config)
    return networks


def _official_encoder(config: Config) -> dict[str, nn.Module]:
    return {"encoder": official_encoder(config)}


_KINDS: dict[str, Callable[[Config], dict[str, nn.Module]]] = {
    "stylegan2": generator_networks,
    "stylegan1": generator_networks,
    "visual_encoder": _visual_encoder,
    "drawer": lambda c: {"drawer": empty_drawer({**c, "drawer": c})},
    "adopted_encoder": lambda c: {"encoder": AdoptedEncoder(official_encoder(c["network"]))},
    "idinvert_encoder": _official_encoder,
    "psp_encoder": _official_encoder,
    "e4e_encoder": _official_encoder,
    "text_encoder": _text_encoder,
    "latent_tagger": lambda c: {"latent_tagger": LatentTagger(LatentTaggerConfig.from_json(c))},
    "text_mapper": _text_mapper,
    "parser": lambda config: {"parser": FaceParser(ParserConfig.from_json(config))},
    "tagger": _tagger,
    "referee": lambda config: {"referee": RefereeNetwork(RefereeConfig.from_json(config))},
}
