"""Figures of one method beside the photographs': what it says, how it looks, how it varies, what it copies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.looking import Seen
from tedigan.comparison.moments import frechet_of_moments
from tedigan.comparison.neighbourhoods import (
    NEAREST_OF_DENSITY,
    NEAREST_OF_PRECISION,
    neighbourhoods,
)
from tedigan.comparison.retrieval import retrieve
from tedigan.evaluation.distances import kernel_distance
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.statistics import bootstrap_interval
from tedigan.evaluation.text_fidelity import (
    Mentions,
    macro_fidelity,
    text_fidelity,
    unmentioned_share,
)
from tedigan.models.given_nets import Inception
from tedigan.tensors import stream

Statistic = Callable[[Bool[Tensor, "n k"], Mentions], float | None]
ALL_MENTIONS = "Share of all mentions of the captions that the referee finds."
PER_ATTRIBUTE = "Mean over the mentioned attributes of each one's share."
ENDS = " Floor: the photograph of the prompt before; ceiling: the prompts' own photographs."
PAIRED = ("text_fidelity", "r_precision")  # told as a lead over each other method, too


@dataclass(frozen=True)
class Court:
    """What every method is judged by. photographs: the prompts' own. training: others, of the train split.

    truth: what the prompts' photographs show, by the data set's table. counted: the attributes that the referee is
    trusted with. limit, familiar_limit: cosine beyond which a face is a copy, of thumbnails and of features.
    inception, clip: the networks that somebody gave, the second by its name.
    """

    protocol: ComparisonProtocol
    mentions: Mentions
    truth: Bool[Tensor, "n k"]
    counted: Bool[Tensor, " k"]
    photographs: Seen
    training: Seen
    limit: float | None
    familiar_limit: float | None = None
    inception: Inception | None = None
    clip: str | None = None

    def metrics(self, seen: Seen) -> list[Metric]:
        """Of one method; a figure whose pictures are not there is None."""
        return [
            *self._of_texts(seen),
            *self._of_sets(seen),
            *self._of_variety(seen),
            *self._of_copies(seen),
            *self._of_given(seen),
        ]

    def per_prompt(self, seen: Seen) -> dict[str, Float[Tensor, " n"]]:
        """Of each prompt the share of its mentions found, and whether its caption was; NaN of none."""
        hits = (seen.found == self.mentions.wanted) & self.mentions.is_mentioned
        shares = hits.sum(dim=1) / self.mentions.is_mentioned.sum(dim=1)
        return {"text_fidelity": shares, "r_precision": self._retrieved(seen.found)}

    def lead(self, ours: Seen, theirs: Seen) -> dict[str, tuple[float, tuple[float, float] | None]]:
        """By how much `ours` is ahead in each of PAIRED: the mean over prompts, and its paired interval."""
        mine, other = self.per_prompt(ours), self.per_prompt(theirs)
        found = {}
        for name in PAIRED:
            ahead = mine[name] - other[name]
            ahead = ahead[~ahead.isnan()]
            if len(ahead):
                found[name] = (float(ahead.mean()), self._interval(ahead, f"lead {name}"))
        return found

    def _of_texts(self, seen: Seen) -> list[Metric]:
        n = len(seen.found)
        silent = [
            unmentioned_share(one, self.mentions, self.counted)
            for one in (seen.found, self.photographs.found)
        ]
        how = "Share of the attributes that a caption leaves out and the referee finds. Ceiling: the photographs'."
        name = f"unmentioned_attributes[referee,n={n}]"
        return [
            self._share("text_fidelity", text_fidelity, ALL_MENTIONS, seen),
            self._share("text_fidelity_macro", macro_fidelity, PER_ATTRIBUTE, seen),
            Metric(name, silent[0], n, "near ceiling", how, ceiling=silent[1]),
            self._r_precision(seen),
        ]

    def _share(self, name: str, statistic: Statistic, how: str, seen: Seen) -> Metric:
        def of_rows(rows: Int64[Tensor, " m"]) -> float | None:
            return statistic(seen.found[rows], self.mentions.of(rows))

        n = len(seen.found)
        value, floor, ceiling = (
            statistic(one, self.mentions)
            for one in (seen.found, self._strangers, self.photographs.found)
        )
        ci = bootstrap_interval(n, of_rows, stream(self.protocol.seed, name))
        label = f"{name}[referee,n={n}]"
        return Metric(label, value, n, "up", how + ENDS, floor, ceiling, ci)

    def _r_precision(self, seen: Seen) -> Metric:
        hits, floor, ceiling = (
            one[~one.isnan()]
            for one in map(self._retrieved, (seen.found, self._strangers, self.photographs.found))
        )
        how = (
            "Share of faces whose own caption fits better, by the referee, than at most "
            f"{self.protocol.num_distractors} others that are false of its photograph; ties share. An oracle has "
            "1."
        )
        name, n = f"r_precision[referee,n={len(hits)}]", len(hits)
        if not n:
            return Metric(
                name, None, 0, "up", f"{how} Not told: every caption is true of every photograph."
            )
        ends = float(floor.mean()), float(ceiling.mean())
        ci = self._interval(hits, "r_precision")
        return Metric(name, float(hits.mean()), n, "up", how + ENDS, *ends, ci)

    @property
    def _strangers(self) -> Bool[Tensor, "n k"]:
        """What is found of a method that ignores its text and draws real people."""
        return self.photographs.found.roll(1, dims=0)

    def _retrieved(self, found: Bool[Tensor, "n k"]) -> Float[Tensor, " n"]:
        most, seed = self.protocol.num_distractors, self.protocol.seed
        return retrieve(found, self.mentions, self.truth, num_distractors=most, seed=seed).hits

    def _of_sets(self, seen: Seen) -> list[Metric]:
        n, kept = seen.moments.count, len(seen.kept)
        features = self.protocol.features
        tag, few = f"[{features},n={n}]", f"[{features},n={kept}]"
        ceiling = self.training
        how = f"Features of {features}; against the prompts' photographs. Ceiling: training photographs."
        sets: dict[str, tuple[Callable[[Any, Any], float], str, int]] = {
            "frechet_distance" + tag: (frechet_of_moments, "moments", n),
            "kernel_distance" + few: (kernel_distance, "kept", kept),
        }
        metrics = []
        for name, (distance, part, count) in sets.items():
            value, best = (
                distance(getattr(one, part), getattr(self.photographs, part))
                for one in (seen, ceiling)
            )
            metrics.append(Metric(name, value, count, "down", how, ceiling=best))
        ours = neighbourhoods(self.photographs.kept, seen.kept)
        best_ones = neighbourhoods(self.photographs.kept, ceiling.kept)
        for name in ("precision", "recall", "density", "coverage"):
            k = NEAREST_OF_PRECISION if name in ("precision", "recall") else NEAREST_OF_DENSITY
            said = f"Neighbourhoods of {k} nearest, {how}"
            value, top = getattr(ours, name), getattr(best_ones, name)
            metrics.append(Metric(name + few, value, kept, "up", said, ceiling=top))
        return metrics

    def _of_variety(self, seen: Seen) -> list[Metric]:
        prompts, faces = self.protocol.variety_prompts, self.protocol.variety_faces
        name, n = f"variety[{self.protocol.distance}]", len(seen.variety)
        how = (
            f"Mean perceptual distance between {faces} faces of one sentence, over {prompts} sentences. Floor: 0, "
            "every sentence has one face; ceiling: neighbours in the list of test photographs."
        )
        top = float(self.photographs.strangers.mean())
        if not n:
            return [
                Metric(
                    name,
                    None,
                    0,
                    "up",
                    f"{how} Not told: the folder has no further faces.",
                    0.0,
                    top,
                )
            ]
        ci = self._interval(seen.variety, "variety")
        return [Metric(name, float(seen.variety.mean()), n, "up", how, 0.0, top, ci=ci)]

    def _of_copies(self, seen: Seen) -> list[Metric]:
        eyes = {
            "thumbnails_16px": ("likeness", "as it is or mirrored", self.limit),
            self.protocol.features: ("familiarity", "as it is", self.familiar_limit),
        }
        metrics = []
        for eye, (part, manner, limit) in eyes.items():
            near, theirs = getattr(seen, part), getattr(self.photographs, part)
            name, n = f"memorised_share[{eye},n={len(near)}]", len(near)
            how = (
                f"Share of pictures that are more like a training photograph, {manner}, than 99 of 100 "
                "photographs of the val split are. Floor: the prompts' own photographs."
            )
            if limit is None:
                said = f"{how} Not told: val is too small to say."
                metrics.append(Metric(name, None, n, "down", said))
                continue
            hits = (near > limit).float()
            own, ci = float((theirs > limit).float().mean()), self._interval(hits, "memorised")
            metrics.append(Metric(name, float(hits.mean()), n, "down", how, own, ci=ci))
        return metrics

    def _of_given(self, seen: Seen) -> list[Metric]:
        """Of the networks that somebody gave, by the protocols that bear their names."""
        metrics = []
        if self.inception is not None:
            n, net = seen.inception.count, self.inception
            kind = "fid" if net.is_official else "frechet_distance"
            value, best = (
                frechet_of_moments(one.inception, self.photographs.inception)
                for one in (seen, self.training)
            )
            how = (
                "pool3 of Inception-v3, pictures at the protocol's size and resized as TensorFlow 1 does; against "
                "the prompts' photographs, which are fewer than in papers. Ceiling: training photographs."
            )
            metrics.append(Metric(f"{kind}[{net.name},n={n}]", value, n, "down", how, ceiling=best))
        if self.clip is not None:
            scores = 100 * seen.clip[:, 0].clamp(min=0)
            floor, top = (
                float(100 * self.photographs.clip[:, column].clamp(min=0).mean())
                for column in (1, 0)
            )
            how = "100 x cosine of a picture and its caption, at least 0 (arXiv:2104.08718 without its factor)."
            metrics.append(
                Metric(
                    f"clip_score[{self.clip},n={len(scores)}]",
                    float(scores.mean()),
                    len(scores),
                    "up",
                    how + ENDS,
                    floor,
                    top,
                    self._interval(scores, "clip_score"),
                )
            )
        return metrics

    def _interval(self, values: Float[Tensor, " n"], key: str) -> tuple[float, float] | None:
        def mean(rows: Int64[Tensor, " m"]) -> float:
            return float(values[rows].mean())

        return bootstrap_interval(len(values), mean, stream(self.protocol.seed, key))


def table_of(found: Mapping[str, Sequence[Metric]]) -> list[dict[str, object]]:
    """A row a method and metric."""
    return [
        {"method": method, "metric": one.name} | one.to_json()
        for method, metrics in found.items()
        for one in metrics
    ]


def subgroups(
    court: Court, seen: Mapping[str, Seen], groups: Mapping[str, Bool[Tensor, " n"]]
) -> list[dict[str, object]]:
    """Text fidelity of each method for the prompts of each group, as the referee sees their photographs."""
    rows: list[dict[str, object]] = []
    for method, one in seen.items():
        for group, is_in in groups.items():
            chosen = torch.nonzero(is_in).flatten()
            value = text_fidelity(one.found[chosen], court.mentions.of(chosen))
            rows.append(
                {"method": method, "group": group, "n": len(chosen), "text_fidelity": value}
            )
    return rows
