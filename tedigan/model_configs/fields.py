"""Ranges of the numbers of a model, and how a value out of them is shown."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ADVICE = "Make or import the model again."

MAX_SIZE, MAX_PX = 4096, 1024
MAX_ATTRIBUTES, MAX_LAYERS = 1024, 64

Px = Literal[4, 8, 16, 32, 64, 128, 256, 512, 1024]
Size = Annotated[int, Field(strict=True, ge=1, le=MAX_SIZE)]
Wide = Annotated[int, Field(strict=True, ge=1, le=16 * MAX_SIZE)]
Side = Annotated[int, Field(strict=True, ge=8, le=MAX_PX)]
Count = Annotated[int, Field(strict=True, ge=1, le=MAX_LAYERS)]
Layer = Annotated[int, Field(strict=True, ge=0, lt=MAX_LAYERS)]
Number = Annotated[float, Field(strict=True)]
Clamp = Annotated[float, Field(strict=True, gt=0, le=1e6)]
Bool = Annotated[bool, Field(strict=True)]
Text = Annotated[str, Field(max_length=4096)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Names = Annotated[list[Name], Field(min_length=1, max_length=MAX_ATTRIBUTES)]


class Checked(BaseModel):
    """Frozen; what it does not name may stand beside it."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


def first_problem(error: ValidationError) -> str:
    """The first key that is wrong, what it is, what was expected, and how many more there are."""
    problems = error.errors(include_url=False, include_context=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"])[:120]
    if first["type"] == "missing":
        said = f"{key} is missing"
    elif not key:
        said = first["msg"].removeprefix("Value error, ")
    else:
        said = f"{key} is {shown(first['input'])}; {first['msg'].lower()}"
    return said + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else "")


def shown(value: object) -> str:
    """A value in at most a few words."""
    if isinstance(value, Mapping | list | tuple):
        return f"a {'list' if not isinstance(value, Mapping) else 'dict'} of {len(value)}"
    if isinstance(value, int) and abs(value) >= 10**20:
        return "a giant number"
    text = repr(value)
    return text if len(text) <= 48 else f"{text[:45]}..."
