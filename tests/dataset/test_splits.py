"""Train, val and test: nobody is in two of them."""

from pathlib import Path

import pytest

from tedigan.dataset.folder import Dataset
from tedigan.dataset.splits import (
    HALVES,
    celeba_partition,
    halves,
    split_as_published,
    split_by_identity,
)
from tedigan.errors import DataError
from tests.stages.toy import write_toy_dataset


def test_nobody_is_in_two_splits_and_more_photographs_move_nobody() -> None:
    shares = {"val_fraction": 0.2, "test_fraction": 0.2, "seed": 1}
    identities = {photo: photo // 3 for photo in range(600)}
    splits = split_by_identity(identities, **shares)
    assert all(splits[3 * who] == splits[3 * who + 2] for who in range(200))
    assert 60 < sum(split == "test" for split in splits.values()) < 180
    fewer = split_by_identity({photo: photo // 3 for photo in range(300)}, **shares)
    assert all(splits[photo] == split for photo, split in fewer.items())


def test_published_val_people_are_halved_into_val_and_test() -> None:
    identities = {photo: photo // 2 for photo in range(400)}
    partitions = {photo: "train" if photo < 200 else "val" for photo in identities}
    splits = split_as_published(partitions, identities, val_fraction=0.1, seed=0)
    assert all(splits[photo] == "train" for photo in range(200))
    halves = [splits[photo] for photo in range(200, 400, 2)]
    assert halves == [splits[photo] for photo in range(201, 400, 2)]
    assert 30 < halves.count("test") < 70


def test_a_published_test_partition_is_kept_as_it_is() -> None:
    partitions = {0: "train", 1: "val", 2: "test"}
    people = {0: 0, 1: 1, 2: 2}
    assert split_as_published(partitions, people, val_fraction=0.5, seed=0) == partitions


def test_a_published_partition_without_val_takes_it_from_train_alone() -> None:
    partitions = {photo: "test" if photo < 60 else "train" for photo in range(300)}
    people = {photo: photo // 3 for photo in range(300)}
    splits = split_as_published(partitions, people, val_fraction=0.2, seed=0)
    assert {photo for photo, split in splits.items() if split == "test"} == set(range(60))
    assert 20 < list(splits.values()).count("val") < 80
    assert all(splits[3 * who] == splits[3 * who + 2] for who in range(100))
    assert split_as_published(partitions, people, val_fraction=0.0, seed=0) == partitions


def test_celeba_numbers_decide_the_official_partition() -> None:
    """The edges of list_eval_partition.txt."""
    edges = [1, 162_770, 162_771, 182_637, 182_638, 202_599]
    found = [celeba_partition(number) for number in edges]
    assert found == ["train", "train", "val", "val", "test", "test"]


def test_no_split_with_a_share_stays_empty() -> None:
    splits = split_by_identity(
        {photo: photo for photo in range(3)}, val_fraction=0.01, test_fraction=0.01, seed=0
    )
    assert sorted(splits.values()) == ["test", "train", "val"]


def test_shares_that_leave_nothing_to_train_on_are_refused() -> None:
    with pytest.raises(DataError, match="below 1"):
        split_by_identity({0: 0}, val_fraction=0.5, test_fraction=0.5, seed=0)


def test_an_unknown_partition_is_refused() -> None:
    with pytest.raises(DataError, match="unknown partitions"):
        split_as_published({0: "dev"}, {0: 0}, val_fraction=0.1, seed=0)


def test_guide_and_referee_share_no_person_and_together_see_everybody() -> None:
    identities = {photo: photo // 3 for photo in range(600)}
    found = halves(identities)
    people = [{identities[photo] for photo in found[name]} for name in HALVES["train"]]
    assert not people[0] & people[1]
    assert sorted(found["guide"] + found["referee"]) == list(identities)
    assert min(map(len, people)) > 80


def test_more_photographs_move_nobody_to_the_other_half() -> None:
    few, many = ({photo: photo // 3 for photo in range(count)} for count in (300, 600))
    before, after = halves(few), halves(many)
    assert all(set(before[name]) <= set(after[name]) for name in HALVES["train"])


def test_photographs_of_nobody_known_are_halved_one_by_one() -> None:
    found = halves(dict.fromkeys(range(200), -1))
    assert sorted(found["guide"] + found["referee"]) == list(range(200))
    assert min(map(len, found.values())) > 70


def test_two_people_make_two_halves() -> None:
    for who in range(20):
        assert all(halves({0: who, 1: who, 2: who + 1}).values())


def test_the_halves_of_val_are_drawn_apart_from_those_of_train() -> None:
    identities = {photo: photo for photo in range(200)}
    train, val = halves(identities), halves(identities, HALVES["val"])
    assert (
        60
        < len(set(train["guide"]) & set(val["thresholds"]))
        + len(set(train["referee"]) & set(val["reliability"]))
        < 140
    )


def test_a_train_split_of_one_person_cannot_be_halved(tmp_path: Path) -> None:
    write_toy_dataset(tmp_path / "dataset", 3, 3)
    data = Dataset.open(tmp_path / "dataset")
    with pytest.raises(DataError, match="3 photographs of 1 people, expected at least two people"):
        [data.half(name) for name in ("guide", "referee")]
