import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.convolutions import gflop_per_image
from benchmarks.pairing import Cell, best, ratio, run_in_turn

ROOT = Path(__file__).parents[2]


def test_an_images_cost_is_the_sum_of_its_convolutions():
    """4 px: 9 c^2 16 + 3 c 16; 8 px: 9 c^2 16 (at the lower size) + 9 c^2 64 + 3 c 64, with c = 2."""
    expected = 2 * (9 * 4 * 16 + 3 * 2 * 16 + 9 * 4 * 16 + 9 * 4 * 64 + 3 * 2 * 64) / 1e9
    assert gflop_per_image(8, channel_base=16, channel_max=2) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("resolution", "base", "published"), [(256, 16384, 29.8), (1024, 32768, 148.5)]
)
def test_the_papers_sizes_cost_what_is_published(resolution, base, published):
    assert gflop_per_image(resolution, base) == pytest.approx(published, abs=0.1)


def cell(name: str, *wall_s: float) -> Cell:
    return Cell(name, [], [{"images": 2, "wall_s": [s, s, 100.0]} for s in wall_s])


def test_ratios_are_taken_round_by_round():
    ours, theirs = cell("ours", 1.0, 2.0, 4.0), cell("theirs", 2.0, 4.0, 4.0)
    assert ours.rates == [2.0, 1.0, 0.5]
    assert ratio(ours, theirs) == (2.0, 1.0, 2.0)
    assert best([theirs, ours]) is ours


def test_a_worker_that_fails_ends_the_run_with_its_words():
    broken = Cell("broken", ["benchmarks.our_worker", "no such measurement"])
    with pytest.raises(SystemExit, match="invalid choice"):
        run_in_turn([broken], rounds=1)


@pytest.mark.parametrize("what", ["synthesis", "files", "step"])
def test_our_worker_measures_each_kind(what):
    command = [sys.executable, "-m", "benchmarks.our_worker", what]
    sizes = ["--resolution", "16", "--channel-base", "64", "--batch", "2", "--repeats", "2"]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=True, cwd=ROOT)
    result = json.loads(done.stdout.rpartition("RESULT ")[2])
    assert result["images"] == 2
    assert len(result["wall_s"]) == 2
    assert min(result["wall_s"]) > 0
