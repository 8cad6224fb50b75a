"""What the stages train_sketch_encoder and train_label_encoder share: all but how a face is drawn."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.method.drawing_fit import FitSettings
from tedigan.models.adopt_encoder import adopt_encoder
from tedigan.models.cards import encoder_card
from tedigan.models.drawing_encoders import open_drawer
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_drawn_images, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import load_tensors, save_model
from tedigan.training.drawer_trainer import DrawerSettings, DrawerTrainer
from tedigan.training.drawing_layers import linearly_explained, loss_weights, report_layers
from tedigan.training.drawing_lessons import Draw, PairMaker, PairSettings, open_lessons
from tedigan.training.drawing_trainer import DrawingTrainer
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer, new_encoder
from tedigan.training_sections import TrainSketchEncoder
from tedigan.workspace import Outcome, Workspace

LOSSES = ("loss_latent", "loss_code", "loss_pixel", "loss_perceptual", "loss_drawer")


def train(
    workspace: Workspace,
    params: TrainSketchEncoder,
    modality: Drawing,
    draw: Draw | None,
    parsers: list[Path],
    *,
    of_pairs: Draw | None = None,
) -> Outcome:
    """Write encoder.safetensors with its log and its config, which says which layers it is good for.

    draw: pixels -> their drawings; None where nobody can; of generated faces by of_pairs. parsers: what both need.
    """
    device, source, name = workspace.device, workspace.model("generator"), f"{modality}_encoder"
    maker = of_pairs or draw
    folder = workspace.model(name)
    if params.init is not None:
        adopt_encoder(workspace.given(params.init), source, folder, modality, seed=params.seed)
        return Outcome(metrics={"adopted": 1.0})
    generator, features = load_generator(source, device), load_discriminator(source, device)
    inputs, data = [source, workspace.codes, *parsers], Dataset.open(workspace.dataset)
    loop = open_loop(workspace, f"train_{name}", [workspace.dataset, *inputs])
    images = open_drawn_images(workspace, data, loop, modality)
    pairs = maker and PairMaker(maker, chosen(params, PairSettings), [source, *parsers])
    codes = load_tensors(workspace.codes / "codes.safetensors")
    lessons = open_lessons(generator, data, codes, modality, pairs, images, work=workspace.work)
    sizes = {"head_dim": params.head_dim, "num_passes": params.num_passes}
    encoder = new_encoder(generator, features, **sizes, seed=params.seed, paint=lessons.paint())
    weights = loss_weights(linearly_explained(lessons)).to(device)
    settings = chosen(params, EncoderSettings)
    passes = EncoderTrainer(generator, features, encoder, settings, lessons.some_pairs, weights)
    begun = params.drawer and open_drawer(workspace.given(params.drawer), modality)
    of_drawer, most = chosen(params, DrawerSettings), passes.num_steps
    drawer = DrawerTrainer(lessons, of_drawer, begun or None, num_steps=most, seed=params.seed)
    taught = drawer if begun or params.num_drawer_steps else None
    trainer = DrawingTrainer(passes, taught, lessons, chosen(params, FitSettings))
    step = partial(trainer.step, seed=params.seed, name=loop.name)
    loop.run(trainer.components(), step, num_steps=passes.num_steps)
    networks, config = trainer.finished()
    told, used = passes.passes, trainer.as_used()
    report = report_layers(told, used, lessons, draw=draw, seed=params.seed)
    with finished_folder(folder) as fresh:
        about = {"generator_sha256": sha256_file(source / "G_ema.safetensors"), **asdict(report)}
        about["training"] = params.model_dump(mode="json", exclude={"checkpoint_every"})
        config |= about
        loop.write_log(fresh / "log.csv")
        save_model(fresh, networks, config, encoder_card(config))
    return close_loop(loop, folder, loop.last(*LOSSES))
