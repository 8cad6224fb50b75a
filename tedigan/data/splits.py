"""Who is trained on and who is not: train, val and test, without one person in two of them."""

import hashlib
from collections.abc import Mapping

from tedigan.errors import DataError

SPLITS = ("train", "val", "test")


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


def split_as_published(
    partitions: Mapping[int, str], identities: Mapping[int, int], *, seed: int
) -> dict[int, str]:
    """Photograph id -> split from the published partition.

    Where the published test photographs are not there, the people of val are halved into val and test.
    """
    check_apart(partitions, identities)
    if "test" in partitions.values():
        return dict(partitions)
    shares = {
        identities[photo]: share_of(seed, "halve", identities[photo])
        for photo, split in partitions.items()
        if split == "val"
    }
    people = {who: "test" if share < 0.5 else "val" for who, share in shares.items()}
    _fill(people, shares, ["val", "test"])
    return {
        photo: people[identities[photo]] if split == "val" else split
        for photo, split in partitions.items()
    }


def check_apart(splits: Mapping[int, str], identities: Mapping[int, int]) -> None:
    """DataError if a split is unknown or one person is in two of them."""
    if unknown := set(splits.values()) - set(SPLITS):
        raise DataError(f"unknown partitions {sorted(unknown)}; expected {', '.join(SPLITS)}.")
    seen: dict[int, str] = {}
    for photo, split in splits.items():
        other = seen.setdefault(identities[photo], split)
        if other != split:
            raise DataError(
                f"identity {identities[photo]} is in {other} and (photograph {photo}) in {split}; "
                "a person may be in one only. Mend the partition column of identity.csv."
            )


def _fill(people: dict[int, str], shares: Mapping[int, float], wanted: list[str]) -> None:
    """Give each empty split one person of the largest, the one with the lowest share."""
    for name in wanted:
        if name in people.values() or len(people) < len(wanted):
            continue
        names = list(people.values())
        largest = max(wanted, key=names.count)
        mover = min((who for who in people if people[who] == largest), key=lambda who: shares[who])
        people[mover] = name
