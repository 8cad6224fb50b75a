"""Who says whether two faces are one person: the referee of drawn people, dlib of photographs, or nobody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Bool, Float
from torch import Tensor

from tedigan.annotators.descriptor import NAME as DLIB
from tedigan.annotators.descriptor import SAME_PERSON, load_descriptor
from tedigan.annotators.referee import Referee
from tedigan.errors import WeightsError

Descriptor = Literal["dlib", "referee"]


@dataclass(frozen=True)
class SamePerson:
    """describe: images -> vectors. alike: rows of vectors -> whether each pair is one person's.

    name: goes into the metric's name. describe is None where nobody can say, for the `reason`. Describing is slow,
    comparing is not.
    """

    name: str
    describe: Callable[[Tensor], Float[Tensor, "n d"]] | None
    alike: Callable[[Tensor, Tensor], Bool[Tensor, " n"]] | None = None
    reason: str = ""


def open_same_person(
    descriptor: Descriptor | None, referee: Referee, people: dict[str, Any] | None
) -> SamePerson:
    """people: the referee's own quality as a judge of people, of its config.json; None where it knows nobody."""
    if descriptor == "dlib":
        return dlib_says_who()
    if descriptor is None:
        return SamePerson("nobody", None, reason="Not told: no descriptor was asked for.")
    if people is None or not referee.knows_people:
        why = "Not told: the data set shows nobody twice, so nothing could learn who is who."
        return SamePerson("referee", None, reason=why)
    return referee_says_who(referee, people["threshold"])


def dlib_says_who() -> SamePerson:
    """dlib's descriptor, independent of all that is trained here; where its package is absent nobody can say."""
    try:
        descriptor = load_descriptor()
    except WeightsError as error:
        return SamePerson(DLIB, None, reason=f"Not told: {error}")

    def alike(one: Tensor, other: Tensor) -> Bool[Tensor, " n"]:
        return (one - other).norm(dim=1) < SAME_PERSON

    return SamePerson(DLIB, descriptor, alike)


def referee_says_who(referee: Referee, threshold: float) -> SamePerson:
    """The referee's own embeddings, for faces that no descriptor of photographs knows (drawn ones)."""

    def describe(images: Tensor) -> Float[Tensor, "n d"]:
        return referee.look(images)[1]

    def alike(one: Tensor, other: Tensor) -> Bool[Tensor, " n"]:
        return (one * other).sum(dim=1) > threshold

    return SamePerson("referee", describe, alike)
