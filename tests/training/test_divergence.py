"""Numbers that are none end a run, a model file or a metric; they never pass for a result."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import nn

from tedigan.errors import NumbersError, WeightsError
from tedigan.evaluation.metric import Metric
from tedigan.store.model_folders import fill, load_tensors, save_model, save_tensors
from tedigan.training.loop import Loop
from tedigan.workspace import Outcome
from tests.stages.small import CONFIG

NAN, INF = float("nan"), float("inf")


def loop(work: Path, *, every: int = 2) -> Loop:
    return Loop("train_toy", work=work, depends_on={}, inputs=[], every=every)


def descent(net: nn.Linear, rate: float) -> Callable[[int], dict[str, float]]:
    """Steps on a parabola, from which a rate above 1 leads away."""
    optimiser = torch.optim.SGD(net.parameters(), lr=rate)

    def step(_: int) -> dict[str, float]:
        loss = net.weight.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return {"loss": loss.item()}

    return step


def test_a_learning_rate_that_diverges_ends_the_run_with_advice(tmp_path: Path) -> None:
    net = nn.Linear(2, 2)
    advice = r"train_toy: loss is (inf|nan) at step \d+ of 900.*Lower its learning rate"
    with pytest.raises(NumbersError, match=advice) as caught:
        loop(tmp_path).run({"net": net}, descent(net, 3.0), num_steps=900)
    assert "train_toy.learning_rate" in str(caught.value)
    state = loop(tmp_path).checkpoint.load()
    assert state is not None
    assert all(map(math.isfinite, (row["loss"] for row in state["rows"])))
    assert state["states"]["net"]["weight"].isfinite().all()


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_a_number_between_two_logged_ones_is_looked_at_too(tmp_path: Path, value: float) -> None:
    numbers = [1.0] * 1000
    numbers[501] = value  # every fifth step is logged
    with pytest.raises(NumbersError, match="at step 501"):
        loop(tmp_path).run({}, lambda i: {"loss": numbers[i]}, num_steps=1000)


def test_a_good_checkpoint_is_not_replaced_by_weights_that_are_none(tmp_path: Path) -> None:
    """The step before the loss shows it."""
    net = nn.Linear(1, 1)

    def step(index: int) -> dict[str, float]:
        if index == 3:
            net.weight.data.fill_(NAN)
        return {"loss": 1.0}

    with pytest.raises(NumbersError, match=r"net/weight holds NaN or infinity after step 3"):
        loop(tmp_path).run({"net": net}, step, num_steps=10)
    state = loop(tmp_path).checkpoint.load()
    assert state is not None
    assert state["step"] == 2


def test_what_was_never_logged_has_no_last_number(tmp_path: Path) -> None:
    run = loop(tmp_path)
    assert run.last("loss") == {}
    run.run({}, lambda i: {"loss": float(i)}, num_steps=20)
    assert run.last("loss", "other") == {"loss": 18.5}


def broken_net() -> nn.Linear:
    net = nn.Linear(2, 3)
    net.bias.data[1] = NAN
    return net


def test_weights_that_are_no_numbers_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"net\.safetensors: bias has values that are no numbers"
    ):
        save_model(tmp_path, {"net": broken_net()}, CONFIG.to_json(), "card")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_tensors_that_are_no_numbers_are_not_read(tmp_path: Path, dtype: torch.dtype) -> None:
    tensors = {"ids": torch.arange(3), "empty": torch.zeros(0), "ws": torch.zeros(99, dtype=dtype)}
    save_tensors(tmp_path / "codes.safetensors", tensors)
    assert load_tensors(tmp_path / "codes.safetensors").keys() == tensors.keys()
    tensors["ws"][70] = INF
    (tmp_path / "codes.safetensors").write_bytes(save(tensors))
    with pytest.raises(WeightsError, match="ws has values that are no numbers"):
        load_tensors(tmp_path / "codes.safetensors")


def test_a_network_is_not_filled_with_what_is_no_number() -> None:
    net = nn.Linear(2, 3)
    before = net.bias.clone()
    with pytest.raises(WeightsError, match=r"theirs\.pt: bias .* import it again"):
        fill(net, broken_net().state_dict(), "theirs.pt")
    assert torch.equal(net.bias, before)


@pytest.mark.parametrize(
    "where", [{"value": NAN}, {"floor": INF}, {"ceiling": NAN}, {"ci": (0.0, NAN)}]
)
def test_a_metric_is_a_number_or_not_measured(where: dict[str, float]) -> None:
    assert Metric("m", None, 0, "up", "absent").to_json()["value"] is None
    with pytest.raises(NumbersError, match="m: value, floor, ceiling or interval"):
        Metric(**{"name": "m", "value": 1.0, "n": 3, "better": "up", "protocol": "p"} | where)


def test_an_outcome_has_numbers_only() -> None:
    with pytest.raises(NumbersError, match="the stage's loss_g is nan"):
        Outcome(metrics={"images_seen": 3.0, "loss_g": NAN})
