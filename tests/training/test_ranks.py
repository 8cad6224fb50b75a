"""Two processes train as one does, and go on as if nothing had been when one of them or both are killed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tedigan.draws import SharedStream, each, integers, normal, rows_of, uniform
from tedigan.errors import NumbersError
from tedigan.generator.discriminator import minibatch_std
from tedigan.tensors import stream
from tedigan.training import ranks
from tests.training.tiny_trainings import EVERY, NUM_STEPS, TRAININGS

# Of a loss, after 50 steps. The adversarial training amplifies rounding most: 3e-5 was seen.
TOLERANCE = 3e-4


def processes(folder: Path, num: int, *names: str, dies: str = "") -> list[subprocess.Popen[str]]:
    """As torchrun starts them on one machine."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    several = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(num)}
    several = {"TORCHELASTIC_RUN_ID": "test"} | several if num > 1 else {}
    command = [sys.executable, "-m", "tests.training.tiny_trainings", str(folder), *names]
    return [
        subprocess.Popen(
            command,
            env=os.environ
            | several
            | {"RANK": str(rank), "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1", "DIES": dies},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(num)
    ]


def ends(started: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    said = [one.communicate(timeout=200)[1] for one in started]
    return [(one.returncode, text) for one, text in zip(started, said, strict=True)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Every training, by one process and by two."""
    root = tmp_path_factory.mktemp("ranks")
    started = {num: processes(root / str(num), num) for num in (1, 2)}
    for found in started.values():
        for status, said in ends(found):
            assert status == 0, said
    return {num: root / str(num) for num in started}


def losses(folder: Path, name: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = json.loads((folder / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_have_the_losses_of_one(name: str, trained: dict[int, Path]) -> None:
    alone, both = (losses(trained[num], name) for num in (1, 2))
    assert len(alone) == len(both) >= NUM_STEPS
    for one, other in zip(alone, both, strict=True):
        assert other == pytest.approx(one, rel=TOLERANCE)


def same(one: Path, other: Path) -> bool:
    """Whether two trainings ended with the same bits of every network and optimiser."""
    states = [torch.load(path / "train_generator.pt", weights_only=True) for path in (one, other)]
    tensors = [dict(ranks._tensors(state)) for state in states]
    assert tensors[0].keys() == tensors[1].keys()
    return all(torch.equal(value, tensors[1][name]) for name, value in tensors[0].items())


def test_a_killed_run_of_two_goes_on_to_the_same_bytes(
    trained: dict[int, Path], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    (first, said), (second, _) = ends(processes(work, 2, "train_generator", dies="1@23"))
    assert second == -9
    assert first not in (0, -9)
    assert "LostRankError: another of the processes" in said
    (first, _), (second, _) = ends(processes(work, 2, "train_generator", dies="0,1@33"))
    assert (first, second) == (-9, -9)
    (first, said), (second, _) = ends(processes(work, 2, "train_generator"))
    assert (first, second) == (0, 0)
    assert "resumes from its checkpoint at step 30" in said
    assert same(work, trained[2])
    assert losses(work, "train_generator") == losses(trained[2], "train_generator")


def test_another_number_goes_on_and_says_so(trained: dict[int, Path], tmp_path: Path) -> None:
    work = tmp_path / "work"
    ends(processes(work, 2, "train_text_encoder", dies="0,1@33"))
    ((status, said),) = ends(processes(work, 1, "train_text_encoder"))
    assert status == 0
    assert "2 processes began it and 1 go on" in said
    found, undisturbed = (losses(place, "train_text_encoder") for place in (work, trained[1]))
    for one, other in zip(found, undisturbed, strict=True):
        assert one == pytest.approx(other, rel=TOLERANCE)
    assert EVERY < NUM_STEPS


def shared(rank: int, num: int) -> SharedStream:
    found = SharedStream()
    found.set_state(stream("batch").get_state())
    found.rank, found.num_ranks = rank, num
    return found


def test_the_ranks_rows_are_the_batch_of_one() -> None:
    def drawn(rng: torch.Generator, n: int) -> list[torch.Tensor]:
        one_by_one = each(rng, n, lambda: torch.rand(3, generator=rng))
        first, second = normal(rng, 2 * n, 16).split(n)
        return [
            integers(rng, 0, 90, n), uniform(rng, n, 2), first, second, torch.stack(one_by_one),
            torch.tensor(rows_of(rng, range(8))),
        ]  # fmt: skip

    whole = drawn(stream("batch"), 8)
    parts = [drawn(shared(rank, 2), 4) for rank in range(2)]
    for place, expected in enumerate(whole):
        dealt = torch.stack([part[place] for part in parts], dim=1).flatten(0, 1)
        assert torch.equal(dealt, expected)


def test_the_groups_of_the_batch_deviation_stay_within_a_rank() -> None:
    maps = torch.randn(8, 3, 4, 4, generator=stream("maps"))
    whole = minibatch_std(maps, 4)[:, 3]
    for rank in range(2):
        torch.testing.assert_close(minibatch_std(maps[rank::2], 4)[:, 3], whole[rank::2])


def test_alone_nothing_is_exchanged() -> None:
    value = torch.ones(3)
    assert ranks.mean(value) is value
    assert ranks.gathered(value) is value
    assert ranks.share(7) == 7
    assert type(ranks.shared_stream(0, "x")) is torch.Generator
    ranks.check_alike({"G": {"w": value}}, 0)


def test_ranks_that_drift_apart_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "num_ranks", lambda: 2)
    monkeypatch.setattr(
        ranks,
        "_reduced",
        lambda sums, operation: sums + (sums > 100) * (operation == torch.distributed.ReduceOp.MAX),
    )
    with pytest.raises(NumbersError, match=r"2 processes hold different values of G/w at step 4"):
        ranks.check_alike({"G": {"w": torch.ones(3), "b": torch.zeros(2)}}, 4)
