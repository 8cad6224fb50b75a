"""What faces of the page are made of, as a JSON that each picture carries in itself.

A `Recipe` has all that a set of faces depends on beside the models: the sentence, the drawings, the numbers.
A `Kept` names one face of the set, the models' files and the digest of its pixels, so that it can be drawn again
and compared.
"""

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tedigan.errors import DataError, ImageError
from tedigan.method.sources import SourceName
from tedigan.store.picture_labels import label, label_of

LABEL = "tedigan-page"  # the key of a picture's recipe
MAX_FACES, MAX_SENTENCE = 16, 500
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Variation(_Strict):
    """Of one face of a set, other noise. of: which."""

    of: int = Field(ge=0, lt=MAX_FACES)
    seed: Seed


class Recipe(_Strict):
    """A set of faces; the words are those of `Model.compose`.

    pictures: base64 of a picture file by source. variation: None = the faces themselves.
    """

    text: str | None = Field(default=None, max_length=MAX_SENTENCE)
    pictures: dict[SourceName, str] = {}
    layers: dict[SourceName, list[Annotated[int, Field(ge=0, lt=64)]]] = {}
    weights: dict[SourceName | Literal["text"], float] = {}
    strength: float = Field(default=1.0, ge=-3, le=3)
    truncation_psi: float = Field(default=0.7, ge=0, le=1)
    seed: Seed = 0
    n: int = Field(default=8, ge=1, le=MAX_FACES)
    variation: Variation | None = None

    @property
    def of_codes(self) -> "Recipe":
        """Without the noise: what the codes depend on."""
        return self.model_copy(update={"variation": None})

    def digest_key(self) -> str:
        """Equal for equal recipes."""
        return _canonical(self)


class Kept(_Strict):
    """One face of a set. models: sha256 by file; made_on: what its last bits may depend on."""

    page: Literal[1] = 1
    recipe: Recipe
    face: int = Field(ge=0, lt=MAX_FACES)
    models: dict[str, Digest]
    made_on: dict[str, str]
    pixels_sha256: Digest


def with_recipe(picture: bytes, kept: Kept) -> bytes:
    """The PNG, carrying its recipe."""
    return label(picture, LABEL, _canonical(kept))


def carries_recipe(picture: bytes) -> bool:
    """Whether it is a PNG of the page."""
    return label_of(picture, LABEL) is not None


def recipe_of(picture: bytes) -> Kept:
    """What `with_recipe` wrote; a DataError where there is none, or one of another hand."""
    found = label_of(picture, LABEL)
    if found is None:
        raise DataError(
            "the picture carries no recipe: it is no PNG of the page, or lost its text on the way (a JPEG, a "
            "screenshot); expected one that the page's Keep wrote. Choose that file."
        )
    try:
        return Kept.model_validate_json(found)
    except ValidationError as error:
        raise DataError(
            f"the picture's recipe cannot be read: {first_fault(error.errors())}; expected one as this version of "
            "the page writes it. Choose the picture as it was kept."
        ) from error


def first_fault(errors: Any) -> str:
    """The first of pydantic's complaints in one line: where, and what."""
    where = ".".join(str(part) for part in errors[0]["loc"] if part != "body")
    return f"{where or 'it'}: {errors[0]['msg'][:200]}"


def bytes_of(picture: str, name: str) -> bytes:
    """The file that base64 stands for."""
    try:
        return base64.b64decode(picture, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(
            f"the {name} is no base64 ({error}); expected that of a picture file. Send it anew."
        ) from error


def base64_of(content: bytes) -> str:
    """A file as text."""
    return base64.b64encode(content).decode("ascii")


def _canonical(value: BaseModel) -> str:
    """The same text of the same values, ASCII, as PNG's tEXt takes it."""
    return json.dumps(value.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
