"""Who is who, in a tagger's features: a closed form, found after its training or added to a finished one."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from scipy.stats import mannwhitneyu
from torch import Tensor

from tedigan.annotators.identity_axes import IdentityAxes, find_identity_axes
from tedigan.annotators.tagger import IDENTITY, open_tagger
from tedigan.annotators.tagger_network import FaceTagger
from tedigan.dataset.folder import Dataset
from tedigan.dataset.small_pixels import CHUNK, small_pixels
from tedigan.errors import DataError
from tedigan.models.annotator_cards import tagger_card
from tedigan.store.files import finished_folder, write_bytes
from tedigan.store.model_folders import save_model
from tedigan.tensors import to_images

MAX_EXAMINED = 2000  # photographs of val, of which every pair is compared


def learn_people(
    network: FaceTagger, data: Dataset, ids: list[int]
) -> tuple[IdentityAxes, dict[str, Any]] | None:
    """The axes, and what config.json says of them; None where these photographs show nobody twice.

    val_auroc: P(two val photographs of one person are more alike than two of two people); None where val shows
    nobody twice.
    """
    side = network.config.input_px
    axes = find_identity_axes(
        features_of(network, small_pixels(data, ids, side)), data.identities(ids)
    )
    if axes is None:
        return None
    val = data.split("val")[:MAX_EXAMINED]
    seen = axes(features_of(network, small_pixels(data, val, side)))
    about = {
        "num_axes": axes.axes.shape[1],
        "num_people": len(data.identities(ids).unique()),
        "num_photographs": len(ids),
        "val_auroc": auroc_of_pairs(seen, data.identities(val)),
    }
    return axes, about


def add_people(dataset: Path, folder: Path, *, half: str) -> dict[str, Any]:
    """Add to a finished tagger's folder who is who; its own weights stay, to the byte. Returns its config.json.

    half: the half of train that it was trained on. Raises DataError where that shows nobody twice.
    """
    data, (config, network) = Dataset.open(dataset), open_tagger(folder, torch.device("cpu"))
    found = learn_people(network, data, data.half(half))
    if found is None:
        raise DataError(
            f"{dataset} shows fewer than two people twice in the half of the {half}, expected people who come "
            "again. Name a data set that has them, or leave weight_identity at 0."
        )
    axes, config["identity"] = found
    with finished_folder(folder) as fresh:
        for file in folder.iterdir():
            write_bytes(fresh / file.name, file.read_bytes())
        save_model(fresh, {IDENTITY: axes}, config, tagger_card(config))
    return config


@torch.no_grad()
def features_of(network: FaceTagger, pixels: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
    """On the CPU."""
    device = next(network.parameters()).device
    parts = [network.features(to_images(part).to(device)) for part in pixels.split(CHUNK)]
    return torch.cat(parts).cpu()


def auroc_of_pairs(who: Float[Tensor, "n d"], people: Int64[Tensor, " n"]) -> float | None:
    """Of the cosines of all pairs; None where no pair shows one person, or none shows two."""
    first, second = torch.triu_indices(len(who), len(who), offset=1)
    cosines = (who @ who.T)[first, second].double().numpy()
    is_same = ((people[first] == people[second]) & (people[first] >= 0)).numpy()
    same, other = cosines[is_same], cosines[~is_same]
    if not len(same) or not len(other):
        return None
    return float(
        mannwhitneyu(same, other, method="asymptotic").statistic / (len(same) * len(other))
    )
