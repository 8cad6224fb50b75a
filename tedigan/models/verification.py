"""Is a model folder whole? Every kind of folder that the stages and `models import` write."""

from collections.abc import Callable
from pathlib import Path

from torch import nn

from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.annotators.referee_network import RefereeConfig, RefereeNetwork
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig, empty_axes
from tedigan.encoders.adopted import AdoptedEncoder, official_encoder
from tedigan.encoders.latent_tagger import LatentTagger, LatentTaggerConfig
from tedigan.encoders.text import TextEncoder
from tedigan.encoders.text_mapper import Mover, MoverConfig, TextReader, TextReaderConfig
from tedigan.encoders.visual import VisualEncoder
from tedigan.errors import WeightsError
from tedigan.models.imports import Config, generator_networks
from tedigan.store.model_folders import check_sums, load_into, read_config


def verify_folder(folder: Path) -> tuple[list[str], bool]:
    """The names of a model folder's networks, and whether their sha256 was recorded.

    Raises WeightsError for a file that is not the one that was written, KeysError for tensors of other names
    or shapes than config.json implies, WeightsError for values that are no numbers.
    """
    is_recorded = check_sums(folder)
    networks = _networks_of(read_config(folder), folder)
    for name, network in networks.items():
        load_into(network, folder / f"{name}.safetensors")
    return list(networks), is_recorded


def _networks_of(config: Config, folder: Path) -> dict[str, nn.Module]:
    """Those that the folder must have, and G and D where it has them."""
    architecture = str(config.get("architecture"))
    known = [name for name in _KINDS if architecture.lower().startswith(name)]
    if not known:
        raise WeightsError(
            f"the model's architecture is {architecture[:40]!r}, expected one of {', '.join(_KINDS)}. "
            "Import or train it again."
        )
    try:
        networks = _KINDS[known[0]](config)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"the config.json of this {known[0]} lacks or garbles {error}. Make the model again."
        ) from error
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
    network, axes = FaceTagger(TaggerConfig.from_json(config)), empty_axes(config)
    return {"tagger": network} if axes is None else {"tagger": network, "identity": axes}


def _official_encoder(config: Config) -> dict[str, nn.Module]:
    return {"encoder": official_encoder(config)}


_KINDS: dict[str, Callable[[Config], dict[str, nn.Module]]] = {
    "stylegan2": generator_networks,
    "stylegan1": generator_networks,
    "visual_encoder": lambda c: {"encoder": VisualEncoder.from_json(c)},
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
