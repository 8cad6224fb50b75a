import pytest
import torch

from tedigan.training.schedules import (
    linear_fall,
    set_rate,
    warm_up_then_cosine,
    warm_up_then_fall,
)

SCHEDULES = (linear_fall, warm_up_then_cosine, warm_up_then_fall)
HUNDRED = {"learning_rate": 0.01, "num_steps": 100}


@pytest.mark.parametrize(
    ("schedule", "step", "expected"),
    [
        (linear_fall, 0, 0.01),
        (linear_fall, 50, 0.005),
        (linear_fall, 99, 0.0002),
        (warm_up_then_cosine, 0, 0.01 / 50),
        (warm_up_then_cosine, 50, 0.005),
        (warm_up_then_cosine, 100, 0.0),
        (warm_up_then_fall, 0, 0.01 / 20),
        (warm_up_then_fall, 49, 0.01),
        (warm_up_then_fall, 74, 0.005),
        (warm_up_then_fall, 99, 0.0005),
    ],
)
def test_a_schedule_passes_its_named_points(schedule, step, expected):
    assert schedule(step, **HUNDRED) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_is_torchs_without_a_state(schedule):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: schedule(step, **HUNDRED))
    for step in range(HUNDRED["num_steps"]):
        assert schedule(step, **HUNDRED) == theirs.get_last_lr()[0]
        optimiser.step()
        theirs.step()


def test_every_group_gets_the_rate():
    groups = [{"params": [torch.zeros(1)], "lr": lr} for lr in (0.1, 0.2)]
    optimiser = torch.optim.SGD(groups)
    set_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, 0.5]
