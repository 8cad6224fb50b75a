"""photographs + generator -> models/encoder: the inversion encoder (facts of the objective: TediGAN A1).

Two phases: pairs (G(ws), ws) with the exact code as target, then photographs with

    L_E = w_pix mean((x - x^)^2) + w_perc perceptual(x, x^) + w_adv softplus(-D(x^)) + w_lat |E(G(ws)) - ws|^2
    L_D = softplus(D(x^)) + softplus(-D(x)) + gamma/2 |grad D(x)|^2

with D starting from the generator's discriminator. One E step, then one D step on the same batch.
"""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.encoders.visual import VisualEncoder, w_statistics
from tedigan.generator.discriminator import Discriminator
from tedigan.generator.stylegan import Generator
from tedigan.method.losses import (
    generator_loss,
    latent_loss,
    perceptual_loss,
    pixel_loss,
)
from tedigan.models.adopt_encoder import adopt_encoder
from tedigan.models.cards import encoder_card
from tedigan.models.opening import load_discriminator, load_generator
from tedigan.params import TrainEncoder
from tedigan.store.files import finished_folder, sha256_file
from tedigan.store.model_folders import save_model
from tedigan.tensors import stream, to_images
from tedigan.training.adversarial import adam, discriminator_step, mix_styles
from tedigan.training.loop import Training
from tedigan.workspace import Outcome, Workspace

STYLE_MIXING_PROB = 0.9


def run(workspace: Workspace) -> Outcome:
    """Write encoder.safetensors with its config and log."""
    params, device = workspace.params.train_encoder, workspace.device
    if params.init is not None:
        return adopt_encoder(workspace, workspace.at(params.init))
    data = Dataset.open(workspace.dataset)
    source = workspace.model("generator")
    generator = load_generator(source, device)
    features = load_discriminator(source, device)
    encoder = VisualEncoder(generator.config, head_dim=params.head_dim).to(device)
    torch.manual_seed(params.seed)
    for layer in (encoder.fc, encoder.out):
        torch.nn.init.normal_(layer.weight)
    encoder.start_from(features, *w_statistics(generator, stream(params.seed, "w_statistics")))
    trainer = EncoderTrainer(generator, features, encoder, params)

    training = Training(
        workspace, "train_encoder", [workspace.dataset, source], every=params.checkpoint_every
    )
    ids = data.split("train")

    def step(index: int) -> dict[str, float]:
        rng = stream(params.seed, "train_encoder", index)
        trainer.set_learning_rate(index)
        if index < params.num_synthetic_steps:
            return trainer.synthetic_step(rng)
        chosen = torch.randint(len(ids), (params.batch_size,), generator=rng).tolist()
        photographs = to_images(data.pixels([ids[i] for i in chosen]).to(device))
        return trainer.photograph_step(photographs, rng, index)

    training.run(trainer.components(), step, num_steps=trainer.num_steps)
    encoder.eval()
    with finished_folder(workspace.model("encoder")) as folder:
        config = _config(encoder, params, sha256_file(source / "G_ema.safetensors"))
        save_model(folder, {"encoder": encoder}, config, encoder_card(config))
        training.write_log(folder / "log.csv")
    training.checkpoint.remove()
    names = ("loss_pixel", "loss_perceptual", "loss_latent", "loss_adversarial", "loss_d")
    return Outcome(
        metrics={name: training.last(name) for name in names},
        curves=workspace.model("encoder") / "log.csv",
        resumed_from_step=training.resumed_from_step,
    )


@dataclass
class EncoderTrainer:
    """The encoder, its adversary and their optimisers. `features` stays as it is, `adversary` learns."""

    generator: Generator
    features: Discriminator
    encoder: VisualEncoder
    params: TrainEncoder

    def __post_init__(self) -> None:
        self.adversary = copy.deepcopy(self.features).requires_grad_(True)
        self.num_steps = self.params.num_synthetic_steps + self.params.num_steps
        self.optimiser = torch.optim.Adam(
            self.encoder.parameters(), lr=self.params.learning_rate, betas=(0.9, 0.99)
        )
        self.adversary_optimiser = adam(self.adversary, self.params.learning_rate)

    def components(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "encoder": self.encoder,
            "adversary": self.adversary,
            "optimiser": self.optimiser,
            "adversary_optimiser": self.adversary_optimiser,
        }

    def set_learning_rate(self, index: int) -> None:
        """Short linear warm-up, then a linear fall over the last half."""
        share = (index + 1) / self.num_steps
        factor = min(1.0, (index + 1) / 20, max(0.05, 2 * (1 - share)))
        for group in self.optimiser.param_groups:
            group["lr"] = self.params.learning_rate * factor

    def synthetic_step(self, rng: torch.Generator) -> dict[str, float]:
        """The exact code is known: only the latent term."""
        loss = self._latent_term(self.params.batch_size, rng)
        self._update(loss)
        return {"loss_latent": loss.item()}

    def photograph_step(
        self, photographs: Tensor, rng: torch.Generator, index: int
    ) -> dict[str, float]:
        """All terms on photographs, the latent term on half as many pairs; then the adversary."""
        params = self.params
        flips = torch.rand(len(photographs), 1, 1, 1, generator=rng) < 0.5
        photographs = torch.where(flips.to(photographs.device), photographs.flip(3), photographs)
        images = self.generator.synthesis(self.encoder(photographs), noise_mode="const")
        with torch.no_grad():
            target = self.features.features(photographs)
        self.adversary.requires_grad_(False)
        terms = {
            "loss_pixel": (params.weight_pixel, pixel_loss(images, photographs)),
            "loss_perceptual": (
                params.weight_perceptual,
                perceptual_loss(self.features.features(images), target),
            ),
            "loss_adversarial": (
                params.weight_adversarial,
                generator_loss(self.adversary(images)),
            ),
            "loss_latent": (
                params.weight_latent,
                self._latent_term(max(1, params.batch_size // 2), rng),
            ),
        }
        self._update(sum((weight * term for weight, term in terms.values()), torch.zeros([])))
        self.adversary.requires_grad_(True)
        numbers = {name: term.item() for name, (_, term) in terms.items()}
        loss_d = discriminator_step(
            self.adversary,
            self.adversary_optimiser,
            photographs,
            images.detach(),
            r1_gamma=params.r1_gamma,
            r1_interval=params.r1_interval,
            index=index,
        )
        return numbers | {"loss_d": loss_d}

    def _latent_term(self, n: int, rng: torch.Generator) -> Tensor:
        """mean |E(G(ws)) - ws|^2 in standard deviations of W, ws by style mixing."""
        device = self.encoder.w_avg.device
        z = torch.randn(2 * n, self.generator.config.z_dim, generator=rng).to(device)
        with torch.no_grad():
            ws = self.generator.ws_of(z)
            ws = mix_styles(ws[:n], ws[n:], rng, prob=STYLE_MIXING_PROB)
            images = self.generator.synthesis(ws, noise_mode="random", generator=rng)
        scale = self.encoder.w_std
        return latent_loss(self.encoder(images.clamp(-1, 1)) / scale, ws / scale)

    def _update(self, loss: Tensor) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), 10.0)
        self.optimiser.step()


def _config(encoder: VisualEncoder, params: TrainEncoder, generator_sha256: str) -> dict[str, Any]:
    return {
        "architecture": "visual_encoder",
        "head_dim": params.head_dim,
        "generator": encoder.config.to_json(),
        "generator_sha256": generator_sha256,
        "training": params.model_dump(mode="json", exclude={"checkpoint_every"}),
    }
