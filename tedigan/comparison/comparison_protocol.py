"""A protocol: all that decides a comparison's figures, in one file. Its sha256 goes into every result's name.

Two methods are compared on the same photographs, captions, judges and counts, or not at all.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from tedigan.errors import DataError
from tedigan.store.files import read_text, sha256_value, write_text

FORMAT = 1
SHOWN_DIGITS = 12  # of the digest, in names


@dataclass(frozen=True)
class ComparisonProtocol:
    """ids, captions: test photographs and one caption of each; prompt i is the i-th of both.

    dataset, grammar, referee: sha256 of the data set's index, of what reads captions, and of the judge of
    attributes. features, distance: the networks of distances between sets and between pictures, by name. size_px:
    the side in which every picture is looked at. num_reference: training photographs that are judged beside all.
    variety_prompts, variety_faces: of the first prompts, several faces each. num_distractors: of R-precision.
    num_kept: features that are kept for what needs pairs of pictures; moments are of all.
    """

    name: str
    dataset: str
    split: str
    ids: tuple[int, ...]
    captions: tuple[str, ...]
    grammar: str
    referee: str
    features: str
    distance: str
    size_px: int
    num_reference: int
    variety_prompts: int
    variety_faces: int
    num_distractors: int
    num_kept: int
    seed: int

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.captions) or len(self.ids) < 2:
            raise DataError(
                f"protocol {self.name} has {len(self.ids)} ids and {len(self.captions)} captions; expected one "
                "caption of each of at least 2 photographs. Plan the comparison again."
            )

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON."""
        return sha256_value(self.to_json())

    @property
    def tag(self) -> str:
        """What every result's name carries."""
        return f"{self.name}-{self.digest[:SHOWN_DIGITS]}"

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {"format": FORMAT} | json.loads(json.dumps(asdict(self)))

    def write(self, path: Path) -> None:
        """A line a key, so that two protocols can be compared by eye."""
        write_text(path, json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "ComparisonProtocol":
        """Of a file; DataError for what is none."""
        try:
            found = json.loads(read_text(path))
            given = {one.name: found[one.name] for one in fields(cls)}
            if found["format"] != FORMAT or len(found) != len(given) + 1:
                raise ValueError(f"format {found['format']} with the keys {sorted(found)}")
            return cls(**given | {name: tuple(given[name]) for name in ("ids", "captions")})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is no protocol of a comparison: {error!r}; expected format {FORMAT}. Write it with "
                "`tedigan compare plan`."
            ) from error

    def check(self, here: Mapping[str, str]) -> None:
        """DataError where what this machine has is another. here: a key of the protocol -> what it is here."""
        for name, found in here.items():
            expected = getattr(self, name)
            if found != expected:
                raise DataError(
                    f"the {name} here is {found[:40]}, and the protocol was made with {expected[:40]}; with "
                    "another one no figure can be compared. Name the workspace that has it, or plan anew."
                )
