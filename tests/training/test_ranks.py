"""Two processes train as one does, and go on as if nothing had been when one of them or both are killed."""

import json
import multiprocessing
import shutil
import signal
import socket
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch

from tedigan.draws import SharedStream, each, integers, normal, rows_of, uniform
from tedigan.errors import NumbersError
from tedigan.generator.discriminator import minibatch_std
from tedigan.tensors import stream
from tedigan.training import ranks
from tests.training.tiny_trainings import NUM_STEPS, TRAININGS, be_rank

# Of a loss, after 50 steps. The adversarial training amplifies rounding most: 3e-5 was seen.
TOLERANCE = 3e-4

pytestmark = pytest.mark.timeout(900)  # 40 s of two quiet cores


FORKED = multiprocessing.get_context("forkserver")  # what they import is imported once
FORKED.set_forkserver_preload(["tests.training.tiny_trainings"])


def processes(folder: Path, num: int, *names: str, ends: str = "") -> list[BaseProcess]:
    """Ranks of one machine; ends: see `end_where_asked`."""
    folder.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(num)}
    given = {"TORCHELASTIC_RUN_ID": "test"} | given if num > 1 else {}
    given["ENDS"] = ends
    started = [
        FORKED.Process(target=be_rank, args=(rank, folder, list(names), given))
        for rank in range(num)
    ]
    for one in started:
        one.start()
    return started


def statuses(started: list[BaseProcess]) -> list[int | None]:
    for one in started:
        one.join(800)
    return [one.exitcode for one in started]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Every training, by one process and by two."""
    root = tmp_path_factory.mktemp("ranks")
    started = {num: processes(root / str(num), num) for num in (1, 2)}
    for num, found in started.items():
        assert statuses(found) == [0] * num, (root / str(num) / "err-0").read_text()
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


def test_a_killed_run_of_two_goes_on_to_the_same_bytes_and_one_process_to_the_same_losses(
    trained: dict[int, Path], tmp_path: Path
) -> None:
    """Of one, of both, and by a signal that one of them hears."""
    name, work, alone = "train_generator", tmp_path / "work", tmp_path / "alone"
    assert statuses(processes(work, 2, name, ends="SIGKILL 1 23")) == [1, -signal.SIGKILL]
    assert "LostRankError: another of the processes" in (work / "err-0").read_text()
    assert statuses(processes(work, 2, name, ends="SIGKILL 0,1 33")) == [-signal.SIGKILL] * 2
    assert statuses(processes(work, 2, name, ends="SIGTERM 1 41")) == [128 + signal.SIGTERM] * 2
    shutil.copytree(work, alone)
    both, one = processes(work, 2, name), processes(alone, 1, name)
    assert statuses(both) + statuses(one) == [0, 0, 0]
    assert "resumes from its checkpoint at step 42" in (work / "err-0").read_text()
    assert same(work, trained[2])
    assert losses(work, name) == losses(trained[2], name)
    assert "2 processes began it and 1 go on" in (alone / "err-0").read_text()
    for found, undisturbed in zip(losses(alone, name), losses(trained[1], name), strict=True):
        assert found == pytest.approx(undisturbed, rel=TOLERANCE)


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
