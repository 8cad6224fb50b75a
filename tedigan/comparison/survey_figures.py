"""People's choices -> shares, wins in pairs and agreement, each with an interval over people and prompts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.comparison.survey_answers import Answers
from tedigan.comparison.survey_folder import Survey
from tedigan.comparison.survey_plan import ASKED, KINDS
from tedigan.errors import DataError
from tedigan.tensors import stream

NUM_DRAWS = 2000


@dataclass(frozen=True)
class Choices:
    """One kind's asked questions. chosen: method by person and question. shown: whether a method stood there."""

    chosen: Int64[Tensor, "p q"]
    shown: Bool[Tensor, "q m"]

    @classmethod
    def of(cls, survey: Survey, people: Sequence[Answers], kind: str) -> "Choices":
        """Those of people who count; repeats and checks are not counted."""
        rows = [
            n for n, one in enumerate(survey.questions) if one.role == ASKED and one.kind == kind
        ]
        shown = torch.zeros(len(rows), len(survey.methods), dtype=torch.bool)
        for row, number in enumerate(rows):
            shown[row, list(survey.questions[number].methods)] = True
        return cls(torch.tensor([one.choices for one in people])[:, rows], shown)

    @property
    def is_chosen(self) -> Bool[Tensor, "p q m"]:
        """Whether a person chose a method at a question."""
        return torch.nn.functional.one_hot(self.chosen, self.shown.shape[1]).bool()


def figures(survey: Survey, people: Sequence[Answers]) -> dict[str, list[dict[str, Any]]]:
    """Three tables: shares, wins in pairs, agreement. DataError where nobody counts."""
    counted = [one for one in people if one.why_left_out is None]
    if not counted:
        raise DataError(
            f"of {len(people)} people nobody counts: each failed the checks; expected somebody who looked. "
            "Ask other people."
        )
    tables: dict[str, list[dict[str, Any]]] = {"shares": [], "pairs": [], "agreement": []}
    for kind in KINDS:
        choices = Choices.of(survey, counted, kind)
        p, q = choices.chosen.shape
        name = f"{kind}[people={p},prompts={q}]@{survey.tag}"
        weights = _draws(p, q, survey.seed, kind)
        tables["shares"] += _shares(name, choices, survey.methods, weights)
        tables["pairs"] += _pairs(name, choices, survey.methods, weights)
        tables["agreement"].append(_agreement(name, choices, weights[1]))
    return tables


def _shares(
    name: str, choices: Choices, methods: Sequence[str], weights: tuple[Tensor, Tensor]
) -> list[dict[str, Any]]:
    """Of the questions at which a method was shown, in how many it was chosen; chance is one in those shown."""
    won, met = choices.is_chosen, choices.shown.expand(len(choices.chosen), -1, -1)
    chance = 1 / float(choices.shown.sum(dim=1).double().mean())
    return [
        {"metric": f"choice_{name}", "method": method, "chance": chance}
        | _ratio(won[..., m], met[..., m], weights)
        for m, method in enumerate(methods)
    ]


def _pairs(
    name: str, choices: Choices, methods: Sequence[str], weights: tuple[Tensor, Tensor]
) -> list[dict[str, Any]]:
    """Of the questions that showed both and at which one of them was chosen, in how many it was the first."""
    rows = []
    won = choices.is_chosen
    for a, ours in enumerate(methods):
        for b, theirs in enumerate(methods):
            both = choices.shown[:, a] & choices.shown[:, b]
            met = (won[..., a] | won[..., b]) & both
            if a != b and bool(met.any()):
                row = {"metric": f"wins_{name}", "method": ours, "over": theirs}
                rows.append(row | _ratio(won[..., a] & both, met, weights))
    return rows


def _ratio(
    got: Bool[Tensor, "p q"], of: Bool[Tensor, "p q"], weights: tuple[Tensor, Tensor]
) -> dict[str, Any]:
    """sum(got) / sum(of), its interval over draws of people and prompts, and how many `of` there are."""
    one, all_ = got.double(), of.double()
    people, prompts = weights
    drawn = _weighed(one, people, prompts) / _weighed(all_, people, prompts)
    low, high = _interval(drawn)
    return {
        "value": float(one.sum() / all_.sum()),
        "ci_low": low,
        "ci_high": high,
        "n": int(all_.sum()),
    }


def _weighed(values: Float[Tensor, "p q"], people: Tensor, prompts: Tensor) -> Float[Tensor, " d"]:
    return ((people @ values) * prompts).sum(dim=1)


def _draws(
    p: int, q: int, seed: int, kind: str
) -> tuple[Float[Tensor, "d p"], Float[Tensor, "d q"]]:
    """How often each person and each prompt is drawn, of both with replacement (Owen's pigeonhole bootstrap)."""
    return tuple(
        torch.stack(
            [
                torch.bincount(row, minlength=n)
                for row in torch.randint(n, (NUM_DRAWS, n), generator=stream(seed, kind, key))
            ]
        ).double()
        for n, key in ((p, "people"), (q, "prompts"))
    )  # type: ignore[return-value]


def _agreement(name: str, choices: Choices, prompts: Float[Tensor, "d q"]) -> dict[str, Any]:
    """Krippendorff's alpha; its interval over prompts alone, as a person drawn twice agrees with himself."""
    counts = choices.is_chosen.sum(dim=0).double()
    value = krippendorff_alpha(counts, torch.ones_like(prompts[0]))
    drawn = [krippendorff_alpha(counts, times) for times in prompts]
    told = torch.tensor([one for one in drawn if one is not None], dtype=torch.float64)
    low, high = _interval(told) if value is not None else (None, None)
    row = {"metric": f"krippendorff_alpha_{name}", "value": value, "ci_low": low, "ci_high": high}
    return row | {"n": len(choices.chosen)}


def krippendorff_alpha(counts: Float[Tensor, "q m"], times: Float[Tensor, " q"]) -> float | None:
    """1 - D_o / D_e for names without order        Krippendorff 2011, Computing Krippendorff's alpha-reliability

    counts: how many people gave each answer to each question. times: how often each question counts.
    1 is full agreement, 0 what chance would give. None where no two people answered, or all answers are one.
    """
    people = counts.sum(dim=1)
    times = times * (people >= 2)  # what one person says agrees with nobody
    total, sums = float(times @ people), times @ counts
    expected = total * total - float(sums.square().sum())
    if expected == 0:
        return None
    differing = people.square() - counts.square().sum(dim=1)
    observed = float(times @ (differing / (people - 1).clamp(min=1)))
    return 1 - (total - 1) * observed / expected


def _interval(drawn: Float[Tensor, " d"]) -> tuple[float | None, float | None]:
    told = drawn[~drawn.isnan()]
    if not len(told):
        return None, None
    low, high = told.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return low, high


def people_table(people: Sequence[Answers]) -> list[dict[str, Any]]:
    """Of each person how consistent and attentive, and why left out; a random name, as the page gave it."""
    return [
        {
            "person": one.person[:8],
            "consistent": one.consistent,
            "checks_right": one.right,
            "left_out": one.why_left_out,
        }
        for one in people
    ]
