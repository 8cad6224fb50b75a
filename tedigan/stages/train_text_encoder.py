"""captions + codes -> models/text_encoder: captions into W+, and which layers they speak of."""

from typing import Any

from tedigan.dataset.folder import Dataset
from tedigan.encoders.text import TextBackbone, TextEncoder, layer_relevance
from tedigan.method.control import relevant_layers
from tedigan.models.cards import text_encoder_card
from tedigan.models.text_backbones import load_text_model
from tedigan.params import chosen
from tedigan.stages.resuming import close_loop, open_loop
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import load_tensors, save_model
from tedigan.training.ranks import shared_stream
from tedigan.training.text_encoder_trainer import (
    TextEncoderSettings,
    TextEncoderTrainer,
    new_text_encoder,
    read_pairs,
)
from tedigan.training_sections import TrainTextEncoder
from tedigan.workspace import Outcome, Workspace


def run(workspace: Workspace) -> Outcome:
    """Write text_encoder.safetensors with its config (measured layer relevance) and log."""
    params, device = workspace.params.train_text_encoder, workspace.device
    data = Dataset.open(workspace.dataset)
    backbone = TextBackbone(*load_text_model(params.backbone, device))
    codes = load_tensors(workspace.codes / "codes.safetensors")
    train, val = (
        read_pairs(data, split, codes, backbone, captions_per_image=params.captions_per_image)
        for split in ("train", "val")
    )
    encoder = new_text_encoder(
        train[1], embedding_dim=backbone.dim, hidden_dim=params.hidden_dim, seed=params.seed
    )
    trainer = TextEncoderTrainer(encoder, *train, chosen(params, TextEncoderSettings))
    loop = open_loop(workspace, "train_text_encoder", [workspace.dataset, workspace.codes])
    loop.run(
        trainer.components(),
        lambda index: trainer.step(shared_stream(params.seed, loop.name, index), index),
        num_steps=params.num_steps,
    )
    encoder.eval().requires_grad_(False)
    encoder.relevance.copy_(layer_relevance(encoder(val[0]), val[1], encoder.ws_mean))
    with finished_folder(workspace.model("text_encoder")) as folder:
        config = _config(encoder, params, sha256_file(workspace.codes / "codes.safetensors"))
        config["licence"] = data.licence
        loop.write_log(folder / "log.csv")
        save_model(folder, {"text_encoder": encoder}, config, text_encoder_card(config))
    metrics = loop.last("loss_latent") | {"relevance_mean": encoder.relevance.mean().item()}
    return close_loop(loop, workspace.model("text_encoder"), metrics)


def _config(encoder: TextEncoder, params: TrainTextEncoder, codes_sha256: str) -> dict[str, Any]:
    relevance = [round(value, 4) for value in encoder.relevance.tolist()]
    return {
        "architecture": "text_encoder",
        "backbone": params.backbone,
        "embedding_dim": encoder.embedding_dim,
        "hidden_dim": params.hidden_dim,
        "num_ws": encoder.num_ws,
        "w_dim": encoder.w_dim,
        "relevance": relevance,
        "text_layers": relevant_layers(encoder.relevance, share=params.relevance_share),
        "codes_sha256": codes_sha256,
        "training": params.model_dump(mode="json", exclude={"checkpoint_every"}),
    }
