"""captions + codes -> models/text_encoder: captions into the photographs' W+ space (TediGAN A2).

    L = sum_i p_i |w_v,i - w_l,i|^2

in standard deviations of the codes, p_i = 1 / num_ws. What this finds is the mean code of the faces that fit
a caption; the control mechanism's `strength` and `variety` bring back what a mean lacks.
"""

from typing import Any

import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.text import TextBackbone, TextEncoder, layer_relevance
from tedigan.method.control import relevant_layers
from tedigan.method.losses import latent_loss
from tedigan.models.cards import text_encoder_card
from tedigan.models.text_backbones import load_text_model
from tedigan.params import TrainTextEncoder
from tedigan.progress import progress
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import load_tensors, save_model
from tedigan.tensors import stream
from tedigan.training.loop import Stateful, Training
from tedigan.workspace import Outcome, Workspace

EMBED_BATCH = 128


def run(workspace: Workspace) -> Outcome:
    """Write text_encoder.safetensors with its config (measured layer relevance) and log."""
    params, device = workspace.params.train_text_encoder, workspace.device
    data = Dataset.open(workspace.dataset)
    backbone = TextBackbone(*load_text_model(params.backbone, device))
    train, val = (_pairs(workspace, data, name, backbone, params) for name in ("train", "val"))

    torch.manual_seed(params.seed)
    encoder = TextEncoder(backbone.dim, params.hidden_dim, *train[1].shape[1:]).to(device)
    encoder.ws_mean.copy_(train[1].mean(dim=0))
    encoder.ws_std.copy_(train[1].std(dim=0).clamp_min(1e-6))
    torch.nn.init.zeros_(encoder.out.weight)  # the first guess is the mean code
    training = Training(
        workspace,
        "train_text_encoder",
        [workspace.dataset, workspace.codes],
        every=params.checkpoint_every,
    )
    _train(encoder, training, params, *train)

    encoder.eval().requires_grad_(False)
    encoder.relevance.copy_(layer_relevance(encoder(val[0]), val[1], encoder.ws_mean))
    with finished_folder(workspace.model("text_encoder")) as folder:
        config = _config(encoder, params, sha256_file(workspace.codes / "codes.safetensors"))
        save_model(folder, {"text_encoder": encoder}, config, text_encoder_card(config))
        training.write_log(folder / "log.csv")
    training.checkpoint.remove()
    return Outcome(
        metrics={
            "loss_latent": training.last("loss_latent"),
            "relevance_mean": encoder.relevance.mean().item(),
        },
        curves=workspace.model("text_encoder") / "log.csv",
        resumed_from_step=training.resumed_from_step,
    )


def _pairs(
    workspace: Workspace,
    data: Dataset,
    split: str,
    backbone: TextBackbone,
    params: TrainTextEncoder,
) -> tuple[Tensor, Tensor]:
    """(embeddings [m, dim], codes [m, num_ws, w_dim]) of a split, `captions_per_image` rows a photograph."""
    codes = load_tensors(workspace.codes / "codes.safetensors")
    row_of = {id: row for row, id in enumerate(codes["ids"].tolist())}
    chosen = [
        (caption, row_of[id])
        for id in data.split(split)
        for caption in data.captions(id)[: params.captions_per_image]
    ]
    captions = [caption for caption, _ in chosen]
    batches = backbone.embed(captions, batch_size=EMBED_BATCH)
    total = -(-len(captions) // EMBED_BATCH)
    embeddings = torch.cat(
        list(progress(batches, total=total, desc=f"{split} captions", unit="batch"))
    )
    device = embeddings.device
    return embeddings, codes["ws"].to(device)[[row for _, row in chosen]]


def _train(
    encoder: TextEncoder,
    training: Training,
    params: TrainTextEncoder,
    embeddings: Tensor,
    ws: Tensor,
) -> None:
    optimiser = torch.optim.Adam(encoder.parameters(), lr=params.learning_rate, betas=(0.9, 0.99))

    def step(index: int) -> dict[str, float]:
        rng = stream(params.seed, "train_text_encoder", index)
        rows = torch.randint(len(ws), (params.batch_size,), generator=rng)
        target = (ws[rows] - encoder.ws_mean) / encoder.ws_std
        code = (encoder(embeddings[rows]) - encoder.ws_mean) / encoder.ws_std
        loss = latent_loss(code, target)
        for group in optimiser.param_groups:
            group["lr"] = params.learning_rate * max(0.02, 1 - index / params.num_steps)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return {"loss_latent": loss.item()}

    components: dict[str, Stateful] = {"encoder": encoder, "optimiser": optimiser}
    training.run(components, step, num_steps=params.num_steps)


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
