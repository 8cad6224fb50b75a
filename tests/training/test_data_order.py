"""Which photographs a step sees: by its number alone, however they are read."""

import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.tensors import stream, to_images
from tedigan.training.data_order import NUM_AHEAD, TrainingImages
from tedigan.training.meter import Meter
from tests.stages.toy import write_toy_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("order") / "dataset"
    write_toy_dataset(folder, 24, 1)
    return Dataset.open(folder)


def images(data: Dataset, **options: object) -> TrainingImages:
    given = {"batch_size": 3, "seed": 5, "name": "x", "device": torch.device("cpu")} | options
    return TrainingImages(data, data.split("train"), **given)


def seen(source: TrainingImages, steps: range) -> list[Tensor]:
    return [source.at(step, stream(5, "x", step)) for step in steps]


def test_a_step_sees_the_photographs_that_its_stream_draws_first(data: Dataset) -> None:
    ids = data.split("train")
    (found,) = seen(images(data), range(4, 5))
    rows = torch.randint(len(ids), (3,), generator=stream(5, "x", 4))
    assert torch.equal(found, to_images(data.pixels([ids[row] for row in rows])))


def test_the_stream_goes_on_after_the_choice(data: Dataset) -> None:
    used, expected = stream(5, "x", 0), stream(5, "x", 0)
    images(data).at(0, used)
    torch.randint(len(data.split("train")), (3,), generator=expected)
    assert torch.equal(torch.rand(4, generator=used), torch.rand(4, generator=expected))


def test_a_run_that_starts_in_the_middle_sees_what_the_whole_one_saw(data: Dataset) -> None:
    whole, rest = seen(images(data), range(6)), seen(images(data), range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(whole[3:], rest, strict=True))


def test_going_back_starts_anew_there(data: Dataset) -> None:
    source = images(data)
    first = seen(source, range(3))
    assert torch.equal(seen(source, range(1, 2))[0], first[1])


def test_the_next_step_is_read_while_this_one_runs(data: Dataset) -> None:
    source = images(data)
    asked: list[list[int]] = []
    pixels = data.pixels

    class Watched:
        def pixels(self, ids: list[int]) -> Tensor:
            asked.append(ids)
            return pixels(ids)

    source._data = Watched()
    first = seen(source, range(1))[0]
    source._reader.submit(int).result()  # after what was read ahead
    assert len(asked) == 1 + NUM_AHEAD
    second = seen(source, range(1, 2))[0]
    assert torch.equal(second, to_images(pixels(asked[1])))
    assert not torch.equal(first, second)


def test_a_photograph_that_cannot_be_read_ends_the_step_that_needs_it(data: Dataset) -> None:
    source = images(data)
    seen(source, range(1))
    source._reader.submit(int).result()

    class Broken:
        def pixels(self, ids: list[int]) -> Tensor:
            raise DataError(f"no {ids}")

    source._data = Broken()
    seen(source, range(1, 1 + NUM_AHEAD))  # were read before
    with pytest.raises(DataError):
        seen(source, range(1 + NUM_AHEAD, 2 + NUM_AHEAD))


def test_whoever_holds_all_photographs_sees_the_same_ones(data: Dataset) -> None:
    read, held = seen(images(data), range(4)), seen(images(data, on_device=True), range(4))
    assert all(torch.equal(one, other) for one, other in zip(read, held, strict=True))


def test_what_a_step_waits_is_counted(data: Dataset) -> None:
    class Slow:
        def pixels(self, ids: list[int]) -> Tensor:
            time.sleep(0.05)
            return data.pixels(ids)

    meter = Meter(images_a_step=3)
    source = images(data, meter=meter)
    source._data = Slow()
    seen(source, range(1))
    assert meter.read(1)["wait_ms"] >= 50
    source._reader.submit(int).result()
    seen(source, range(1, 3))
    assert meter.read(3)["wait_ms"] < 25


def test_reading_draws_nothing_from_the_networks_stream(data: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    seen(images(data), range(2))
    assert torch.equal(torch.rand(2), expected)
