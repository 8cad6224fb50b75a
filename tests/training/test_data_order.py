"""Which photographs a step sees: by its number alone, however they are read."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.tensors import stream, to_images
from tedigan.training.data_order import TrainingImages
from tests.stages.toy import write_toy_dataset


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("order") / "dataset"
    write_toy_dataset(folder, 24, 1)
    return Dataset.open(folder)


def images(data: Dataset, **options: int) -> TrainingImages:
    cpu = torch.device("cpu")
    return TrainingImages(
        data, data.split("train"), batch_size=3, seed=5, name="x", device=cpu, **options
    )


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


def test_reading_ahead_in_processes_changes_nothing(data: Dataset) -> None:
    here, ahead = seen(images(data), range(4)), seen(images(data, num_workers=2), range(4))
    assert all(torch.equal(a, b) for a, b in zip(here, ahead, strict=True))


def test_reading_draws_nothing_from_the_networks_stream(data: Dataset, tmp_path: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    seen(images(data), range(2))
    assert torch.equal(torch.rand(2), expected)
