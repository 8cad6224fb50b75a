"""Which record goes into which split: by a hash of the person, or as a list says that the source has."""

from collections.abc import Mapping

from tedigan.dataset.build_settings import BuildSettings
from tedigan.dataset.records import Maker
from tedigan.dataset.splits import check_apart, split_as_published, split_by_identity
from tedigan.dataset.survey import Survey
from tedigan.errors import DataError

AUTO, PUBLISHED = "auto", "published"  # of dataset.split


def partition_of(maker: Maker, split: str) -> Mapping[int, str] | None:
    """The partition that `dataset.split` names; None where people are divided by a hash.

    auto: the published one, where the source has one.
    """
    if split == "identity" or (split == AUTO and PUBLISHED not in maker.partitions):
        return None
    split = PUBLISHED if split == AUTO else split
    if split not in maker.partitions:
        raise DataError(
            f"dataset.split is {split}, but the source names no such partition: `published` needs the "
            "source's own list, `official` CelebA-HQ-to-CelebA-mapping.txt. It has: "
            f"{', '.join(maker.partitions) or 'none'}. Add the file, or set it to identity."
        )
    return maker.partitions[split]


def splits_of(found: Survey, maker: Maker, settings: BuildSettings) -> dict[int, str]:
    """Each record's split, without one person in two of them, as far as people are known.

    A DataError where no record remains, or where a published partition has one person in two splits.
    """
    kept, partition = found.kept, partition_of(maker, settings.split)
    if not kept:
        first = found.rejected[0].reason if found.rejected else "there was none"
        raise DataError(
            f"no valid record remains of {len(found.rejected)}; the first was refused because: {first}"
        )
    identities = {one.id: one.identity for one in kept}
    if partition is None:
        splits = split_by_identity(
            identities,
            val_fraction=settings.val_fraction,
            test_fraction=settings.test_fraction,
            seed=settings.seed,
        )
    else:
        splits = split_as_published(
            {one.id: partition[one.id] for one in kept},
            identities,
            val_fraction=settings.val_fraction,
            seed=settings.seed,
        )
    check_apart(splits, identities)
    return splits


def split_of(maker: Maker, settings: BuildSettings) -> str:
    """By what the people are divided, of the three."""
    if settings.split != AUTO:
        return settings.split
    return PUBLISHED if PUBLISHED in maker.partitions else "identity"
