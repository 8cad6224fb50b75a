"""What a plan says that it will take, in units that fit small jobs and large ones."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tedigan.bulk.amounts import amount, duration
from tedigan.bulk.planning import Estimate, estimate
from tedigan.bulk.shard_files import read_rows
from tedigan.workspace import Workspace
from tests.bulk.jobs import planned

TEN_MILLION = Estimate(10_000_000, 10_000, 50.0, 9000.0, 0.25, 12.0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.42, "0.42 s"),
        (75.0, "75 s"),
        (600.0, "10.0 min"),
        (2e5, "2.3 d"),
    ],
)
def test_a_duration_has_a_unit_that_shows_it(seconds, said):
    assert duration(seconds) == said


def test_an_amount_has_a_unit_that_shows_it():
    assert [amount(x) for x in (9e3, 2.5e6, 9e10, 3e13)] == [
        "9.0 kB",
        "2.5 MB",
        "90.0 GB",
        "30.0 TB",
    ]


@pytest.mark.parametrize(("sample", "num_drawn"), [(1, 4), (4, 4), (5, 8), (100, 10)])
def test_a_sample_is_of_whole_batches_as_far_as_the_job_has_them(
    untrained: Workspace, tmp_path: Path, sample: int, num_drawn: int
) -> None:
    plan, draft = planned(untrained, tmp_path / "draft", ["She is young."] * 2, batch_size=4)
    device = torch.device("cpu")
    taken = estimate(plan, draft, untrained.models, tmp_path, device, sample=sample)
    assert len(read_rows(tmp_path / "000000.parquet")) == num_drawn
    size = sum((tmp_path / f"000000.{kind}").stat().st_size for kind in ("tar", "parquet"))
    assert taken.bytes_per_image == size / num_drawn


def test_a_small_job_takes_seconds_and_the_opening_of_models_is_told_apart():
    lines = replace(TEN_MILLION, num_images=100, num_shards=1).lines(4, 3.6)
    assert "2 s with 1" in lines[1]  # one shard is for one worker
    assert "opens the models first, in 12 s" in lines[1]
    assert lines[2].startswith("900.0 kB")


def test_a_large_job_is_shared_by_its_workers_and_costs_what_all_of_them_take():
    lines = TEN_MILLION.lines(8, 3.6)
    assert "6.9 h with 8, 200.00 USD" in lines[1]
    assert lines[2].startswith("90.0 GB, 2.07 USD a month")


def test_heartbeats_are_counted_among_the_requests():
    """10,000 shards of 20 s each: a word after each, and one every 30 s of 200,000 s."""
    beats = 10_000 + 6_667
    assert TEN_MILLION.requests() == (30_000 + beats, 110_000 + beats)
    short = replace(TEN_MILLION, images_per_second=1e6)  # 10 s in all: no worker speaks so often
    assert short.requests() == (30_000 + 2, 110_000 + 2)
