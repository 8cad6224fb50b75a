"""A ready-made tagger -> models/guide, in the place of a training."""

from pathlib import Path

import torch

from tedigan.annotators.tagger import NAME, load_guide
from tedigan.models.annotator_cards import tagger_card
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import read_config, save_model


def adopt_tagger(init: Path, folder: Path) -> None:
    """Write the tagger of a folder as it is; one that learnt nothing is a WeightsError."""
    guide, config = load_guide(init, torch.device("cpu")), read_config(init)
    with finished_folder(folder) as fresh:
        save_model(fresh, {NAME: guide.network}, config, tagger_card(config))
