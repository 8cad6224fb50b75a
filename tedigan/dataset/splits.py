"""Who is trained on and who is not: train, val and test, without one person in two of them.

Train and val have two halves each, again by person: the judge has not seen what the judged one learnt from.
"""

import hashlib
from collections.abc import Mapping
from typing import TypeVar

from tedigan.errors import DataError

SPLITS = ("train", "val", "test")
MAX_IDENTITY = 2**63  # of a person's number, which index.parquet keeps in 64 bits
FIRST_GROUP = -(
    2**40
)  # less a photograph's id: it and those that look like it, where nobody knows who is who
# The guide, which the method follows, and the referee, which judges it, never learn from one person. The referee's
# thresholds are chosen on one half of val; which attributes it may be trusted with is seen on the other.
HALVES = {"train": ("guide", "referee"), "val": ("thresholds", "reliability")}

_Who = TypeVar("_Who", int, int | str)

# Who may see the test split; what chooses a setting does not (tests/contracts keeps the list complete).
MAY_SEE_TEST = {
    "tedigan.comparison.court": "the prompts that methods are compared on",
    "tedigan.dataset.sources.multimodal": "the lists of a release, which say who belongs to it",
    "tedigan.evaluation.contestants": "the photographs that everything is measured on",
    "tedigan.evaluation.drawn_faces": "the drawings that sources are judged on",
    "tedigan.evaluation.referee_quality": "how good the referee is, its thresholds being chosen on val",
    "tedigan.training.parser_and_tagger": "a tagger's F1 after training, for its card",
    "tedigan.jobs.source_pictures": "drawings that no network was trained on, where a list of sources names them",
    "tedigan.stages.manipulate": "photographs to edit that no network was trained on",
}


def share_of(*key: int | str) -> float:
    """A number in [0, 1) that depends on the key alone."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def split_by_identity(
    identities: Mapping[int, int], *, val_fraction: float, test_fraction: float, seed: int
) -> dict[int, str]:
    """Photograph id -> split, decided by a hash of (seed, identity): more photographs move nobody.

    A split with a positive fraction gets at least one person where there are three or more.
    """
    if val_fraction + test_fraction >= 1:
        raise DataError(
            f"val_fraction {val_fraction} + test_fraction {test_fraction} leaves nothing to train "
            "on; set them so that their sum is below 1."
        )
    shares = {who: share_of(seed, "split", who) for who in set(identities.values())}
    people = {
        who: "test" if s < test_fraction else "val" if s < test_fraction + val_fraction else "train"
        for who, s in shares.items()
    }
    wanted = [("train", 1.0), ("val", val_fraction), ("test", test_fraction)]
    _fill(people, shares, [name for name, fraction in wanted if fraction > 0])
    return {photo: people[who] for photo, who in identities.items()}


def halves(
    identities: Mapping[int, int], names: tuple[str, str] = HALVES["train"]
) -> dict[str, list[int]]:
    """The photographs of each half, of about equal size: nobody is in both, everybody is in one.

    identities: photograph id -> person; below 0 where nobody knows who it is, which counts as a person of its own,
    from FIRST_GROUP down a group of photographs that look alike.
    Decided by a hash of the person alone: more photographs move nobody. A half that would be empty gets a person
    where there are two.
    """
    firsts = {
        photo: FIRST_GROUP - who if who <= FIRST_GROUP else photo
        for photo, who in identities.items()
    }
    people = {
        photo: who if who >= 0 else f"photograph {firsts[photo]}"
        for photo, who in identities.items()
    }
    shares = {who: share_of("half", *names, who) for who in set(people.values())}
    places = {who: names[0] if share < 0.5 else names[1] for who, share in shares.items()}
    _fill(places, shares, list(names))
    return {name: [photo for photo, who in people.items() if places[who] == name] for name in names}


def split_as_published(
    partitions: Mapping[int, str],
    identities: Mapping[int, int],
    *,
    val_fraction: float,
    seed: int,
) -> dict[int, str]:
    """Photograph id -> split from a published partition, which is changed only where it lacks one.

    Without test photographs, the people of val are halved into val and test; without val, about
    `val_fraction` of the people of train go there. Published test photographs stay as they are.
    """
    check_apart(partitions, identities)
    found = set(partitions.values())
    if "test" not in found:
        return _move_people(partitions, identities, "val", "test", 0.5, (seed, "halve"))
    if "val" not in found and val_fraction > 0:
        return _move_people(partitions, identities, "train", "val", val_fraction, (seed, "val"))
    return dict(partitions)


def celeba_partition(number: int) -> str:
    """CelebA's own partition of photograph `number`, where 1 is 000001.jpg."""
    return "train" if number <= 162_770 else "val" if number <= 182_637 else "test"


def _move_people(
    partitions: Mapping[int, str],
    identities: Mapping[int, int],
    source: str,
    target: str,
    fraction: float,
    key: tuple[int | str, ...],
) -> dict[int, str]:
    """Move about `fraction` of the people of one split to another."""
    shares = {
        identities[photo]: share_of(*key, identities[photo])
        for photo, split in partitions.items()
        if split == source
    }
    people = {who: target if share < fraction else source for who, share in shares.items()}
    _fill(people, shares, [source, target])
    return {
        photo: people[identities[photo]] if split == source else split
        for photo, split in partitions.items()
    }


def check_apart(splits: Mapping[int, str], identities: Mapping[int, int]) -> None:
    """DataError if a split is unknown or one person is in two of them; of people below 0 nobody knows."""
    if unknown := set(splits.values()) - set(SPLITS):
        raise DataError(f"unknown partitions {sorted(unknown)}; expected {', '.join(SPLITS)}.")
    seen: dict[int, str] = {}
    for photo, split in splits.items():
        if identities[photo] < 0:
            continue
        other = seen.setdefault(identities[photo], split)
        if other != split:
            raise DataError(
                f"identity {identities[photo]} is in {other} and (photograph {photo}) in {split}; "
                "a person may be in one only. Mend the source's partition, or set dataset.split to identity."
            )


def _fill(people: dict[_Who, str], shares: Mapping[_Who, float], wanted: list[str]) -> None:
    """Give each empty split one person of the largest, the one with the lowest share."""
    for name in wanted:
        if name in people.values() or len(people) < len(wanted):
            continue
        names = list(people.values())
        largest = max(wanted, key=names.count)
        mover = min((who for who in people if people[who] == largest), key=lambda who: shares[who])
        people[mover] = name
