"""A survey's folder: the page for people, and the key that only who asks has.

survey.html   all that people need; it names no method
key.json      which method stands where, which questions are repeats and checks
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.comparison.comparison_protocol import SHOWN_DIGITS, ComparisonProtocol
from tedigan.comparison.method_folder import MethodFolder
from tedigan.comparison.survey_plan import CHECK, TEXT, Question, plan_questions
from tedigan.errors import DataError
from tedigan.store import pictures
from tedigan.store.files import read_text, sha256_value, write_text
from tedigan.tensors import stream

FORMAT = 1
PAGE, KEY = "survey.html", "key.json"
TILES = 4  # a side, of a check's faces
MOST_MB = 200  # of a page that a browser opens readily

Place = tuple[int, int, bool]  # method, prompt, whether its tiles are mixed up


@dataclass(frozen=True)
class Survey:
    """protocol: its tag. methods: names. questions: in the order in which they are asked.

    pictures: sha256 of the pixels that the page shows, so that the digest speaks of them as well.
    """

    protocol: str
    seed: int
    methods: tuple[str, ...]
    questions: tuple[Question, ...]
    pictures: str

    @property
    def digest(self) -> str:
        """sha256 of the canonical JSON; the page and every file of answers carry it."""
        return sha256_value(self.to_json())

    @property
    def tag(self) -> str:
        """What every result's name carries."""
        return f"{self.protocol}-survey-{self.digest[:SHOWN_DIGITS]}"

    def to_json(self) -> dict[str, Any]:
        """As key.json holds it."""
        return {"format": FORMAT} | json.loads(json.dumps(asdict(self)))

    def write(self, path: Path) -> None:
        """The key."""
        write_text(path, json.dumps(self.to_json(), indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Survey":
        """Of a folder that `tedigan survey make` wrote, or its key.json; DataError for what is none."""
        path = path / KEY if path.is_dir() else path
        try:
            found = json.loads(read_text(path))
            given = {one.name: found[one.name] for one in fields(cls)}
            if found["format"] != FORMAT or len(found) != len(given) + 1:
                raise ValueError(f"format {found['format']} with the keys {sorted(found)}")
            questions = tuple(
                Question(**one | {"methods": tuple(one["methods"])}) for one in given["questions"]
            )
            return cls(**given | {"methods": tuple(given["methods"]), "questions": questions})
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is no key of a survey: {error!r}; expected format {FORMAT}. Name the folder that "
                "`tedigan survey make` wrote."
            ) from error


def make_survey(
    protocol: ComparisonProtocol,
    methods: Sequence[MethodFolder],
    *,
    num_asked: int,
    num_shown: int,
    seed: int,
) -> tuple[Survey, dict[str, Any]]:
    """The survey, and what its page shows: `texts`, `questions` and `pictures` in an order that tells nothing."""
    questions = plan_questions(
        num_prompts=len(protocol.ids),
        num_methods=len(methods),
        num_asked=num_asked,
        num_shown=num_shown,
        seed=seed,
    )
    places = [_places(one) for one in questions]
    known = sorted({place for some in places for place in some})
    order = torch.randperm(len(known), generator=stream(seed, "survey", "pictures")).tolist()
    numbers = {known[row]: number for number, row in enumerate(order)}
    files = [_file(methods, known[row], seed) for row in order]
    if (size := sum(map(len, files)) * 4 / 3 / 1e6) > MOST_MB:
        raise DataError(
            f"the page would have {size:,.0f} MB of pictures; expected at most {MOST_MB}, which a browser opens. "
            "Ask fewer --questions, or show fewer methods or smaller pictures."
        )
    survey = Survey(
        protocol.tag,
        seed,
        tuple(one.name for one in methods),
        tuple(questions),
        sha256_value([one.hex() for one in files]),
    )
    asked = [
        _asked(one, some, numbers, protocol.captions)
        for one, some in zip(questions, places, strict=True)
    ]
    return survey, {"digest": survey.digest, "questions": asked, "pictures": files}


def _asked(
    one: Question, places: Sequence[Place], numbers: Mapping[Place, int], captions: Sequence[str]
) -> dict[str, Any]:
    """As the page knows it: nothing of methods and roles."""
    text = captions[one.prompt] if one.kind == TEXT else None
    return {"kind": one.kind, "text": text, "pictures": [numbers[place] for place in places]}


def _places(one: Question) -> list[Place]:
    return [
        (method, one.prompt, one.role == CHECK and place != one.right)
        for place, method in enumerate(one.methods)
    ]


def _file(methods: Sequence[MethodFolder], place: Place, seed: int) -> bytes:
    """A PNG without anything but its pixels, whatever the method's own file was."""
    method, prompt, is_mixed = place
    pixels = methods[method].face(prompt)
    return pictures.encode(_mixed_up(pixels, seed) if is_mixed else pixels, "png")


def _mixed_up(pixels: UInt8[Tensor, "3 r r"], seed: int) -> UInt8[Tensor, "3 r r"]:
    """Its tiles at each other's places; what a side leaves over TILES stays."""
    side = pixels.shape[-1] // TILES
    order = torch.randperm(TILES * TILES, generator=stream(seed, "survey", "tiles"))
    found = pixels.clone()
    for to, come in enumerate(order.tolist()):
        (y, x), (from_y, from_x) = ((n // TILES * side, n % TILES * side) for n in (to, come))
        found[:, y : y + side, x : x + side] = pixels[
            :, from_y : from_y + side, from_x : from_x + side
        ]
    return found
