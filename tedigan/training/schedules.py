"""Learning rates as closed forms of the step, counted from 0.

A resumed run needs its step and nothing else, so no scheduler with a state of its own stands in a checkpoint.
"""

import math

import torch

WARM_UP_STEPS = 50
SHORT_WARM_UP_STEPS = 20


def warm_up_then_cosine(step: int, *, learning_rate: float, num_steps: int) -> float:
    """Linear warm-up, then half a cosine down to zero."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    rest = 0.5 * (1 + math.cos(math.pi * step / num_steps))
    return learning_rate * warm_up * rest


def warm_up_then_fall(step: int, *, learning_rate: float, num_steps: int) -> float:
    """Short linear warm-up, then a linear fall over the last half, to 5 %."""
    fall = max(0.05, 2 * (1 - (step + 1) / num_steps))
    return learning_rate * min(1.0, (step + 1) / SHORT_WARM_UP_STEPS, fall)


def linear_fall(step: int, *, learning_rate: float, num_steps: int) -> float:
    """A linear fall to 2 %."""
    return learning_rate * max(0.02, 1 - step / num_steps)


def set_rate(optimiser: torch.optim.Optimizer, learning_rate: float) -> None:
    """The rate of every parameter from the next step on."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
