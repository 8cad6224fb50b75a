"""The learning rate of each training at named steps."""

import math

import pytest
import torch

from tedigan.encoders.text import TextEncoder
from tedigan.encoders.visual import VisualEncoder
from tedigan.params import read_params
from tedigan.stages import train_referee, train_text_encoder
from tedigan.stages.train_encoder import EncoderTrainer
from tedigan.training import parser_and_tagger as train_annotators
from tedigan.training.loop import Training
from tedigan.training.parser_and_tagger import PARSER_SETTINGS
from tests.generator.nets import TINY, tiny_discriminator, tiny_generator
from tests.stages.small import small_workspace
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
    encoder = VisualEncoder(TINY, head_dim=8)
    trainer = EncoderTrainer(tiny_generator(), tiny_discriminator(), encoder, params)
    trainer.set_learning_rate(step)
    assert trainer.optimiser.param_groups[0]["lr"] == pytest.approx(0.01 * factor)
    assert trainer.adversary_optimiser.param_groups[0]["lr"] == 0.01


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
def test_referee_and_annotators_warm_up_in_50_steps_and_fall_by_a_cosine_over_200(
    step: int, factor: float
) -> None:
    values = {"num_steps": 200, "learning_rate": 0.01}
    referee = PARAMS.train_referee.model_copy(update=values)
    assert train_referee.learning_rate_at(step, referee) == pytest.approx(0.01 * factor)
    settings = PARSER_SETTINGS.changed(**values)
    assert train_annotators.learning_rate_at(step, settings) == pytest.approx(0.01 * factor)


def test_the_text_encoder_s_rate_falls_in_a_line_and_not_below_a_fiftieth(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = small_workspace(
        tmp_path, train_text_encoder={"num_steps": 100, "learning_rate": 0.01}
    )
    rates, step = [], torch.optim.Adam.step

    def watched(self: torch.optim.Adam, *args: object) -> object:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    training = Training(workspace, "train_text_encoder", [], every=1000)
    params, encoder = workspace.params.train_text_encoder, TextEncoder(4, 4, 6, 2)
    pairs = torch.zeros(3, 4), torch.zeros(3, 6, 2)
    train_text_encoder._train(encoder, training, params, *pairs)
    expected = [0.01 * max(0.02, 1 - step / 100) for step in range(100)]
    assert rates == pytest.approx(expected)
