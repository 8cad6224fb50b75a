"""Where a generator's training starts, and what its card says of it."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError, WeightsError
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.store.model_folders import save_model
from tedigan.training.adversarial import AdversarialTrainer
from tedigan.training.generator_start import (
    GeneratorSize,
    check_start,
    history_of,
    start_training,
)
from tedigan.workspace import Workspace
from tests.generator.nets import TINY
from tests.generator.test_training import SETTINGS

SIZE = GeneratorSize(
    z_dim=16, w_dim=12, num_mapping_layers=2, channel_base=128, channel_max=8, conv_clamp=None
)


def started(init: Path | None, *, seed: int = 3) -> AdversarialTrainer:
    return start_training(init, 16, SIZE, SETTINGS, seed=seed, device=torch.device("cpu"))


def networks(seed: int) -> tuple[Generator, Discriminator]:
    torch.manual_seed(seed)
    return Generator(TINY), Discriminator(TINY)


def are_equal(one: nn.Module, other: nn.Module) -> bool:
    theirs = other.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in one.state_dict().items())


def share_no_weight(trainer: AdversarialTrainer) -> bool:
    pairs = zip(trainer.G.parameters(), trainer.G_ema.parameters(), strict=True)
    return all(live is not average for live, average in pairs)


def folder_of(root: Path, history: dict[str, object], **saved: nn.Module) -> Path:
    save_model(root / "g", saved, TINY.to_json() | {"training": history}, "card")
    return root / "g"


def test_new_networks_are_of_the_seed_alone() -> None:
    trainer, (generator, discriminator) = started(None), networks(3)
    assert trainer.config == TINY
    assert are_equal(trainer.G, generator)
    assert are_equal(trainer.G_ema, generator)
    assert are_equal(trainer.D, discriminator)
    assert share_no_weight(trainer)
    assert trainer.images_seen_before == 0
    assert trainer.settings == SETTINGS
    weight = trainer.D.b16.conv0.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_whole_generator_goes_on_where_it_stopped(tmp_path: Path) -> None:
    (live, discriminator), (average, _) = networks(5), networks(6)
    history = {"images_seen": 70}
    trainer = started(folder_of(tmp_path, history, G=live, D=discriminator, G_ema=average))
    assert are_equal(trainer.G, live)
    assert are_equal(trainer.D, discriminator)
    assert are_equal(trainer.G_ema, average)
    assert trainer.images_seen_before == 70


def test_without_g_and_d_the_average_goes_on_beside_a_new_discriminator(tmp_path: Path) -> None:
    average, _ = networks(6)
    trainer = started(folder_of(tmp_path, {}, G_ema=average))
    assert are_equal(trainer.G, average)
    assert are_equal(trainer.G_ema, average)
    assert share_no_weight(trainer)
    torch.manual_seed(3)
    assert are_equal(trainer.D, Discriminator(TINY))
    assert trainer.images_seen_before == 0


def test_a_stylegan1_is_not_trained_on(tmp_path: Path) -> None:
    config = replace(TINY, architecture="stylegan1", repeat_w=False)
    save_model(tmp_path / "g", {"G_ema": Generator(config)}, config.to_json(), "card")
    with pytest.raises(
        WeightsError, match=r"g is a stylegan1; only StyleGAN2 is trained here\. Adopt"
    ):
        started(tmp_path / "g")


def test_the_history_says_how_many_images_of_which_data(
    untrained: Workspace, tmp_path: Path
) -> None:
    data = Dataset.open(untrained.dataset)
    before = {"images_seen": 70, "data": "others"}
    init = folder_of(tmp_path, before, G_ema=networks(6)[0])
    trainer, params = started(init), {"batch_size": 4, "seed": 3}
    about = {"data": data.in_words, "licence": data.licence}
    history = history_of(trainer, init, **about, num_steps=5, params=params)
    assert history == {
        "images_seen": 90,
        "data": "drawn, 24 training images at 32 px (seed 0)",
        "licence": "toy",
        "settings": params,
        "continued_from": before,
    }
    assert history_of(trainer, None, **about, num_steps=5, params=params)["continued_from"] is None


def test_a_generator_of_another_size_than_the_data_set_s_is_refused(tmp_path: Path) -> None:
    init = folder_of(tmp_path, {}, G_ema=networks(6)[0])
    check_start(init, 16, None, "fp32", torch.device("cpu"))
    with pytest.raises(
        WeightsError, match=r"makes 16 px, but the data set has 32 px\. Set dataset"
    ):
        check_start(init, 32, None, "fp32", torch.device("cpu"))


def test_an_init_is_held_to_its_own_bounds_in_fp16(tmp_path: Path) -> None:
    """train_generator.conv_clamp is of new networks."""
    init = folder_of(tmp_path, {}, G_ema=networks(6)[0])
    with pytest.raises(ParamsError, match="nothing bounds"):
        check_start(init, 16, 256.0, "fp16", torch.device("cuda"))
