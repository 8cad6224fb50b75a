"""Measurements of faces made from captions: text fidelity, distance to photographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.distances import frechet_distance, kernel_distance
from tedigan.evaluation.metric import Instruments, Metric
from tedigan.evaluation.text_fidelity import (
    Mentions,
    fidelity_per_attribute,
    interval_over_prompts,
    macro_fidelity,
    normalised,
    per_prompt,
    shown_groups,
    text_fidelity,
    unmentioned_share,
)
from tedigan.tensors import stream, to_images

# Of a rarer attribute a few faces decide.
MIN_PREVALENCE = 0.02
Statistic = Callable[[Tensor, Mentions], float | None]


@dataclass(frozen=True)
class Fidelity:
    """metrics; per_attribute, per_prompt: rows of the tables that are kept beside them."""

    metrics: list[Metric]
    per_attribute: list[dict[str, Any]]
    per_prompt: list[dict[str, Any]]


def measure_fidelity(subjects: Subjects, tools: Instruments, num_prompts: int) -> Fidelity:
    """Text fidelity with its floor and ceiling, against every rival, by attribute and by prompt."""
    captions = subjects.captions[:num_prompts]
    counted = tools.referee.is_reliable & (subjects.prevalence >= MIN_PREVALENCE)
    mentions = Mentions.read(captions, tools.reader.read, tools.referee.names, counted)

    def find(pixels: Tensor) -> Bool[Tensor, "n k"]:
        return tools.referee.find(to_images(pixels[: len(captions)]))

    sight = _Sight(
        tools.referee.names,
        mentions,
        counted,
        [find(one) for one in (subjects.texts, subjects.unconditional, subjects.photographs)],
        {name: find(faces) for name, faces in subjects.rivals.items()},
        tools.seed,
    )
    return Fidelity(
        [*sight.own(), *sight.against_rivals()],
        _per_attribute(sight.found, mentions, tools.referee.names),
        sight.per_prompt(),
    )


@dataclass(frozen=True)
class _Sight:
    """What the referee found. found: of texts, unconditional faces and photographs. rivals: of other ways' faces.

    names: the attributes'. counted: those that are reliable and not too rare.
    """

    names: Sequence[str]
    mentions: Mentions
    counted: Bool[Tensor, " k"]
    found: list[Bool[Tensor, "n k"]]
    rivals: dict[str, Bool[Tensor, "n k"]]
    seed: int

    @property
    def tag(self) -> str:
        """What every name carries."""
        return f"n={len(self.found[0])}"

    def own(self) -> list[Metric]:
        """Of the platform's own faces."""
        return [
            *self._with_normalised("text_fidelity", text_fidelity, self._how()),
            *self._with_normalised(
                "text_fidelity_macro",
                macro_fidelity,
                "Mean over the mentioned attributes of each one's share, so that rare ones count as much.",
            ),
            self._metric(
                "unmentioned_attributes",
                lambda found, mentions: unmentioned_share(found, mentions, self.counted),
                "Share of the counted attributes that a caption leaves out and the referee finds all the same; "
                "far above the photographs' means that faces show everything at once.",
                better="near ceiling",
            ),
        ]

    def against_rivals(self) -> list[Metric]:
        """Of every other way, and how much the platform's own is ahead, on the same prompts."""
        kinds: dict[str, Statistic] = {
            "text_fidelity": text_fidelity,
            "text_fidelity_macro": macro_fidelity,
        }
        return [
            metric
            for way, found in self.rivals.items()
            for name, statistic in kinds.items()
            for metric in (
                self._metric(
                    name, statistic, f"As {name}, of the faces by: {way}.", found, f",{way}"
                ),
                self._lead(name, statistic, way, found),
            )
        ]

    def per_prompt(self) -> list[dict[str, Any]]:
        """The counts of every prompt and way, and whom its photograph shows; numbered as in subjects.json."""
        ways = dict(zip(("ours", "unconditional", "photographs"), self.found, strict=True))
        shown = shown_groups(self.found[2], self.names)
        return [
            {"prompt": number, "way": way, **counts, **shown[number]}
            for way, found in (ways | self.rivals).items()
            for number, counts in enumerate(per_prompt(found, self.mentions, self.counted))
        ]

    def _how(self) -> str:
        return (
            "One caption a test photograph, one face a caption; share of the mentioned attributes that the "
            f"referee finds, over {int(self.counted.sum())} attributes that it is reliable on and that at least "
            f"{MIN_PREVALENCE:.0%} of the train photographs have."
        )

    def _with_normalised(self, name: str, statistic: Statistic, how: str) -> list[Metric]:
        def share(mentions: Mentions, found: list[Tensor]) -> float | None:
            return normalised(*(statistic(one, mentions) for one in found))

        said = (
            f"({name} - floor) / (ceiling - floor): 0 ignores the text, 1 fits like a photograph."
        )
        interval = self._interval(
            name + "_normalised",
            lambda rows: share(self.mentions.of(rows), [one[rows] for one in self.found]),
        )
        value, n = share(self.mentions, self.found), len(self.found[0])
        label = f"{name}_normalised[referee,{self.tag}]"
        whole = Metric(label, value, n, "up", said, 0.0, 1.0, interval)
        return [self._metric(name, statistic, how), whole]

    def _metric(
        self,
        name: str,
        statistic: Statistic,
        how: str,
        found: Bool[Tensor, "n k"] | None = None,
        label: str = "",
        better: str = "up",
    ) -> Metric:
        seen, mentions = self.found[0] if found is None else found, self.mentions
        floor, ceiling = (statistic(one, mentions) for one in self.found[1:])
        against = " Floor: unconditional faces; ceiling: the captions' own photographs."
        interval = self._interval(name, lambda rows: statistic(seen[rows], mentions.of(rows)))
        full, n = f"{name}[referee{label},{self.tag}]", len(seen)
        value = statistic(seen, mentions)
        return Metric(full, value, n, better, how + against, floor, ceiling, interval)

    def _lead(
        self, name: str, statistic: Statistic, way: str, found: Bool[Tensor, "n k"]
    ) -> Metric:
        """Paired: both are drawn with the same prompts."""

        def lead(ours: Tensor, theirs: Tensor, mentions: Mentions) -> float | None:
            pair = statistic(ours, mentions), statistic(theirs, mentions)
            return None if pair[0] is None or pair[1] is None else pair[0] - pair[1]

        ours, mentions = self.found[0], self.mentions
        interval = self._interval(
            f"{name}_lead", lambda rows: lead(ours[rows], found[rows], mentions.of(rows))
        )
        said = f"{name} of the platform's faces less that of: {way}; the interval is paired over prompts."
        label, n = f"{name}_lead[referee,{way},{self.tag}]", len(ours)
        return Metric(label, lead(ours, found, mentions), n, "up", said, 0.0, None, interval)

    def _interval(
        self, key: str, statistic: Callable[[Int64[Tensor, " n"]], float | None]
    ) -> tuple[float, float] | None:
        return interval_over_prompts(statistic, len(self.found[0]), stream(self.seed, key))


def _per_attribute(
    found: list[Bool[Tensor, "n k"]], mentions: Mentions, names: Sequence[str]
) -> list[dict[str, Any]]:
    columns = [fidelity_per_attribute(one, mentions) for one in found]
    rows = []
    for name, text, floor, ceiling in zip(names, *columns, strict=True):
        shares = {"value": text[1], "floor": floor[1], "ceiling": ceiling[1]}
        rows.append({"attribute": name, "mentions": text[0], **shares})
    return rows


def measure_distances(subjects: Subjects, tools: Instruments, num_images: int) -> list[Metric]:
    """Frechet and kernel distance of text faces and of unconditional faces to the test photographs."""
    sets = (
        subjects.texts,
        subjects.unconditional,
        subjects.photographs,
        subjects.train_photographs,
    )
    n = min(num_images, *map(len, sets))
    texts, unconditional, test, train = (_features(pixels[:n], tools) for pixels in sets)
    how = (
        f"Features of {tools.features.name}, {n} faces against {n} test photographs. Ceiling: {n} train "
        "photographs against the same. Compare at equal n and net only; this is not FID."
    )
    others = {name: _features(faces[:n], tools) for name, faces in subjects.rivals.items()}
    metrics = []
    for kind, distance in (("frechet", frechet_distance), ("kernel", kernel_distance)):
        tag, photographs = f"{tools.features.name},n={n}]", distance(train, test)
        floor = distance(unconditional, test)
        rows = {
            f"_distance[{tag}": (texts, floor),
            f"_distance_unconditional[{tag}": (unconditional, None),
        }
        rows |= {f"_distance[{way},{tag}": (faces, floor) for way, faces in others.items()}
        for name, (faces, knowing_nothing) in rows.items():
            said = how + (" Floor: unconditional faces." if knowing_nothing is not None else "")
            value = distance(faces, test)
            metrics.append(
                Metric(f"{kind}{name}", value, n, "down", said, knowing_nothing, photographs)
            )
        metrics.append(_ratio_to_unconditional(kind, tag, metrics[-len(rows)], how))
    return metrics


def _ratio_to_unconditional(kind: str, tag: str, text: Metric, how: str) -> Metric:
    """What the text costs: faces of captions and of none, at one psi and against the same photographs."""
    value, floor, ceiling = text.value, text.floor, text.ceiling
    assert value is not None, "it was measured"
    assert floor is not None, "so was its floor"
    assert ceiling is not None, "so was its ceiling"
    said = f"{kind} distance of text faces as a share of unconditional faces', at equal psi. {how}"
    if floor <= 0:
        return Metric(
            f"{kind}_ratio[{tag}",
            None,
            text.n,
            "down",
            f"{said} Not told: they are at no distance.",
        )
    return Metric(f"{kind}_ratio[{tag}", value / floor, text.n, "down", said, 1.0, ceiling / floor)


def _features(pixels: Tensor, tools: Instruments) -> Float[Tensor, "n d"]:
    return torch.cat([tools.features(to_images(part)) for part in pixels.split(tools.batch_size)])
