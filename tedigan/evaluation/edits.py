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
from tedigan.evaluation.metric import Metric
from tedigan.tensors import to_images
from tedigan.vocabulary.labels import LABEL_NAMES

# Attributes that go together in the labels more than this change together, and rightly.
MAX_CORRELATION = 0.5
# An attribute counts as drawn where unconditional faces show it this share as often as photographs.
DRAWN_FROM = 0.5
BACKGROUND = LABEL_NAMES.index("background")
CHUNK = 256


@dataclass(frozen=True)
class Edits:
    """Row i asks that face `face[i]` of `before` has `attribute[i]`, or has it not.

    after: way -> the edited faces, a row each. strips: face by face, one attribute at rising strengths, of the
    way that is measured; strip_attribute: which.
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


@dataclass(frozen=True)
class SamePerson:
    """Who says whether two faces are one person. judge: rows of pictures -> yes or no, each pair.

    name: goes into the metric's name. judge is None where nobody can say, for the `reason`.
    """

    name: str
    judge: Callable[[Tensor, Tensor], Bool[Tensor, " n"]] | None
    reason: str = ""


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


@dataclass(frozen=True)
class EditReport:
    """pooled: over the attributes that the generator draws. drawn, not_drawn: attribute -> its own metrics."""

    pooled: list[Metric]
    drawn: dict[str, list[Metric]]
    not_drawn: dict[str, list[Metric]]


def label_correlations(truth: Bool[Tensor, "n k"]) -> Float[Tensor, "k k"]:
    """Pearson's, of the attributes of photographs; 0 for one that is always or never there."""
    x = truth.double() - truth.double().mean(dim=0)
    x = x / x.norm(dim=0).clamp(min=1e-9)
    return (x.T @ x).float()


def referee_says_who(referee: Referee, threshold: float) -> SamePerson:
    """The referee's own embeddings, for faces that no descriptor of photographs knows (drawn ones)."""

    def judge(pixels: Tensor, others: Tensor) -> Bool[Tensor, " n"]:
        one, other = (referee.look(to_images(seen))[1] for seen in (pixels, others))
        return (one * other).sum(dim=1) > threshold

    return SamePerson("referee", judge)


def measure_edits(edits: Edits, judges: EditJudges) -> EditReport:
    """Every way's scores, for all attributes and for each, as far as the referee is trusted with them."""
    names = list(judges.referee.names)
    trusted = {name for name, good in zip(names, judges.referee.is_reliable, strict=True) if good}
    asked = [name for name in names if name in trusted and name in edits.attribute]
    shares = zip(names, judges.unconditional.tolist(), judges.photographs.tolist(), strict=True)
    is_drawn = {name: shown >= DRAWN_FROM * real for name, shown, real in shares}
    scores = [*_scores(edits, judges), _monotony(edits, judges)]

    def told(attributes: Sequence[str], suffix: str = "") -> list[Metric]:
        return [one.metric(attributes, suffix, judges.seed) for one in scores]

    each = {name: told([name], f",{name}") for name in asked}
    return EditReport(
        told([name for name in asked if is_drawn[name]]),
        {name: one for name, one in each.items() if is_drawn[name]},
        {name: one for name, one in each.items() if not is_drawn[name]},
    )


def _scores(edits: Edits, judges: EditJudges) -> list[Score]:
    """Of every way, all but the strengths."""
    images = to_images(edits.before)
    logits, mirrored = (_look(judges.referee, seen) for seen in (images, images.flip(3)))
    stranger = _strangers(edits.face, len(edits.before))
    sight = _Sight(edits, judges, logits[edits.face], mirrored[edits.face], logits[stranger])
    scores = []
    for way, after in edits.after.items():
        found = _look(judges.referee, to_images(after)) > judges.referee.thresholds
        scores += [
            sight.reached(way, found),
            sight.kept(way, found),
            _same_person(edits, judges.same_person, way, after, stranger),
            _background(edits, judges.parser, way, after, stranger),
        ]
    return scores


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
        return Score(name, f"referee,{way}", "up", said, face, attribute, got, of, floor, 1.0)


def _same_person(
    edits: Edits, who: SamePerson, way: str, after: Tensor, stranger: Int64[Tensor, " n"]
) -> Score:
    before, zeros = edits.before[edits.face], torch.zeros(len(edits.face), dtype=torch.float64)
    said = (
        "Share of edits that leave the same person. Floor: other people; ceiling: nothing is done."
    )
    kept = floor = zeros
    if who.judge is not None:
        kept, floor = (who.judge(before, seen).double() for seen in (after, edits.before[stranger]))
    label, one = f"{who.name},{way}", zeros + 1
    return Score(
        "edit_same_person", label, "up", said, edits.face, edits.attribute, kept, one, floor, 1.0, who.reason
    )  # fmt: skip


def _background(
    edits: Edits, parser: Parser | None, way: str, after: Tensor, stranger: Int64[Tensor, " n"]
) -> Score:
    before, zeros = edits.before[edits.face], torch.zeros(len(edits.face), dtype=torch.float64)
    said = (
        "Mean absolute difference of pixels, 0..1, where a parser sees background before and after the edit. "
        "Floor: another face; ceiling: nothing is done."
    )
    changed, is_seen, floor, reason = zeros, zeros, zeros, "Not told: no parser was given."
    if parser is not None:
        changed, is_seen = _difference_behind(parser, before, after)
        floor, both = _difference_behind(parser, before, edits.before[stranger])
        is_seen, reason = is_seen * both, ""
    label = f"parser,{way}"
    return Score(
        "edit_background", label, "down", said, edits.face, edits.attribute, changed, is_seen, floor, 0.0, reason
    )  # fmt: skip


def _difference_behind(
    parser: Parser, pixels: UInt8[Tensor, "n 3 r r"], others: UInt8[Tensor, "n 3 r r"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Of each pair, over the background that both have; and 1 where there is any, else 0."""
    maps = [parser.parse(to_images(seen)) == BACKGROUND for seen in (pixels, others)]
    behind = maps[0] & maps[1]
    difference = (pixels.double() - others.double()).abs().mean(dim=1) / 255
    area = behind.sum(dim=[1, 2])
    mean = (difference * behind).sum(dim=[1, 2]) / area.clamp(min=1)
    return mean, (area > 0).double()


def _monotony(edits: Edits, judges: EditJudges) -> Score:
    """Whether the referee's score rises with the strength, of each strip."""
    count, referee = len(edits.strips), judges.referee
    columns = torch.tensor([referee.names.index(one) for one in edits.strip_attribute])
    rows, middle = torch.arange(count), edits.strips[:, edits.strips.shape[1] // 2]
    frames = _look(referee, to_images(edits.strips.flatten(0, 1))).unflatten(
        0, edits.strips.shape[:2]
    )
    scores = frames[rows, :, columns]
    mirrored = _look(referee, to_images(middle).flip(3))[rows, columns]
    slack = (mirrored - scores[:, scores.shape[1] // 2]).abs().median()
    rises = (scores.diff(dim=1) >= -slack).all(dim=1) & (scores[:, -1] - scores[:, 0] > slack)
    said = (
        "Share of faces whose score by the referee rises at every step of the strength and in all, where a step "
        f"may fall by {float(slack):.3g}: by as much as its score of a face and of its mirror image differ "
        "(median). Floor: nothing is done."
    )
    whole = torch.ones(count, dtype=torch.float64)
    return Score(
        "edit_monotone", "referee", "up", said, rows, edits.strip_attribute, rises.double(), whole, whole * 0, 1.0
    )  # fmt: skip


def _strangers(face: Int64[Tensor, " n"], count: int) -> Int64[Tensor, " n"]:
    """For each row the next face."""
    return (face + 1) % count


def _look(referee: Referee, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n k"]:
    return torch.cat([referee.look(part)[0] for part in images.split(CHUNK)])
