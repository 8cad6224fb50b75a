"""The learning rate of each training at named steps."""

import math

import pytest
import torch

from tedigan.encoders.text import TextEncoder
from tedigan.encoders.visual import VisualEncoder
from tedigan.params import chosen, read_params
from tedigan.tensors import stream
from tedigan.training.encoder_trainer import EncoderSettings, EncoderTrainer
from tedigan.training.referee_trainer import RefereeSettings
from tedigan.training.referee_trainer import learning_rate_at as referee_rate
from tedigan.training.text_encoder_trainer import TextEncoderSettings, TextEncoderTrainer
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator
from tests.stages.toy import ROOT

PARAMS = read_params(ROOT / "params.yaml")


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 1 / 20),
        (9, 1 / 2),
        (19, 1),
        (99, 1),
        (124, 3 / 4),
        (149, 1 / 2),
        (194, 0.05),
        (199, 0.05),
    ],
)
def test_the_encoder_warms_up_in_20_steps_and_falls_over_the_last_half_of_200(
    step: int, factor: float
) -> None:
    params = PARAMS.train_encoder.model_copy(
        update={"num_synthetic_steps": 50, "num_steps": 150, "learning_rate": 0.01}
    )
    encoder = VisualEncoder(TINY, head_dim=8, num_axes=12)
    trainer = EncoderTrainer(
        tiny_generator(), tiny_discriminator(), encoder, chosen(params, EncoderSettings)
    )
    trainer.set_learning_rate(step)
    assert trainer.optimiser.param_groups[0]["lr"] == pytest.approx(0.01 * factor)
    # the adversary's stays, less what makes up for R1's own steps
    adversary = trainer.adversary_optimiser.param_groups[0]["lr"]
    assert adversary == pytest.approx(0.01 * params.r1_interval / (params.r1_interval + 1))


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 1 / 50),
        (24, (1 + math.cos(math.pi * 0.12)) / 4),
        (49, (1 + math.cos(math.pi * 0.245)) / 2),
        (50, (1 + 2**-0.5) / 2),
        (100, 1 / 2),
        (150, (1 - 2**-0.5) / 2),
    ],
)
def test_the_referee_warms_up_in_50_steps_and_falls_by_a_cosine_over_200(
    step: int, factor: float
) -> None:
    values = {"num_steps": 200, "learning_rate": 0.01}
    referee = PARAMS.train_referee.model_copy(update=values)
    assert referee_rate(step, chosen(referee, RefereeSettings)) == pytest.approx(0.01 * factor)


def test_the_text_encoder_s_rate_falls_in_a_line_and_not_below_a_fiftieth() -> None:
    settings = TextEncoderSettings(num_steps=100, batch_size=2, learning_rate=0.01)
    pairs = torch.zeros(3, 4), torch.zeros(3, 6, 2)
    trainer = TextEncoderTrainer(TextEncoder(4, 4, 6, 2), *pairs, settings)
    rates = []
    for step in range(100):
        trainer.step(stream("schedule", step), step)
        rates.append(trainer.optimiser.param_groups[0]["lr"])
    assert rates == pytest.approx([0.01 * max(0.02, 1 - step / 100) for step in range(100)])
