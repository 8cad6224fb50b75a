"""People's files of answers -> choices, or one line that says which file is not usable and why."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tedigan.comparison.survey_folder import Survey
from tedigan.comparison.survey_plan import CHECK, REPEAT
from tedigan.errors import DataError
from tedigan.store.files import read_bytes

FORMAT = 1
MOST_BYTES = 1 << 20
PERSON = re.compile(r"[0-9a-f]{32}")  # drawn at random by the page
LEAST_RIGHT = 0.75  # of the checks, or a person's answers are left out


@dataclass(frozen=True)
class Answers:
    """choices: of each question the number of the method that was chosen.

    right: share of the checks in which the whole face was chosen. consistent: of repeats with the same choice.
    """

    name: str
    person: str
    choices: tuple[int, ...]
    right: float
    consistent: float

    @property
    def why_left_out(self) -> str | None:
        """None of who counts."""
        if self.right >= LEAST_RIGHT:
            return None
        return f"chose the whole face in {self.right:.0%} of the checks, expected {LEAST_RIGHT:.0%}"


def read_answers(survey: Survey, paths: Sequence[Path]) -> list[Answers]:
    """Of each file; DataError for another survey's, a damaged one, and a person's second one."""
    found = dict[str, Answers]()
    for path in paths:
        one = _read(survey, path)
        if (other := found.get(one.person)) is not None:
            raise DataError(
                f"{other.name} and {one.name} are of the same person, {one.person[:8]}; expected each person "
                "once. Leave one of them out."
            )
        found[one.person] = one
    return [*found.values()]


def _read(survey: Survey, path: Path) -> Answers:
    content = _object(path)
    if (given := content.get("survey")) != survey.digest:
        raise DataError(
            f"{path.name} answers the survey {str(given)[:12]}, and this one is {survey.digest[:12]}; with other "
            "questions no answer can be counted. Leave it out, or name its own survey."
        )
    if set(content) != {"format", "survey", "person", "choices"} or content["format"] != FORMAT:
        _damaged(path, f"the keys are {', '.join(sorted(content))[:80]}")
    person, places = content["person"], content["choices"]
    if not isinstance(person, str) or not PERSON.fullmatch(person):
        _damaged(path, f"the person is {str(person)[:40]!r}")
    if not isinstance(places, list) or len(places) != len(survey.questions):
        count = len(places) if isinstance(places, list) else "no list of"
        _damaged(path, f"it has {count} answers to {len(survey.questions)} questions")
    for place, question in zip(places, survey.questions, strict=True):
        if type(place) is not int or not 0 <= place < len(question.methods):
            _damaged(path, f"an answer is {str(place)[:40]}, of {len(question.methods)} places")
    return _scored(survey, path.name, person, places)


def _scored(survey: Survey, name: str, person: str, places: Sequence[int]) -> Answers:
    asked = survey.questions
    choices = tuple(one.methods[place] for one, place in zip(asked, places, strict=True))
    right = [
        place == one.right for one, place in zip(asked, places, strict=True) if one.role == CHECK
    ]
    same = [
        choices[number] == choices[one.of]
        for number, one in enumerate(asked)
        if one.role == REPEAT and one.of is not None
    ]
    return Answers(name, person, choices, sum(right) / len(right), sum(same) / len(same))


def _object(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path} is no file of answers. Name the files that the page saved.")
    if (size := path.stat().st_size) > MOST_BYTES:
        _damaged(path, f"it has {size:,} bytes")
    try:
        found = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        _damaged(path, f"it is no JSON ({type(error).__name__})")
    return (
        found if isinstance(found, dict) else _damaged(path, f"it holds a {type(found).__name__}")
    )


def _damaged(path: Path, why: str) -> NoReturn:
    raise DataError(
        f"{path.name} is damaged: {why}; expected a file as the page saves it. Ask for it again, or leave it out."
    )
