"""What a build is asked for, of params.yaml or the command line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BuildSettings:
    """What is made, and who is in which split; see params.yaml, `dataset`."""

    licence: str | None
    num_images: int | None
    resolution: int
    kinds: list[str]
    captions_per_image: int
    image_format: str
    records_per_shard: int
    duplicates: str
    attribute_conflicts: str
    faceless: str
    people: str
    split: str
    val_fraction: float
    test_fraction: float
    seed: int
