"""photographs + generator -> models/encoder: the inversion encoder, trained here or adopted."""

from tedigan.dataset.folder import Dataset
from tedigan.models.adopt_encoder import adopt_encoder
from tedigan.models.cards import encoder_card
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_images, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import save_model
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer, new_encoder
from tedigan.training.ranks import shared_stream
from tedigan.workspace import Outcome, Workspace

LOSSES = (
    "loss_pixel",
    "loss_perceptual",
    "loss_latent",
    "loss_delta",
    "loss_adversarial",
    "loss_d",
)


def run(workspace: Workspace) -> Outcome:
    """Write encoder.safetensors with its config and log."""
    params, device, source = (
        workspace.params.train_encoder,
        workspace.device,
        workspace.model("generator"),
    )
    if params.init is not None:
        adopt_encoder(
            workspace.given(params.init), source, workspace.model("encoder"), seed=params.seed
        )
        return Outcome(metrics={"adopted": 1.0})
    data = Dataset.open(workspace.dataset)
    generator, features = load_generator(source, device), load_discriminator(source, device)
    encoder = new_encoder(
        generator,
        features,
        head_dim=params.head_dim,
        num_passes=params.num_passes,
        seed=params.seed,
    )
    trainer = EncoderTrainer(generator, features, encoder, chosen(params, EncoderSettings))

    loop = open_loop(workspace, "train_encoder", [workspace.dataset, source])
    images = open_images(workspace, data, loop)

    def step(index: int) -> dict[str, float]:
        rng = shared_stream(params.seed, loop.name, index)
        trainer.set_learning_rate(index)
        if index < params.num_synthetic_steps:
            return trainer.synthetic_step(rng)
        return trainer.photograph_step(images.at(index, rng), rng, index)

    loop.run(trainer.components(), step, num_steps=trainer.num_steps)
    encoder.eval()
    with finished_folder(workspace.model("encoder")) as folder:
        config = encoder.to_json() | {
            "generator_sha256": sha256_file(source / "G_ema.safetensors"),
            "training": params.model_dump(mode="json", exclude={"checkpoint_every"}),
        }
        loop.write_log(folder / "log.csv")
        save_model(folder, {"encoder": encoder}, config, encoder_card(config))
    return close_loop(loop, workspace.model("encoder"), loop.last(*LOSSES))
