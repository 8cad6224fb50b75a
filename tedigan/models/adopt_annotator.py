"""A ready-made tagger -> models/guide, in the place of a training."""

from pathlib import Path

import torch

from tedigan.annotators.tagger import IDENTITY, NAME, load_guide
from tedigan.models.annotator_cards import tagger_card
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import read_config, save_model


def adopt_tagger(init: Path, folder: Path) -> None:
    """Write the tagger of a folder as it is; one that learnt nothing is a WeightsError."""
    guide, config = load_guide(init, torch.device("cpu")), read_config(init)
    networks = {NAME: guide.network} | ({IDENTITY: guide.identity} if guide.identity else {})
    with finished_folder(folder) as fresh:
        save_model(fresh, networks, config, tagger_card(config))
