"""photographs -> models/generator: StyleGAN2 trained from scratch, trained further, or adopted as it is."""

from typing import Any

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError
from tedigan.generator.config import GeneratorConfig
from tedigan.models.adopt_generator import adopt_generator, save_sheet
from tedigan.models.cards import generator_card
from tedigan.models.imports import read_generator
from tedigan.params import chosen
from tedigan.stages.resuming import open_loop
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream
from tedigan.training.adversarial import AdversarialSettings, AdversarialTrainer
from tedigan.training.data_order import TrainingImages
from tedigan.training.generator_start import check_size, go_on_from, start_from_scratch
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse an init that is not there, or of another size, now."""
    params = workspace.params.train_generator
    if params.init is not None:
        check_size(workspace.at(params.init), workspace.params.dataset.resolution)
    elif not params.total_nimg:
        raise ParamsError(
            "train_generator.init is null and total_nimg is 0: there is nothing to adopt and "
            "nothing to train. Name a generator folder, or set total_nimg (e.g. 200000)."
        )


def run(workspace: Workspace) -> Outcome:
    """Write G_ema, G and D with their config, log and a sheet of samples."""
    check(workspace)
    params, folder = workspace.params.train_generator, workspace.model("generator")
    init = None if params.init is None else workspace.at(params.init)
    if init is not None and not params.total_nimg:
        seen = adopt_generator(init, folder)
        return Outcome(metrics={"images_seen": float(seen)}, pictures=[folder / "samples.png"])
    data, device = Dataset.open(workspace.dataset), workspace.device
    trainer = _start(workspace, data.resolution)
    inputs = [workspace.dataset] + ([init] if init else [])
    loop = open_loop(workspace, "train_generator", inputs, lengths=frozenset({"total_nimg"}))
    images = TrainingImages(
        data,
        data.split("train"),
        batch_size=params.batch_size,
        seed=params.seed,
        name=loop.name,
        device=device,
        num_workers=workspace.num_loaders,
    )

    def step(index: int) -> dict[str, float]:
        rng = stream(params.seed, loop.name, index)
        return trainer.step(images.at(index, rng), rng, index=index)

    num_steps = params.total_nimg // params.batch_size
    loop.run(trainer.components(), step, num_steps=num_steps)
    seen = trainer.images_seen_before + num_steps * params.batch_size
    with finished_folder(folder) as fresh:
        config = trainer.config.to_json() | {"training": _history(workspace, data, seen)}
        networks = {"G_ema": trainer.G_ema, "G": trainer.G, "D": trainer.D}
        save_model(fresh, networks, config, generator_card(config))
        loop.write_log(fresh / "log.csv")
        save_sheet(fresh / "samples.png", trainer.G_ema)
    loop.checkpoint.remove()
    metrics = {name: loop.last(name) for name in ("loss_g", "loss_d")}
    return Outcome(
        metrics=metrics | {"images_seen": float(seen)},
        curves=folder / "log.csv",
        pictures=[folder / "samples.png"],
        resumed_from_step=loop.resumed_from_step,
    )


def _start(workspace: Workspace, resolution: int) -> AdversarialTrainer:
    params, device = workspace.params.train_generator, workspace.device
    settings = chosen(params, AdversarialSettings)
    if params.init is not None:
        init = workspace.at(params.init)
        check_size(init, resolution)
        return go_on_from(init, settings, seed=params.seed, device=device)
    config = GeneratorConfig(
        img_resolution=resolution,
        z_dim=params.z_dim,
        w_dim=params.w_dim,
        num_mapping_layers=params.num_mapping_layers,
        channel_base=params.channel_base,
        channel_max=params.channel_max,
    )
    return start_from_scratch(config, settings, seed=params.seed, device=device)


def _history(workspace: Workspace, data: Dataset, images_seen: int) -> dict[str, Any]:
    """What the model card says of the training; no time, no host."""
    params = workspace.params.train_generator
    before = read_generator(workspace.at(params.init)).history if params.init else None
    settings = params.model_dump(mode="json", exclude={"init", "checkpoint_every"})
    return {
        "images_seen": images_seen,
        "data": f"{data.description['source']}, {len(data.split('train'))} training images at "
        f"{data.resolution} px (seed {data.description['seed']})",
        "licence": data.licence,
        "settings": settings,
        "continued_from": before,
    }
