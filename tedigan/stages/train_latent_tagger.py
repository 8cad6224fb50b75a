"""generator + guide + photographs' codes -> models/latent_tagger: attributes read off a code, without its face."""

from tedigan.annotators.tagger import load_guide
from tedigan.dataset.folder import Dataset
from tedigan.models.cards import latent_tagger_card
from tedigan.models.opening import load_generator
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import load_tensors, save_model
from tedigan.training.latent_tagger_trainer import (
    LatentTaggerSettings,
    LatentTaggerTrainer,
    codes_of,
    draw_pairs,
    new_latent_tagger,
)
from tedigan.training.ranks import shared_stream
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Draw faces of many kinds of codes, let the guide look at them, and learn what it says."""
    params, device = workspace.params.train_latent_tagger, workspace.device
    source, data = workspace.model("generator"), Dataset.open(workspace.dataset)
    generator, guide = (
        load_generator(source, device),
        load_guide(workspace.model("guide"), device),
    )
    tagger = new_latent_tagger(
        generator,
        guide.names,
        hidden_dim=params.hidden_dim,
        num_members=params.num_members,
        seed=params.seed,
    )
    photographs = codes_of(
        load_tensors(workspace.codes / "codes.safetensors"), data.half("guide"), device
    )
    pairs = draw_pairs(
        generator,
        guide.look,
        tagger,
        photographs,
        num_pairs=params.num_pairs,
        batch_size=params.pairs_batch_size,
        seed=params.seed,
    )
    trainer = LatentTaggerTrainer(tagger, pairs, chosen(params, LatentTaggerSettings))
    inputs = [workspace.dataset, source, workspace.codes, workspace.model("guide")]
    loop = open_loop(workspace, "train_latent_tagger", inputs)
    loop.run(
        trainer.components(),
        lambda index: trainer.step(shared_stream(params.seed, loop.name, index), index),
        num_steps=params.num_steps,
    )
    explained = trainer.explained()
    folder = workspace.model("latent_tagger")
    with finished_folder(folder) as fresh:
        about = {
            "generator_sha256": sha256_file(source / "G_ema.safetensors"),
            "explained": dict(zip(tagger.names, explained.tolist(), strict=True)),
            "licence": data.licence,
            "training": params.model_dump(mode="json", exclude={"checkpoint_every"}),
        }
        config = tagger.config.to_json() | about
        loop.write_log(fresh / "log.csv")
        save_model(fresh, {"latent_tagger": tagger}, config, latent_tagger_card(config))
    return close_loop(loop, folder, loop.last("loss") | {"explained": explained.mean().item()})
