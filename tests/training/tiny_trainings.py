"""Every stage's training with tiny networks and made-up data: some ms a step, alone or as one of several ranks.

A folder then has the losses (NAME.json) and, of most, the last state (NAME.pt).
"""

import json
import os
import signal
from collections.abc import Callable
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tedigan.annotators import referee_network
from tedigan.annotators.referee_network import RefereeConfig
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig
from tedigan.annotators.trunk import NUM_FEATURES
from tedigan.draws import integers
from tedigan.encoders import text_mapper
from tedigan.encoders.modalities import Drawing
from tedigan.encoders.text_mapper import TextReaderConfig
from tedigan.method.steering import Steering
from tedigan.tensors import stream, to_images
from tedigan.training import feature_discriminator, parser_and_tagger, ranks
from tedigan.training.adversarial import AdversarialSettings, AdversarialTrainer
from tedigan.training.drawing_lessons import DrawingLessons, DrawingPairs
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer, new_encoder
from tedigan.training.feature_discriminator import FeatureDiscriminator
from tedigan.training.latent_tagger_trainer import (
    LatentTaggerSettings,
    LatentTaggerTrainer,
    Pairs,
    new_latent_tagger,
)
from tedigan.training.loop import Loop
from tedigan.training.referee_trainer import Lessons, RefereeSettings, RefereeTrainer
from tedigan.training.text_encoder_trainer import (
    TextEncoderSettings,
    TextEncoderTrainer,
    new_text_encoder,
)
from tedigan.training.text_mapper_trainer import Lessons as Sentences
from tedigan.training.text_mapper_trainer import (
    MoverTrainer,
    ReaderTrainer,
    TrainingSettings,
    new_mover,
    new_reader,
    run_in_turn,
)
from tests.generator.nets import tiny_discriminator, tiny_generator
from tests.method.test_steering import NAMES, SETTINGS, brightness, linear_tagger

NUM_STEPS, BATCH, EVERY = 50, 8, 10
CPU = torch.device("cpu")
GAN = AdversarialSettings(
    learning_rate=0.0005,
    r1_gamma=0.3,
    r1_interval=4,
    path_length_weight=2.0,
    path_length_interval=5,
    feature_weight=1.0,
    style_mixing_prob=0.9,
    ema_halflife_nimg=100.0,
    ema_rampup=0.5,
    mirror=True,
    augment="color,translation",
    precision="fp32",
    num_fp16_res=4,
)
ENCODER = EncoderSettings(
    num_synthetic_steps=NUM_STEPS // 2,
    num_steps=NUM_STEPS // 2,
    batch_size=BATCH,
    learning_rate=0.0005,
    weight_pixel=1.0,
    weight_perceptual=0.5,
    weight_adversarial=0.3,
    weight_latent=1.0,
    weight_delta=0.1,
    style_mixing_prob=0.9,
    r1_gamma=0.3,
    r1_interval=4,
)
Step = Callable[[torch.Generator, int], dict[str, float]]


def made(name: str, *shape: int) -> Tensor:
    """The same numbers each time."""
    return torch.randn(shape, generator=stream("tiny", name))


def pictures(rng: torch.Generator) -> Tensor:
    """A rank's photographs of a step."""
    pixels = (made("photographs", 32, 3, 16, 16) * 60 + 128).clamp(0, 255).to(torch.uint8)
    return to_images(pixels[integers(rng, 0, 32, ranks.share(BATCH))])


class ToyTrunk(nn.Module):
    """In the place of a pretrained one: five maps, each half the size of the last."""

    def __init__(self) -> None:
        super().__init__()
        channels = [3, *feature_discriminator.TAPPED.values()]
        pairs = pairwise(channels)
        self.layers = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1) for a, b in pairs)
        self.requires_grad_(False)

    def maps(self, images: Tensor, _: object) -> list[Tensor]:
        found = [images]
        for layer in self.layers:
            found.append(layer(found[-1]).relu())
        return found[1:]


def generator(loop: Loop) -> None:
    live = tiny_generator().train().requires_grad_(True)
    torch.manual_seed(3)
    feature_discriminator.LEAST_PX = 16  # of the toy trunk
    features = FeatureDiscriminator(ToyTrunk(), 16)
    trainer = AdversarialTrainer(live, tiny_discriminator(), None, GAN, features=features)

    def step(rng: torch.Generator, index: int) -> dict[str, float]:
        return trainer.step(pictures(rng), rng, index=index)

    run(loop, trainer.components(), step)


def encoder(loop: Loop) -> None:
    trainer = encoder_trainer(num_passes=2)

    def step(rng: torch.Generator, index: int) -> dict[str, float]:
        trainer.set_learning_rate(index)
        if index < ENCODER.num_synthetic_steps:
            return trainer.synthetic_step(rng)
        return trainer.photograph_step(pictures(rng), rng, index)

    run(loop, trainer.components(), step)


def drawing_encoder(loop: Loop, modality: Drawing) -> None:
    channels, most = ((1,), 256) if modality == "sketch" else ((), 19)
    drawings = torch.randint(most, (24, *channels, 16, 16), generator=stream(0), dtype=torch.uint8)
    pairs, net = DrawingPairs(drawings, made("ws", 24, 6, 12)), tiny_generator()
    lessons = DrawingLessons(modality, net, *pairs.parts(), None, None, pairs.ws)
    trainer = encoder_trainer(lessons=lessons)

    def step(rng: torch.Generator, index: int) -> dict[str, float]:
        trainer.set_learning_rate(index)
        if index < ENCODER.num_synthetic_steps:
            return trainer.synthetic_step(rng)
        return trainer.drawing_step(lessons.photographs(index, ranks.share(BATCH), rng), rng, index)

    run(loop, trainer.components(), step)


def encoder_trainer(
    *, num_passes: int = 1, lessons: DrawingLessons | None = None
) -> EncoderTrainer:
    net, features = tiny_generator(), tiny_discriminator().requires_grad_(False)
    paint = None if lessons is None else lessons.paint()
    new = new_encoder(net, features, head_dim=8, num_passes=num_passes, seed=0, paint=paint)
    new.w_std.fill_(0.5)
    pairs = None if lessons is None else lessons.some_pairs
    return EncoderTrainer(net, features, new, ENCODER, pairs)


def text_encoder(loop: Loop) -> None:
    ws = made("ws", 64, 6, 12)
    new = new_text_encoder(ws, embedding_dim=16, hidden_dim=16, seed=0)
    settings = TextEncoderSettings(NUM_STEPS, BATCH, 0.003)
    trainer = TextEncoderTrainer(new, made("embeddings", 64, 16), ws, settings)
    run(loop, trainer.components(), trainer.step)


def guide(loop: Loop) -> None:
    torch.manual_seed(0)
    network = FaceTagger(TaggerConfig(16, 4, NAMES))
    truth = (made("attributes", 32, len(NAMES)) > 0).float()
    images = made("faces", 32, 3, 16, 16)

    def loss_of(chosen: Tensor, rng: torch.Generator) -> Tensor:
        views, _ = parser_and_tagger.random_views(images[chosen], None, rng)
        found = network(views)
        return nn.functional.binary_cross_entropy_with_logits(found, truth[chosen])

    settings = parser_and_tagger.Settings(4, NUM_STEPS, BATCH, 0.003, checkpoint_every=EVERY)
    work = loop.checkpoint.path.parents[2]
    fitted = parser_and_tagger._fit("guide", network, loss_of, [], 32, settings, work)
    loop.rows = fitted.rows


def latent_tagger(loop: Loop) -> None:
    net = tiny_generator()
    tagger = new_latent_tagger(net, NAMES, hidden_dim=16, num_members=2, seed=0)
    us = made("us", 64, net.num_ws, tagger.config.num_axes)
    pairs = Pairs(us.half(), made("logits", 64, len(NAMES)))
    trainer = LatentTaggerTrainer(tagger, pairs, LatentTaggerSettings(NUM_STEPS, BATCH, 0.001))
    run(loop, trainer.components(), trainer.step)


def mapper(loop: Loop) -> None:
    net, settings = tiny_generator(), TrainingSettings(NUM_STEPS, BATCH, 0.002)
    lengths = torch.randint(3, 9, (32,), generator=stream("lengths"))
    said = (made("said", 32, 2, len(NAMES)) > 0.5).float()
    sentences = Sentences(made("states", int(lengths.sum()), 16).half(), lengths, said)
    reader = new_reader(TextReaderConfig("none", 1, 16, 16, 0.5, NAMES), CPU, seed=0)
    tagger = linear_tagger(net)
    layers = torch.ones(len(NAMES), net.num_ws, dtype=torch.bool)
    steering = Steering(net, tagger, layers, brightness, SETTINGS)
    mover = new_mover(steering, hidden_dim=16, seed=0)
    trainers = [ReaderTrainer(reader, sentences, settings), MoverTrainer(mover, steering, settings)]
    run_in_turn(loop, trainers, seed=0)


def referee(loop: Loop) -> None:
    lessons = Lessons(
        made("views", 2, 48, NUM_FEATURES).half(),
        made("attributes", 48, 4) > 0,
        torch.arange(48) % 7 - 1,
        torch.ones(4),
        torch.ones(4, dtype=torch.bool),
    )
    settings = RefereeSettings(NUM_STEPS, BATCH, 0.002, 0.5)
    config = RefereeConfig(16, 16, 8, tuple("abcd"))
    trainer = RefereeTrainer(config, lessons, settings, seed=0, device=CPU)
    run(loop, trainer.components(), trainer.step)


TRAININGS: dict[str, Callable[[Loop], None]] = {
    "train_generator": generator,
    "train_encoder": encoder,
    "train_sketch_encoder": lambda loop: drawing_encoder(loop, "sketch"),
    "train_label_encoder": lambda loop: drawing_encoder(loop, "label"),
    "train_text_encoder": text_encoder,
    "train_guide": guide,
    "train_latent_tagger": latent_tagger,
    "train_text_mapper": mapper,
    "train_referee": referee,
}


def run(loop: Loop, components: dict[str, Any], step: Step) -> None:
    """Its steps; NAME.pt is what a finished one would write."""

    def taken(index: int) -> dict[str, float]:
        end_where_asked(index)
        return step(ranks.shared_stream(0, loop.name, index), index)

    try:
        loop.run(components, taken, num_steps=NUM_STEPS)
    finally:
        if ranks.is_first():
            states = {name: one.state_dict() for name, one in components.items()}
            torch.save(states, loop.checkpoint.path.parents[2] / f"{loop.name}.pt")


def end_where_asked(index: int) -> None:
    """ENDS says which signal comes to which ranks at which step, such as `SIGKILL 0,1 33`."""
    number, who, step = (os.environ.get("ENDS") or "SIGTERM none 0").split()
    if str(ranks.rank()) in who.split(",") and index == int(step):
        os.kill(os.getpid(), signal.Signals[number])


def train(folder: Path, names: list[str]) -> None:
    """One after the other; dropout, which is drawn by rank, is left out."""
    referee_network.DROPOUT_FEATURES = referee_network.DROPOUT_HIDDEN = text_mapper.DROPOUT = 0.0
    for name in names:
        loop = Loop(name, work=folder, depends_on={}, inputs=[], every=EVERY, batch_size=BATCH)
        try:
            TRAININGS[name](loop)
        except SystemExit as ended:  # so leave the ranks beside the first, and who was asked to end
            if ended.code:
                raise
        if ranks.is_first():
            (folder / f"{name}.json").write_text(json.dumps(loop.rows))


def be_rank(rank: int, folder: Path, names: list[str], given: dict[str, str]) -> None:
    """A process as torchrun would start it, or alone where `given` names no others; says into FOLDER/err-RANK."""
    said = os.open(folder / f"err-{rank}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 2)
    os.environ |= given | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    torch.set_num_threads(1)
    with ranks.joined(on_gpu=False) if ranks.is_started() else nullcontext():
        train(folder, names or list(TRAININGS))
