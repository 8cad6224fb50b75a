"""What is told of judged edits: of all attributes that the generator draws, of each attribute, of each edit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tedigan.evaluation.edit_score import Score
from tedigan.evaluation.edits import MONOTONE, EditJudges, Edits, scores_of
from tedigan.evaluation.metric import Metric

# An attribute counts as drawn where unconditional faces show it this share as often as photographs.
DRAWN_FROM = 0.5


@dataclass(frozen=True)
class EditReport:
    """pooled: over the attributes that the generator draws. drawn, not_drawn: attribute -> its own metrics.

    per_attribute, per_edit: rows of the tables that are kept beside them.
    """

    pooled: list[Metric]
    drawn: dict[str, list[Metric]]
    not_drawn: dict[str, list[Metric]]
    per_attribute: list[dict[str, Any]]
    per_edit: list[dict[str, Any]]


def measure_edits(edits: Edits, judges: EditJudges) -> EditReport:
    """Every way's scores, for all attributes and for each, as far as the referee is trusted with them."""
    names = list(judges.referee.names)
    trusted = {name for name, good in zip(names, judges.referee.is_reliable, strict=True) if good}
    asked = [name for name in names if name in trusted and name in edits.attribute]
    is_drawn = {name: shown >= DRAWN_FROM * real for name, (shown, real) in _shares(judges).items()}
    scores = scores_of(edits, judges)

    def told(attributes: Sequence[str], suffix: str = "") -> list[Metric]:
        return [one.metric(attributes, suffix, judges.seed) for one in scores]

    each = {name: told([name], f",{name}") for name in asked}
    return EditReport(
        told([name for name in asked if is_drawn[name]]),
        {name: one for name, one in each.items() if is_drawn[name]},
        {name: one for name, one in each.items() if not is_drawn[name]},
        _per_attribute(scores, each, judges),
        _per_edit(scores, edits),
    )


def _shares(judges: EditJudges) -> dict[str, tuple[float, float]]:
    """Attribute -> how often faces without a text show it, and photographs."""
    shares = zip(judges.unconditional.tolist(), judges.photographs.tolist(), strict=True)
    return dict(zip(judges.referee.names, shares, strict=True))


def _per_attribute(
    scores: Sequence[Score], each: Mapping[str, Sequence[Metric]], judges: EditJudges
) -> list[dict[str, Any]]:
    """A row an attribute and way; what a way was not judged by is None."""
    kinds, ways = (
        list(dict.fromkeys(getattr(one, key) for one in scores)) for key in ("name", "way")
    )
    rows = []
    for attribute, metrics in each.items():
        shown, real = _shares(judges)[attribute]
        about = {
            "unconditional": shown,
            "photographs": real,
            "is_drawn": shown >= DRAWN_FROM * real,
        }
        for way in ways:
            values = dict.fromkeys(kinds) | {
                score.name: metric.value
                for score, metric in zip(scores, metrics, strict=True)
                if score.way == way
            }
            rows.append({"attribute": attribute, "way": way, **about, **values})
    return rows


def _per_edit(scores: Sequence[Score], edits: Edits) -> list[dict[str, Any]]:
    """A row an edit and way: of what was asked, how much was done. What there is nothing to say of is None."""
    rows = []
    for way in edits.after:
        columns = {one.name: one.each for one in scores if one.way == way and one.name != MONOTONE}
        for row, wanted in enumerate(edits.wanted.tolist()):
            asked = {"attribute": edits.attribute[row], "wanted": wanted, "way": way}
            done = {name: values[row] for name, values in columns.items()}
            rows.append({"edit": row, "face": int(edits.face[row]), **asked, **done})
    return rows
