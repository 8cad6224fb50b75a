from dataclasses import dataclass, replace
from functools import cache

import pytest
import torch
from torch import Tensor

from tedigan.encoders.unet import UNet
from tedigan.generator.whitening import Whitening, whitening_of
from tedigan.method.drawing_fit import (
    FitSettings,
    FittingEncoder,
    class_distance,
    drawer_to_json,
    drawing_term,
    empty_drawer,
    stroke_distance,
)
from tedigan.tensors import sample_z, stream
from tedigan.vocabulary.labels import LABEL_NAMES
from tests.generator.nets import TINY, tiny_generator

SETTINGS = FitSettings(num_fit_steps=20, fit_rate=0.1, weight_prior=0.0, weight_coherence=0.0)


@dataclass
class Guess:
    """The mean face, whatever is drawn."""

    input_channels: int = 1

    @property
    def w_avg(self) -> Tensor:
        return tiny_generator().mapping.w_avg

    @property
    def w_std(self) -> Tensor:
        return torch.ones(TINY.w_dim)

    def __call__(self, inputs: Tensor) -> Tensor:
        return self.w_avg.expand(len(inputs), TINY.num_ws, -1)


@cache
def whitening() -> Whitening:
    return whitening_of(tiny_generator(), stream("whitening"), num_samples=256)


def drawer(outputs: int = 1) -> UNet:
    torch.manual_seed(3)
    return UNet(16, 4, outputs).eval().requires_grad_(False)


def fitting(settings: FitSettings = SETTINGS) -> FittingEncoder:
    return FittingEncoder(Guess(), drawer(), tiny_generator(), whitening(), settings)


def drawings(n: int) -> Tensor:
    """What the drawer draws of other faces."""
    ws = tiny_generator().ws_of(sample_z(5, list(range(n)), 16))
    return 1 - drawer().small(tiny_generator().synthesis(ws, noise_mode="const")).sigmoid()


def distance(ws: Tensor, wanted: Tensor) -> Tensor:
    images = tiny_generator().synthesis(ws, noise_mode="const")
    return drawing_term(drawer(), wanted)(ws, images, torch.arange(len(ws)))


def test_a_fitted_face_drawn_again_is_nearer_to_the_drawing_than_the_guess() -> None:
    wanted = drawings(3)
    ws = fitting()(wanted)
    assert (distance(ws, wanted) < 0.85 * distance(Guess()(wanted), wanted)).all()
    assert not ws.requires_grad


def test_the_finer_half_of_the_layers_stays_as_it_was_guessed() -> None:
    ws, half = fitting()(drawings(1)), TINY.num_ws // 2
    moved = (ws - Guess()(drawings(1))).abs().amax(dim=[0, 2])
    assert (moved[:half] > 0).all()
    assert (moved[half:] == 0).all()


def test_each_code_depends_on_its_own_drawing_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = drawings(3)
    together = fitting()(wanted)
    monkeypatch.setattr("tedigan.method.drawing_fit.PIXELS_AT_ONCE", 1)
    torch.testing.assert_close(fitting()(wanted), together, rtol=0, atol=1e-3)


def test_without_steps_the_guess_stays_and_a_prior_keeps_faces_likely() -> None:
    wanted = drawings(2)
    still = fitting(replace(SETTINGS, num_fit_steps=0))(wanted)
    torch.testing.assert_close(still, Guess()(wanted))
    lengths = [
        whitening().whiten(fitting(replace(SETTINGS, weight_prior=weight))(wanted)).square().mean()
        for weight in (0.0, 1.0)
    ]
    assert lengths[1] < 0.95 * lengths[0]


def test_with_gradients_switched_off_it_fits_as_well() -> None:
    wanted = drawings(1)
    with torch.no_grad():
        assert torch.equal(fitting()(wanted), fitting()(wanted))
        assert (distance(fitting()(wanted), wanted) < distance(Guess()(wanted), wanted)).all()


def sheet(column: int, ink: float = 1.0) -> Tensor:
    """Paper with a vertical stroke."""
    paper = torch.ones(1, 1, 64, 64)
    paper[..., column : column + 2] = 1 - ink
    return paper


def test_strokes_count_by_how_near_they_lie_and_not_by_how_dark_they_are() -> None:
    def apart(column: int, ink: float = 1.0) -> float:
        return float(stroke_distance(torch.logit(1 - sheet(column, ink), eps=1e-6), sheet(20)))

    assert apart(20) < 1e-4
    assert apart(20, ink=0.5) < 1e-3
    assert apart(20) < apart(22) < apart(26) < apart(50)
    assert apart(50) == pytest.approx(1, abs=1e-3)


def test_an_empty_sheet_asks_for_nothing() -> None:
    logits = torch.randn(1, 1, 16, 16, requires_grad=True)
    (gradient,) = torch.autograd.grad(
        stroke_distance(logits, torch.ones(1, 1, 16, 16)).sum(), logits
    )
    assert gradient.abs().max() == 0


def classes(**shares: int) -> Tensor:
    """One-hot rows of a map: so many of 64 of each class, the others background."""
    wanted, row = torch.zeros(1, len(LABEL_NAMES), 64, 64), 0
    for name, rows in shares.items():
        wanted[:, LABEL_NAMES.index(name), row : row + rows] = 1
        row += rows
    wanted[:, 0, row:] = 1
    return wanted


def test_the_background_of_a_part_alone_says_nothing() -> None:
    hairy = torch.zeros(1, len(LABEL_NAMES), 64, 64)
    hairy[:, LABEL_NAMES.index("hair")] = 5.0
    part, whole = classes(nose=2), classes(nose=2, skin=30)
    for wanted in (part, whole):
        logits = torch.where(wanted[:, :1] > 0, hairy, 8 * wanted)
        far = float(class_distance(logits, wanted))
        assert (far < 0.01) == (wanted is part)


def test_a_small_part_that_is_missed_costs_more_than_its_share() -> None:
    wanted = classes(skin=31, l_eye=1)
    missed = wanted.clone()
    eye = LABEL_NAMES.index("l_eye")
    missed[:, LABEL_NAMES.index("skin")] += missed[:, eye]
    missed[:, eye] = 0
    lost = class_distance(8 * missed, wanted) - class_distance(8 * wanted, wanted)
    assert float(lost) > 2 * 8 / 64


def test_a_drawer_comes_back_from_what_its_config_says() -> None:
    config = {"input_channels": 19, "drawer": drawer_to_json(drawer(19), SETTINGS)}
    again = empty_drawer(config)
    again.load_state_dict(drawer(19).state_dict())
    assert FitSettings(**config["drawer"]["fit"]) == SETTINGS
    assert again.small(torch.zeros(1, 3, 16, 16)).shape == (1, 19, 16, 16)
