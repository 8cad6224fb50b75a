"""photographs -> models/generator: StyleGAN2 trained from scratch, trained further, or adopted as it is."""

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError, WeightsError
from tedigan.generator.config import GeneratorConfig
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.models.adopt_generator import adopt_generator, save_sheet
from tedigan.models.cards import generator_card
from tedigan.models.imports import read_generator, read_generator_config
from tedigan.params import TrainGenerator
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream, to_images
from tedigan.training.adversarial import AdversarialSettings, AdversarialTrainer
from tedigan.training.loop import Stateful, Training
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse an init that is not there, or of another size, now."""
    params = workspace.params.train_generator
    if params.init is not None:
        _check_size(workspace.at(params.init), workspace.params.dataset.resolution)


def run(workspace: Workspace) -> Outcome:
    """Write G_ema, G and D with their config, log and a sheet of samples."""
    params = workspace.params.train_generator
    data = Dataset.open(workspace.dataset)
    init = None if params.init is None else workspace.at(params.init)
    if init is not None:
        _check_size(init, data.resolution)
        if not params.total_nimg:
            return adopt_generator(workspace, init)
    trainer, seen = _trainer(params, data, init, workspace.device)

    inputs = [workspace.dataset] + ([init] if init else [])
    training = Training(
        workspace,
        "train_generator",
        inputs,
        every=params.checkpoint_every,
        lengths=frozenset({"total_nimg"}),
    )
    num_steps = params.total_nimg // params.batch_size
    _train(trainer, training, data, params, num_steps, workspace.device)

    seen += num_steps * params.batch_size
    with finished_folder(workspace.model("generator")) as folder:
        config = trainer.config.to_json() | {"training": _history(params, data, seen, init)}
        networks = {"G_ema": trainer.G_ema, "G": trainer.G, "D": trainer.D}
        save_model(folder, networks, config, generator_card(config))
        training.write_log(folder / "log.csv")
        save_sheet(folder / "samples.png", trainer.G_ema)
    training.checkpoint.remove()
    metrics = {name: training.last(name) for name in ("loss_g", "loss_d")}
    model = workspace.model("generator")
    return Outcome(
        metrics=metrics | {"images_seen": float(seen)},
        curves=model / "log.csv",
        pictures=[model / "samples.png"],
        resumed_from_step=training.resumed_from_step,
    )


def _trainer(
    params: TrainGenerator, data: Dataset, init: Path | None, device: torch.device
) -> tuple[AdversarialTrainer, int]:
    """Networks from init or from the seed, and the images that init had already seen."""
    seen = 0
    if init is None:
        if not params.total_nimg:
            raise ParamsError(
                "train_generator.init is null and total_nimg is 0: there is nothing to adopt and "
                "nothing to train. Name a generator folder, or set total_nimg (e.g. 200000)."
            )
        torch.manual_seed(params.seed)  # the networks' initial weights; nothing else draws from it
        config = _config(params, data.resolution)
        networks: list[Any] = [Generator(config), Discriminator(config), None]
    else:
        networks, seen = _read_init(init, params.seed)
    for network in networks:
        if network is not None:
            network.to(device, memory_format=torch.channels_last)
    generator, discriminator, average = networks
    settings = AdversarialSettings(
        **{name: getattr(params, name) for name in AdversarialSettings.__dataclass_fields__}
    )
    trainer = AdversarialTrainer(
        generator, discriminator, average, settings, images_seen_before=seen
    )
    return trainer, seen


def _config(params: TrainGenerator, resolution: int) -> GeneratorConfig:
    return GeneratorConfig(
        img_resolution=resolution,
        z_dim=params.z_dim,
        w_dim=params.w_dim,
        num_mapping_layers=params.num_mapping_layers,
        channel_base=params.channel_base,
        channel_max=params.channel_max,
    )


def _read_init(path: Path, seed: int) -> tuple[list[nn.Module | None], int]:
    """[G, D, G_ema] of a generator folder or an official file, and the images that they had seen.

    Where there is no G, the training goes on from G_ema; where there is no D, a new one learns along.
    """
    found = read_generator(path)
    config = GeneratorConfig.from_json(found.config)
    if config.architecture != "stylegan2":
        raise WeightsError(
            f"{path} is a {config.architecture}; only StyleGAN2 is trained here. Adopt it as it is with "
            "train_generator.total_nimg: 0, or train another."
        )
    networks = found.networks
    torch.manual_seed(seed)
    D = networks.get("D") or Discriminator(config)
    G = networks.get("G") or copy.deepcopy(networks["G_ema"])
    return [G, D, networks["G_ema"]], int(found.history.get("images_seen", 0))


def _check_size(path: Path, resolution: int) -> None:
    made = read_generator_config(path).img_resolution
    if made != resolution:
        raise WeightsError(
            f"{path} makes {made} px, but the data set has {resolution} px. "
            "Set dataset.resolution to the generator's, or choose another train_generator.init."
        )


def _train(
    trainer: AdversarialTrainer,
    training: Training,
    data: Dataset,
    params: TrainGenerator,
    num_steps: int,
    device: torch.device,
) -> None:
    ids = data.split("train")

    def step(index: int) -> dict[str, float]:
        rng = stream(params.seed, "train_generator", index)
        chosen = torch.randint(len(ids), (params.batch_size,), generator=rng).tolist()
        photographs = to_images(data.pixels([ids[i] for i in chosen]).to(device))
        return trainer.step(photographs, rng, index=index)

    components: dict[str, Stateful] = {
        "G": trainer.G,
        "D": trainer.D,
        "G_ema": trainer.G_ema,
        "G_optimiser": trainer.G_optimiser,
        "D_optimiser": trainer.D_optimiser,
    }
    training.run(components, step, num_steps=num_steps)


def _history(params: TrainGenerator, data: Dataset, seen: int, init: Path | None) -> dict[str, Any]:
    """What the model card says of the training; no time, no host."""
    before = read_generator(init).history if init else None
    settings = params.model_dump(mode="json", exclude={"init", "checkpoint_every"})
    return {
        "images_seen": seen,
        "data": f"{data.description['source']}, {len(data.split('train'))} training images at "
        f"{data.resolution} px (seed {data.description['seed']})",
        "licence": data.licence,
        "settings": settings,
        "continued_from": before,
    }
