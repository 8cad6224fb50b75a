from pathlib import Path

import pytest
import torch

from tedigan.encoders.unet import UNet
from tedigan.errors import WeightsError
from tedigan.models.drawing_encoders import open_drawer
from tedigan.models.embedded import EMBEDDED
from tedigan.tensors import stream
from tedigan.training.drawer_trainer import DrawerSettings, DrawerTrainer, drawer_loss
from tests.generator.nets import tiny_generator
from tests.training.test_drawing_lessons import lessons_of

SETTINGS = DrawerSettings(num_drawer_steps=40, drawer_channels=4, batch_size=8, learning_rate=0.02)


def test_a_drawer_learns_to_draw_faces_and_stops_after_its_steps() -> None:
    trainer = DrawerTrainer(lessons_of(tiny_generator()), SETTINGS, None, num_steps=30, seed=0)
    losses = [
        trainer.step(stream(0, "drawer", index), index).get("loss_drawer") for index in range(31)
    ]
    assert losses[-1] is None
    first, last = losses[0], losses[-2]
    assert first is not None
    assert last is not None
    assert last < 0.95 * first


def test_a_drawer_goes_on_from_a_given_one() -> None:
    torch.manual_seed(5)
    given = UNet(16, 2, 1)
    before = [weight.clone() for weight in given.parameters()]
    trainer = DrawerTrainer(lessons_of(tiny_generator()), SETTINGS, given, num_steps=2, seed=0)
    assert all(map(torch.equal, trainer.drawer.parameters(), before))
    trainer.step(stream(0, "drawer", 0), 0)
    assert not all(map(torch.equal, trainer.drawer.parameters(), before))


def test_a_perfect_drawing_has_no_loss() -> None:
    ink = torch.zeros(2, 1, 8, 8)
    ink[..., 4] = 1
    logits = torch.where(ink > 0, -30.0, 30.0)  # of ink; 1 is paper
    assert float(drawer_loss(logits, ink)) < 1e-6
    classes = torch.eye(3)[:, :, None, None].expand(3, 3, 8, 8).contiguous()
    assert float(drawer_loss(60 * classes, classes)) < 1e-6


@pytest.mark.parametrize(
    ("folder", "kind", "said"),
    [
        ("parser-drawn-64", "sketch", "reads label maps"),
        ("drawer-celebahq", "label", "reads sketches"),
        ("tagger-celebahq", "sketch", "expected what draws faces: a drawer or a parser"),
    ],
)
def test_what_draws_no_such_drawing_is_refused(folder: str, kind: str, said: str) -> None:
    place: Path = EMBEDDED / folder
    with pytest.raises(WeightsError, match=said):
        open_drawer(place, kind)
