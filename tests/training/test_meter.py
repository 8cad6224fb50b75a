"""What a training says of itself beside its losses."""

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from tedigan.training.loop import Loop
from tedigan.training.meter import Meter, in_words


def test_a_reading_counts_from_the_last_one(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("tedigan.training.meter.time.perf_counter", lambda: now[0])
    meter = Meter(images_a_step=20)
    meter.start(10)
    with meter.waiting():
        now[0] += 2.0
    now[0] += 8.0
    found = meter.read(14)
    assert (found["s_per_step"], found["wait_ms"]) == (2.5, 500.0)
    assert (found["kimg"], found["s_per_kimg"]) == (0.28, 125.0)
    now[0] += 1.0
    assert meter.read(15) | {"memory_gib": 0.0} == {
        "s_per_step": 1.0, "wait_ms": 0.0, "memory_gib": 0.0, "kimg": 0.3, "s_per_kimg": 50.0
    }  # fmt: skip


def test_the_status_line_has_images_speed_memory_and_waiting() -> None:
    line = r"0\.3 kimg, [\d.e+-]+ s/kimg, \d+\.\d\d GiB, wait [\d.e+-]+ ms"
    assert re.fullmatch(line, in_words(Meter(images_a_step=20).read(15)))
    assert "s/step" in in_words(Meter().read(15))


def train(work: Path, *, num_steps: int, profile_steps: int) -> None:
    net = nn.Linear(2, 2)

    def step(_: int) -> dict[str, float]:
        return {"loss": net(torch.ones(1, 2)).sum().item()}

    loop = Loop("toy", work=work, depends_on={}, inputs=[], every=100, profile_steps=profile_steps)
    loop.run({"net": net}, step, num_steps=num_steps)


@pytest.mark.parametrize(("num_steps", "found"), [(4, 0), (5, 0), (7, 2)])
def test_a_run_that_ends_before_its_profile_says_what_there_is(
    tmp_path: Path, capsys, num_steps: int, found: int
) -> None:
    train(tmp_path, num_steps=num_steps, profile_steps=5)
    said = f"the profile of {found} steps lies at" if found else "there is no profile"
    assert said in capsys.readouterr().err
    assert (tmp_path / "profiles/toy-0.json").is_file() == bool(found)


def test_a_profile_is_taken_once_of_so_many_steps(tmp_path: Path) -> None:
    train(tmp_path, num_steps=12, profile_steps=2)
    trace = json.loads((tmp_path / "profiles/toy-0.json").read_text())
    layers = [one for one in trace["traceEvents"] if one.get("name") == "aten::linear"]
    assert len(layers) == 2
