"""What the stages train_sketch_encoder and train_label_encoder share: all but how a face is drawn."""

from dataclasses import asdict
from pathlib import Path

from tedigan.dataset.folder import Dataset
from tedigan.encoders.modalities import Drawing
from tedigan.models.adopt_encoder import adopt_encoder
from tedigan.models.cards import encoder_card
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import freeze, load_tensors, save_model
from tedigan.training.drawing_layers import linearly_explained, loss_weights, report_layers
from tedigan.training.drawing_lessons import Draw, PairMaker, PairSettings, open_lessons
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer, new_encoder
from tedigan.training.ranks import share, shared_stream
from tedigan.training_sections import TrainSketchEncoder
from tedigan.workspace import Outcome, Workspace

LOSSES = ("loss_latent", "loss_code", "loss_pixel", "loss_perceptual", "loss_adversarial")


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
        adopt_encoder(workspace.at(params.init), source, folder, modality, seed=params.seed)
        return Outcome(metrics={"adopted": 1.0})
    generator, features = load_generator(source, device), load_discriminator(source, device)
    lessons = open_lessons(
        generator,
        Dataset.open(workspace.dataset),
        load_tensors(workspace.codes / "codes.safetensors"),
        modality,
        None
        if maker is None
        else PairMaker(maker, chosen(params, PairSettings), [source, *parsers]),
        work=workspace.work,
    )
    sizes = {"head_dim": params.head_dim, "num_passes": params.num_passes}
    encoder = new_encoder(generator, features, **sizes, seed=params.seed, paint=lessons.paint())
    weights = loss_weights(linearly_explained(lessons)).to(device)
    settings = chosen(params, EncoderSettings)
    trainer = EncoderTrainer(generator, features, encoder, settings, lessons.some_pairs, weights)
    inputs = [workspace.dataset, source, workspace.codes, *parsers]
    loop = open_loop(workspace, f"train_{name}", inputs)

    def step(index: int) -> dict[str, float]:
        rng = shared_stream(params.seed, loop.name, index)
        trainer.set_learning_rate(index)
        if index < settings.num_synthetic_steps:
            return trainer.synthetic_step(rng)
        return trainer.drawing_step(lessons.photographs(share(params.batch_size), rng), rng, index)

    loop.run(trainer.components(), step, num_steps=trainer.num_steps)
    freeze(encoder, device)
    report = report_layers(trainer.passes, lessons, draw=draw, seed=params.seed)
    with finished_folder(folder) as fresh:
        about = {"generator_sha256": sha256_file(source / "G_ema.safetensors"), **asdict(report)}
        about["training"] = params.model_dump(mode="json", exclude={"checkpoint_every"})
        config = encoder.to_json() | about
        loop.write_log(fresh / "log.csv")
        save_model(fresh, {"encoder": encoder}, config, encoder_card(config))
    return close_loop(loop, folder, loop.last(*LOSSES))
