"""A training that was killed sees the same data in the same order as one that was not."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tedigan.stages import (
    train_encoder,
    train_generator,
    train_label_encoder,
    train_referee,
    train_sketch_encoder,
    train_text_encoder,
    train_text_mapper,
)
from tedigan.stages.resuming import open_loop
from tedigan.store.files import sha256_tree
from tedigan.tensors import stream
from tedigan.training import data_order
from tedigan.training.loop import Loop
from tedigan.workspace import Workspace
from tests.stages.small import small_workspace, write_codes, write_models
from tests.stages.toy import TINY_REFEREE

EVERY, DIES_AFTER, NUM_STEPS = 2, 4, 7
SECTIONS: dict[str, dict[str, object]] = {
    "train_generator": {"total_nimg": 4 * NUM_STEPS, "augment": "color,translation"},
    "train_encoder": {"num_synthetic_steps": 3, "num_steps": NUM_STEPS - 3},
    "train_sketch_encoder": {"num_synthetic_steps": 3, "num_steps": NUM_STEPS - 3},
    "train_label_encoder": {"num_synthetic_steps": 3, "num_steps": NUM_STEPS - 3},
    "train_text_encoder": {"num_steps": NUM_STEPS},
    "train_text_mapper": {"num_reader_steps": 3, "num_mover_steps": NUM_STEPS - 3},
    "train_referee": TINY_REFEREE | {"num_steps": NUM_STEPS},
}


def prepared(root: Path) -> Workspace:
    """What every training here needs, whichever runs."""
    root.mkdir()
    every = {name: {"checkpoint_every": EVERY} | values for name, values in SECTIONS.items()}
    workspace = small_workspace(root, **every)
    write_models(workspace)
    write_codes(workspace)
    return workspace


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Every random choice of whole numbers, such as of photographs, as it is made."""
    seen: list[Tensor] = []
    draw = torch.randint

    def watched(*args: object, **options: object) -> Tensor:
        seen.append(draw(*args, **options))
        return seen[-1].clone()

    monkeypatch.setattr(torch, "randint", watched)
    return seen


class Killed(BaseException):
    """What nothing catches."""


def kill_after(step: int, patched: pytest.MonkeyPatch) -> None:
    save = Loop._save

    def saved(self: Loop, components: dict, at: int) -> None:
        save(self, components, at)
        if at == step:
            raise Killed

    patched.setattr(Loop, "_save", saved)


TRAININGS = {
    "generator": train_generator,
    "encoder": train_encoder,
    "sketch_encoder": train_sketch_encoder,
    "label_encoder": train_label_encoder,
    "text_encoder": train_text_encoder,
    "text_mapper": train_text_mapper,
    "referee": train_referee,
}


@pytest.mark.parametrize("model", TRAININGS)
def test_a_killed_training_draws_the_same_photographs_and_ends_with_the_same_bytes(
    model: str, tmp_path: Path, drawn: list[Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = TRAININGS[model]
    monkeypatch.setattr(data_order, "NUM_AHEAD", 1)  # of more steps some are not drawn again
    whole, cut = prepared(tmp_path / "whole"), prepared(tmp_path / "cut")
    stage.run(whole)
    expected = drawn.copy()
    drawn.clear()
    with monkeypatch.context() as patched:
        kill_after(DIES_AFTER, patched)
        with pytest.raises(Killed):
            stage.run(cut)
    assert 0 < len(drawn) < len(expected)
    assert stage.run(cut).resumed_from_step == DIES_AFTER
    assert len(drawn) == len(expected)
    assert all(torch.equal(one, other) for one, other in zip(drawn, expected, strict=True))
    assert sha256_tree(cut.model(model)) == sha256_tree(whole.model(model))


def recorded(workspace: Workspace, dies_at: int | None = None) -> tuple[Loop, list[list[int]]]:
    """A training that only notes its photographs, and the rows of its log."""
    counter, seen = nn.BatchNorm1d(1), []
    section = workspace.params.train_generator.model_copy(update={"checkpoint_every": EVERY})
    params = workspace.params.model_copy(update={"train_generator": section})
    training = open_loop(Workspace(workspace.root, params), "train_generator", [workspace.dataset])

    def step(index: int) -> dict[str, float]:
        if index == dies_at:
            raise Killed
        seen.append(torch.randint(24, (4,), generator=stream(0, "order", index)).tolist())
        counter(torch.zeros(2, 1))
        return {"steps_before": counter.num_batches_tracked.item() - 1.0}

    try:
        training.run({"counter": counter}, step, num_steps=NUM_STEPS)
    except Killed:
        pass
    return training, seen


def test_a_loop_killed_between_checkpoints_goes_on_from_the_last_one(tmp_path: Path) -> None:
    workspace = small_workspace(tmp_path)
    whole, order = recorded(workspace)
    whole.checkpoint.remove()
    killed, before = recorded(workspace, dies_at=5)
    assert (killed.resumed_from_step, before) == (None, order[:5])
    resumed, after = recorded(workspace)
    assert (resumed.resumed_from_step, after) == (4, order[4:])
    assert resumed.rows == whole.rows
    assert [row["steps_before"] for row in resumed.rows] == list(range(NUM_STEPS))


def test_another_seed_starts_anew(tmp_path: Path) -> None:
    workspace = small_workspace(tmp_path)
    recorded(workspace, dies_at=5)
    section = workspace.params.train_generator.model_copy(update={"seed": 1})
    params = workspace.params.model_copy(update={"train_generator": section})
    assert recorded(Workspace(workspace.root, params))[0].resumed_from_step is None
