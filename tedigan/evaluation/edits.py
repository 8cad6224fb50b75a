"""Edits judged from plain pictures: is it there, is the rest as it was, is it the same person, is more more?

An edit changes one attribute of one face. `before` is the face that it starts from, usually the inversion of a
photograph, so that an edit is not blamed for what the inversion lost. A `way` is whoever edited: the platform's
method, a linear direction, nobody. Nothing here knows how any of them works.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from tedigan.annotators.parser_network import Parser
from tedigan.annotators.referee import Referee
from tedigan.errors import ShapeError
from tedigan.evaluation.edit_score import Score
from tedigan.evaluation.same_person import SamePerson
from tedigan.tensors import to_images
from tedigan.vocabulary.labels import LABEL_NAMES

# Attributes that go together in the labels more than this change together, and rightly.
MAX_CORRELATION = 0.5
BACKGROUND = LABEL_NAMES.index("background")
MONOTONE = "edit_monotone"
CHUNK = 256  # pictures of a judge at a time


@dataclass(frozen=True)
class Edits:
    """Row i asks that face `face[i]` of `before` has `attribute[i]`, or has it not.

    after: way -> the edited faces, a row each, the platform's own first. strips: face by face, one attribute at
    rising strengths, of that way; strip_attribute: which.
    """

    before: UInt8[Tensor, "m 3 r r"]
    face: Int64[Tensor, " n"]
    attribute: Sequence[str]
    wanted: Bool[Tensor, " n"]
    after: Mapping[str, UInt8[Tensor, "n 3 r r"]]
    strips: UInt8[Tensor, "s k 3 r r"]
    strip_attribute: Sequence[str]

    def __post_init__(self) -> None:
        lengths = {len(self.face), len(self.attribute), len(self.wanted)}
        lengths |= {len(faces) for faces in self.after.values()}
        if len(lengths) != 1 or len(self.strips) != len(self.strip_attribute):
            raise ShapeError(
                f"edits have columns of {sorted(lengths)} rows, and {len(self.strips)} strips of "
                f"{len(self.strip_attribute)} attributes; expected one length each. Give each row its face, its "
                "attribute, what is wanted, and its face after the edit by every way."
            )

    @property
    def own_way(self) -> str:
        """Whose strips are judged."""
        return next(iter(self.after))


@dataclass(frozen=True)
class EditJudges:
    """Who judges edits.

    correlations: of the labels (`label_correlations`), in the referee's order. unconditional, photographs: how
    often it finds each attribute in faces without a text, and in photographs. parser: None = no background.
    """

    referee: Referee
    same_person: SamePerson
    correlations: Float[Tensor, "k k"]
    unconditional: Float[Tensor, " k"]
    photographs: Float[Tensor, " k"]
    parser: Parser | None
    seed: int


def label_correlations(truth: Bool[Tensor, "n k"]) -> Float[Tensor, "k k"]:
    """Pearson's, of the attributes of photographs; 0 for one that is always or never there."""
    x = truth.double() - truth.double().mean(dim=0)
    x = x / x.norm(dim=0).clamp(min=1e-9)
    return (x.T @ x).float()


def scores_of(edits: Edits, judges: EditJudges) -> list[Score]:
    """All that is judged: every way's edits, and the strengths of the first way."""
    before, referee = edits.before, judges.referee
    logits, mirrored = _look(referee, before), _look(referee, before.flip(3))
    stranger = _strangers(edits.face, len(before))
    sight = _Sight(edits, judges, logits[edits.face], mirrored[edits.face], logits[stranger])
    person, background = _Person.of(edits, judges.same_person), _Background.of(edits, judges.parser)
    scores = []
    for way, after in edits.after.items():
        found = _look(referee, after) > referee.thresholds
        scores += [
            sight.reached(way, found),
            sight.kept(way, found),
            person.kept(way, after, stranger),
            background.changed(way, after, stranger),
        ]
    return [*scores, _monotony(edits, judges)]


@dataclass(frozen=True)
class _Sight:
    """What the referee says of the faces before: logits, those of the mirrored faces, those of other faces."""

    edits: Edits
    judges: EditJudges
    before: Float[Tensor, "n k"]
    mirrored: Float[Tensor, "n k"]
    others: Float[Tensor, "n k"]

    def reached(self, way: str, found: Bool[Tensor, "n k"]) -> Score:
        """Of the attribute that was asked for."""
        rows, column = torch.arange(len(found)), self._columns()
        wanted, limit = self.edits.wanted, self.judges.referee.thresholds
        lacks = (self.before > limit)[rows, column] != wanted
        floor = (self.mirrored > limit)[rows, column] == wanted
        return self._score(
            "edit_reached",
            way,
            "Share of edits after which the referee finds the attribute as it was wanted, among faces where it "
            "did not before. Floor: nothing is done, and the face is mirrored.",
            lacks & (found[rows, column] == wanted),
            lacks,
            lacks & floor,
        )

    def kept(self, way: str, found: Bool[Tensor, "n k"]) -> Score:
        """Of the other attributes, as far as the referee keeps its own word."""
        limit, silent = self.judges.referee.thresholds, self._bystanders()
        was = self.before > limit
        same, own, other = (
            ((seen == was) & silent).sum(dim=1)
            for seen in (found, self.mirrored > limit, self.others > limit)
        )
        return self._score(
            "edit_kept",
            way,
            "Of the reliable attributes that nobody asked for, those that the referee finds as before the edit, "
            "as a share of those that it finds alike in the face and its mirror image; without attributes whose "
            f"labels correlate more than {MAX_CORRELATION} with the one that is edited. Floor: another face; "
            "ceiling: nothing is done.",
            same,
            own,
            other,
        )

    def _columns(self) -> Int64[Tensor, " n"]:
        names = self.judges.referee.names
        return torch.tensor([names.index(one) for one in self.edits.attribute], dtype=torch.int64)

    def _bystanders(self) -> Bool[Tensor, "n k"]:
        """Of each row the attributes that should stay; an attribute correlates with itself."""
        related = self.judges.correlations.abs() > MAX_CORRELATION
        return ~related[self._columns()] & self.judges.referee.is_reliable

    def _score(
        self, name: str, way: str, said: str, got: Tensor, of: Tensor, floor: Tensor
    ) -> Score:
        got, of, floor = got.double(), of.double(), floor.double()
        face, attribute = self.edits.face, self.edits.attribute
        return Score(name, "referee", way, "up", said, face, attribute, got, of, floor, 1.0)


@dataclass(frozen=True)
class _Person:
    """Who the faces before are. before: their descriptors; None where nobody can say."""

    edits: Edits
    who: SamePerson
    before: Float[Tensor, "m d"] | None

    @classmethod
    def of(cls, edits: Edits, who: SamePerson) -> "_Person":
        """Each face is described once, however many edits begin at it."""
        return cls(edits, who, None if who.describe is None else cls._describe(who, edits.before))

    @staticmethod
    def _describe(who: SamePerson, pixels: UInt8[Tensor, "n 3 r r"]) -> Float[Tensor, "n d"]:
        assert who.describe is not None, "nobody can say who it is"
        describe = who.describe
        return _in_chunks(lambda part: describe(to_images(part)), pixels)

    def kept(self, way: str, after: Tensor, stranger: Int64[Tensor, " n"]) -> Score:
        """Whether an edit leaves the same person."""
        edits, who = self.edits, self.who
        said = (
            "Share of edits that leave the same person. Floor: other people; ceiling: nothing is "
            "done."
        )
        kept = floor = zeros = torch.zeros(len(edits.face), dtype=torch.float64)
        if self.before is not None and who.alike is not None:
            was = self.before[edits.face]
            is_untouched = torch.equal(after, edits.before[edits.face])
            found = was if is_untouched else self._describe(who, after)
            kept = who.alike(was, found).double()
            floor = who.alike(was, self.before[stranger]).double()
        return Score(
            "edit_same_person", who.name, way, "up", said, edits.face, edits.attribute, kept, zeros + 1,
            floor, 1.0, who.reason,
        )  # fmt: skip


@dataclass(frozen=True)
class _Background:
    """Where a parser sees background. before: of each face, once; None without a parser."""

    edits: Edits
    parser: Parser | None
    before: Bool[Tensor, "m r r"] | None

    @classmethod
    def of(cls, edits: Edits, parser: Parser | None) -> "_Background":
        """Each face is parsed once, however many edits begin at it."""
        return cls(edits, parser, None if parser is None else _behind(parser, edits.before))

    def changed(self, way: str, after: Tensor, stranger: Int64[Tensor, " n"]) -> Score:
        """How far an edit changes it."""
        edits, parser = self.edits, self.parser
        said = (
            "Mean absolute difference of pixels, 0..1, where a parser sees background before and after the edit. "
            "Floor: another face; ceiling: nothing is done."
        )
        changed = is_seen = floor = torch.zeros(len(edits.face), dtype=torch.float64)
        reason = "Not told: no parser was given."
        if parser is not None and self.before is not None:
            pixels, others = edits.before[edits.face], edits.before[stranger]
            was, reason = self.before[edits.face], ""
            changed, is_seen = _difference(pixels, after, was & _behind(parser, after))
            floor, both = _difference(pixels, others, was & self.before[stranger])
            is_seen = is_seen * both
        return Score(
            "edit_background", "parser", way, "down", said, edits.face, edits.attribute, changed, is_seen,
            floor, 0.0, reason,
        )  # fmt: skip


def _behind(parser: Parser, pixels: UInt8[Tensor, "n 3 r r"]) -> Bool[Tensor, "n r r"]:
    return _in_chunks(lambda part: parser.parse(to_images(part)) == BACKGROUND, pixels)


def _difference(
    pixels: UInt8[Tensor, "n 3 r r"],
    others: UInt8[Tensor, "n 3 r r"],
    behind: Bool[Tensor, "n r r"],
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Of each pair, over the background that both have; and 1 where there is any, else 0."""
    difference = (pixels.double() - others.double()).abs().mean(dim=1) / 255
    area = behind.sum(dim=[1, 2])
    mean = (difference * behind).sum(dim=[1, 2]) / area.clamp(min=1)
    return mean, (area > 0).double()


def _monotony(edits: Edits, judges: EditJudges) -> Score:
    """Whether the referee's score rises with the strength, of each strip."""
    count, referee = len(edits.strips), judges.referee
    columns = torch.tensor([referee.names.index(one) for one in edits.strip_attribute])
    rows, middle = torch.arange(count), edits.strips[:, edits.strips.shape[1] // 2]
    frames = _look(referee, edits.strips.flatten(0, 1)).unflatten(0, edits.strips.shape[:2])
    scores = frames[rows, :, columns]
    mirrored = _look(referee, middle.flip(3))[rows, columns]
    slack = (mirrored - scores[:, scores.shape[1] // 2]).abs().median()
    rises = (scores.diff(dim=1) >= -slack).all(dim=1) & (scores[:, -1] - scores[:, 0] > slack)
    said = (
        "Share of faces whose score by the referee rises at every step of the strength and in all, where a step "
        f"may fall by {float(slack):.3g}: by as much as its score of a face and of its mirror image differ "
        "(median). Floor: nothing is done."
    )
    whole = torch.ones(count, dtype=torch.float64)
    return Score(
        MONOTONE, "referee", edits.own_way, "up", said, rows, edits.strip_attribute, rises.double(), whole,
        whole * 0, 1.0,
    )  # fmt: skip


def _strangers(face: Int64[Tensor, " n"], count: int) -> Int64[Tensor, " n"]:
    """For each row the next face."""
    return (face + 1) % count


def _look(referee: Referee, pixels: UInt8[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
    return _in_chunks(lambda part: referee.look(to_images(part))[0], pixels)


def _in_chunks(judge: Callable[..., Tensor], *pixels: Tensor) -> Tensor:
    """What a judge says of many pictures, or of rows of them, without all of them as floats at once."""
    return torch.cat(
        [judge(*parts) for parts in zip(*(one.split(CHUNK) for one in pixels), strict=True)]
    )
