"""Several processes that train one network: each takes its rows of every batch, and all take the same step.

Gradients, means and logged numbers are averaged over the ranks, weights start and stay alike, and the first rank
alone writes. The batch of a step does not depend on the number of ranks (tedigan.draws), so that two have the
losses of one up to rounding. What does depend on it: dropout, drawn by rank; and the groups of the discriminator's
batch deviation, which stay within a rank and are smaller where its rows are fewer than `mbstd_group_size`.

Without torchrun there is one rank, nothing is exchanged, and every function gives back what it was given.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from tedigan.draws import SharedStream
from tedigan.errors import LostRankError, NumbersError, ParamsError
from tedigan.tensors import stream

T = TypeVar("T")

TIMEOUT_S = 1800.0  # that a rank waits for the others: for what the first one prepares, or for ever lost ones


@contextmanager
def joined(*, on_gpu: bool) -> Iterator[None]:
    """Within it, this process is one of those that torchrun started. on_gpu: each on a GPU of its own."""
    local = int(os.environ["LOCAL_RANK"])
    if on_gpu:
        if local >= torch.cuda.device_count():
            raise ParamsError(
                f"rank {local} of this machine has no GPU, as there are {torch.cuda.device_count()}; expected one "
                "a rank. Set runtime.num_processes to the number of GPUs, or runtime.device to cpu."
            )
        torch.cuda.set_device(local)
    backend = "cpu:gloo,cuda:nccl" if on_gpu else "gloo"
    with _others_are_there():
        dist.init_process_group(backend, timeout=timedelta(seconds=TIMEOUT_S))
    try:
        yield
    finally:
        dist.destroy_process_group()


def is_started() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def rank() -> int:
    """0 is the first."""
    return dist.get_rank() if dist.is_initialized() else 0


def num_ranks() -> int:
    """1 where nobody else trains along."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_first() -> bool:
    """The rank that writes."""
    return rank() == 0


def share(batch_size: int) -> int:
    """A rank's images of a batch. Raises ParamsError where they cannot be shared out evenly."""
    if batch_size % num_ranks():
        raise ParamsError(
            f"a batch of {batch_size} is not to be shared out to {num_ranks()} processes; expected as many for "
            "each. Set batch_size to a multiple of runtime.num_processes."
        )
    return batch_size // num_ranks()


def shared_stream(*key: int | str) -> torch.Generator:
    """As `tensors.stream`: the same numbers on every rank, of which `tedigan.draws` gives each its rows."""
    if num_ranks() == 1:
        return stream(*key)
    found = SharedStream()
    found.set_state(stream(*key).get_state())
    found.rank, found.num_ranks = rank(), num_ranks()
    return found


def average_gradients(optimiser: torch.optim.Optimizer) -> None:
    """What a backward pass left, averaged over the ranks in one exchange."""
    if num_ranks() == 1:
        return
    weights = [one for group in optimiser.param_groups for one in group["params"]]
    gradients = [one.grad for one in weights if one.grad is not None]
    flat = mean(torch.cat([one.flatten() for one in gradients]))
    parts = flat.split([one.numel() for one in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def descend(
    optimiser: torch.optim.Optimizer, loss: Tensor, scaler: torch.amp.GradScaler | None = None
) -> None:
    """One step down a loss, of all ranks' batches.

    scaler: of the loss; a step whose gradients it finds to overflow is left out, on every rank.
    """
    optimiser.zero_grad(set_to_none=True)
    (loss if scaler is None else scaler.scale(loss)).backward()
    average_gradients(optimiser)
    if scaler is None:
        optimiser.step()
    else:
        scaler.step(optimiser)
        scaler.update()


def mean(value: Tensor) -> Tensor:
    """Over the ranks, without a gradient."""
    return value if num_ranks() == 1 else total(value) / num_ranks()


def total(value: Tensor) -> Tensor:
    """The sum over the ranks, without a gradient."""
    return value if num_ranks() == 1 else _reduced(value.detach().clone(), dist.ReduceOp.SUM)


def deviation(values: Tensor) -> Tensor:
    """The standard deviation of all values, of all ranks."""
    if num_ranks() == 1:
        return values.std()
    count = values.numel() * num_ranks()
    middle = mean(values.mean())
    return (total((values - middle).square().sum()) / (count - 1)).sqrt()


def gathered(rows: Tensor) -> Tensor:
    """The whole batch, on every rank, in its order."""
    if num_ranks() == 1:
        return rows
    parts = [torch.empty_like(rows) for _ in range(num_ranks())]
    with _others_are_there():
        dist.all_gather(parts, rows.contiguous())
    return torch.stack(parts, dim=1).flatten(0, 1)


def agreed(numbers: Mapping[str, float], *, is_asked: bool) -> tuple[dict[str, float], bool]:
    """Means over the ranks, and whether any of them was asked to end."""
    if num_ranks() == 1:
        return dict(numbers), is_asked
    values = total(torch.tensor([*numbers.values(), float(is_asked)], dtype=torch.float64)).tolist()
    means = [value / num_ranks() for value in values[:-1]]
    return dict(zip(numbers, means, strict=True)), values[-1] > 0


def first_makes(make: Callable[[], T]) -> T:
    """What `make` gives on every rank, where it keeps in a file what it made: the first one makes it."""
    if is_first():
        made = make()
        total(torch.zeros([]))
        return made
    total(torch.zeros([]))
    return make()


def check_alike(states: Mapping[str, Any], step: int) -> None:
    """A NumbersError where the ranks hold different numbers; each tensor is compared by the sum of its bits."""
    if num_ranks() == 1:
        return
    names, tensors = zip(*_tensors(states), strict=True)
    sums = torch.stack([torch.tensor(step), *map(_bits, tensors)])
    least, most = (_reduced(sums.clone(), one) for one in (dist.ReduceOp.MIN, dist.ReduceOp.MAX))
    differing = [name for name, other in zip(("step", *names), least != most, strict=True) if other]
    if differing:
        raise NumbersError(
            f"the {num_ranks()} processes hold different values of {', '.join(differing[:3])} at step {step}, "
            "expected the same on each; the last checkpoint stays. Do all read the same work folder, on GPUs of "
            "one kind? Then it is a fault of the training."
        )


def _tensors(states: Mapping[Any, Any], place: str = "") -> Iterator[tuple[str, Tensor]]:
    for name, value in states.items():
        if isinstance(value, Mapping):
            yield from _tensors(value, f"{place}{name}/")
        elif isinstance(value, Tensor) and value.numel():
            yield f"{place}{name}", value


def _bits(tensor: Tensor) -> Tensor:
    return tensor.detach().contiguous().flatten().view(torch.uint8).sum(dtype=torch.int64).cpu()


def _reduced(value: Tensor, operation: Any) -> Tensor:
    with _others_are_there():
        dist.all_reduce(value, operation)
    return value


@contextmanager
def _others_are_there() -> Iterator[None]:
    """torch says only that a connection was closed, or that a time was over."""
    try:
        yield
    except RuntimeError as error:
        raise LostRankError(
            f"another of the processes that train together is gone, or did not answer within {TIMEOUT_S:g} s; "
            "expected all of them at each step. The last checkpoint is kept: run the stage again, and it goes on."
        ) from error


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation by the statistics of the whole batch, whose gradient comes back from every rank."""

    def forward(self, x: Tensor) -> Tensor:
        """x: `[n, c, h, w]`, this rank's rows."""
        if not self.training or num_ranks() == 1:
            return super().forward(x)
        from torch.distributed.nn.functional import all_reduce  # knows the gradient

        moments = torch.stack([x.mean(dim=[0, 2, 3]), x.square().mean(dim=[0, 2, 3])])
        with _others_are_there():
            middle, square = (all_reduce(moments) / num_ranks()).unbind()
        variance = square - middle.square()
        self._follow(middle.detach(), variance.detach(), x.numel() // x.shape[1] * num_ranks())
        scale = self.weight * (variance + self.eps).rsqrt()
        return (x - middle[:, None, None]) * scale[:, None, None] + self.bias[:, None, None]

    @torch.no_grad()
    def _follow(self, middle: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None, "those of networks here do"
        assert self.running_var is not None, "those of networks here do"
        assert self.num_batches_tracked is not None, "those of networks here do"
        self.num_batches_tracked += 1
        self.running_mean.lerp_(middle, self.momentum or 0.1)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum or 0.1)


def share_statistics(network: nn.Module) -> None:
    """From now on its batch normalisations see the whole batch; its tensors keep their names."""
    if num_ranks() > 1:
        for module in _normalisations([network]):
            module.__class__ = SharedBatchNorm


def _normalisations(networks: Sequence[nn.Module]) -> list[nn.Module]:
    return [one for network in networks for one in network.modules() if type(one) is nn.BatchNorm2d]
