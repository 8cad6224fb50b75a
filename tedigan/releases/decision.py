"""(candidate, champion, policy) -> decision, with a reason for each rule; no clock, file or network is asked."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from tedigan.errors import DataError
from tedigan.releases.evidence import MEMORISED, Evidence, PromptScore
from tedigan.releases.policy import Compared, Policy
from tedigan.tensors import stream

NAMES: dict[Compared, str] = {
    "text_fidelity": "text fidelity",
    "edit_reached": "edits that reach their target",
    "edit_kept": "edits that keep the rest",
    "edit_same_person": "edits that keep the person",
}

ROUNDING = 1e-9  # a difference of exactly what the policy allows is allowed


@dataclass(frozen=True)
class Reason:
    """One rule: whether the candidate meets it, and the numbers in a sentence. A rule that says nothing passes."""

    rule: str
    is_met: bool
    said: str


@dataclass(frozen=True)
class Decision:
    """is_better: every reason is met."""

    reasons: Sequence[Reason]

    @property
    def is_better(self) -> bool:
        """Whether the candidate may take the champion's place."""
        return all(one.is_met for one in self.reasons)

    def to_json(self) -> dict[str, Any]:
        """As a promotion records it."""
        return {"is_better": self.is_better, "reasons": [asdict(one) for one in self.reasons]}

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"{'met   ' if one.is_met else 'FAILED'} {one.rule}: {one.said}" for one in self.reasons
        ]


@dataclass(frozen=True)
class Difference:
    """Of a mean over what both were judged on: candidate less champion, with its paired 95 % interval."""

    name: str
    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:+.3f} [{self.low:+.3f}, {self.high:+.3f}] over {self.n}"


def decide(candidate: Evidence, champion: Evidence | None, policy: Policy) -> Decision:
    """May the candidate take the champion's place? Without a champion, floors and limits alone decide.

    Raises DataError where the two were judged by different referees or on different prompts: judge one again.
    """
    reasons = [
        *_floors(candidate, policy),
        *_group_floors(candidate, policy),
        *_limits(candidate, policy),
    ]
    if champion is not None:
        if candidate.judge != champion.judge:
            raise DataError(
                "candidate and champion were judged by different referees, or on different captions or data sets; "
                "expected the same. Judge the champion again by the candidate's: `tedigan release promote` does."
            )
        reasons += [
            *_comparisons(candidate, champion, policy),
            *_group_comparisons(candidate, champion, policy),
            *_relative_limits(candidate, champion, policy),
        ]
    return Decision(reasons)


def _floors(candidate: Evidence, policy: Policy) -> Iterator[Reason]:
    for name, least in policy.floors.items():
        value = candidate.metrics.get(name)
        found = "was not told" if value is None else f"is {value:.3f}"
        yield Reason(
            f"floor of {name}",
            value is not None and value >= least,
            f"it {found}, at least {least:g}",
        )


def _limits(candidate: Evidence, policy: Policy) -> Iterator[Reason]:
    size = candidate.num_model_bytes / 1e6
    yield Reason(
        "size",
        size <= policy.at_most_megabytes,
        f"{size:.1f} MB of models, at most {policy.at_most_megabytes:g}",
    )
    share = _memorised(candidate)
    if share is None:
        yield Reason("memorisation", True, "was not measured: too few strangers in the val split")
    else:
        yield Reason(
            "memorisation",
            share <= policy.at_most_memorised,
            f"{share:.3f} of the faces are too near a training photograph, at most {policy.at_most_memorised:g}",
        )


def _comparisons(candidate: Evidence, champion: Evidence, policy: Policy) -> Iterator[Reason]:
    """No worse in anything, and better in something; what only the champion was judged on fails."""
    gained = []
    for name, worst in policy.at_most_worse.items():
        rule, lacking = f"no worse: {NAMES[name]}", _lacking(candidate, champion, name)
        found = difference(candidate, champion, name)
        if lacking:
            yield Reason(rule, False, f"{lacking} that the champion was judged on were not judged")
        elif found is None:
            yield Reason(rule, True, "neither was judged")
        else:
            said = f"{found}; its lower end at least {-worst:g}"
            yield Reason(rule, found.low >= -worst - ROUNDING, said)
            gained += [NAMES[name]] if found.low > 0 else []
    if policy.must_gain:
        said = ", ".join(gained) or "nothing is better with its whole interval"
        yield Reason("gain", bool(gained), said)


def _lacking(candidate: Evidence, champion: Evidence, name: Compared) -> str:
    """How many prompts or edits only the champion has a value of, in words; "" for none."""
    if name == "text_fidelity":
        count = len(champion.prompts.keys() - candidate.prompts.keys())
        return f"{count} prompts" if count else ""
    told = [
        {key for key, one in each.edits.items() if name in one} for each in (champion, candidate)
    ]
    # an edit turns over what a face shows: of another inversion it may be the other way
    count = len({key[:2] for key in told[0]} - {key[:2] for key in told[1]})
    return f"{count} edits" if count else ""


def difference(candidate: Evidence, champion: Evidence, name: Compared) -> Difference | None:
    """None where nothing of the kind was judged in both. Edits of one photograph are drawn as one."""
    from tedigan.evaluation.statistics import (
        ratio_interval,  # with scipy, which the rest does without
    )

    if name == "text_fidelity":
        pairs = _paired_prompts(candidate, champion)
        rows = [(float(a.found - b.found), a.mentioned) for a, b in pairs]
    else:
        rows = _paired_photographs(candidate, champion, name)
    if len(rows) < 2:
        return None
    gain, of = torch.tensor(rows, dtype=torch.float64).T
    low, high = ratio_interval(gain, of, stream("promotion", name))
    return Difference(name, float(gain.sum() / of.sum()), low, high, len(rows))


def _paired_photographs(
    candidate: Evidence, champion: Evidence, name: Compared
) -> list[tuple[float, int]]:
    """Of each photograph the sum of differences over edits that both were judged on, and how many these are."""
    found: dict[str, list[float]] = {}
    for key in sorted(candidate.edits.keys() & champion.edits.keys()):
        ours, theirs = candidate.edits[key].get(name), champion.edits[key].get(name)
        if ours is not None and theirs is not None:
            found.setdefault(key[0], []).append(ours - theirs)
    return [(sum(each), len(each)) for each in found.values()]


def _paired_prompts(
    candidate: Evidence, champion: Evidence
) -> list[tuple[PromptScore, PromptScore]]:
    """Those with a mention, of which one judge with one list of captions counts equally many in both."""
    both = sorted(candidate.prompts.keys() & champion.prompts.keys())
    return [
        (candidate.prompts[key], champion.prompts[key])
        for key in both
        if candidate.prompts[key].mentioned
    ]


def _group_floors(candidate: Evidence, policy: Policy) -> Iterator[Reason]:
    least, few = policy.subgroups.floor, policy.subgroups.min_prompts
    for name, scores in _groups(candidate, policy):
        rule = f"floor of {name}"
        if len(scores) < few:
            yield Reason(rule, True, f"{len(scores)} prompts, fewer than {few}, decide nothing")
        else:
            share = _share(scores)
            yield Reason(
                rule,
                share >= least,
                f"text fidelity {share:.3f} over {len(scores)}, at least {least:g}",
            )


def _group_comparisons(candidate: Evidence, champion: Evidence, policy: Policy) -> Iterator[Reason]:
    worst, before = policy.subgroups.at_most_worse, dict(_groups(champion, policy))
    now = dict(_groups(candidate, policy))
    for name in [*before, *(one for one in now if one not in before)]:
        ours, theirs = now.get(name, []), before.get(name, [])
        if min(len(ours), len(theirs)) >= policy.subgroups.min_prompts:
            change = _share(ours) - _share(theirs)
            said = f"{change:+.3f}, at least {-worst:g}"
            yield Reason(f"no worse for {name}", change >= -worst - ROUNDING, said)
        elif len(theirs) >= policy.subgroups.min_prompts:
            yield Reason(
                f"no worse for {name}", False, "the candidate was not judged on this group"
            )


def _relative_limits(candidate: Evidence, champion: Evidence, policy: Policy) -> Iterator[Reason]:
    now, before = _memorised(candidate), _memorised(champion)
    if before is not None:
        worst = policy.at_most_memorised_more
        is_met = now is not None and now - before <= worst + ROUNDING
        said = "was not measured" if now is None else f"{now - before:+.3f}, at most {worst:g}"
        yield Reason("no more memorised", is_met, said)
    if candidate.seconds_per_face is None or champion.seconds_per_face is None:
        yield Reason("speed", False, "was not measured")
    else:
        slower = candidate.seconds_per_face / champion.seconds_per_face
        yield Reason(
            "speed",
            slower <= policy.at_most_slower,
            f"{slower:.2f} x the champion's {champion.seconds_per_face * 1000:.1f} ms a face, at most "
            f"{policy.at_most_slower:g}",
        )


def _groups(evidence: Evidence, policy: Policy) -> Iterator[tuple[str, list[PromptScore]]]:
    """With and without each attribute of the policy that the referee knows; of prompts with a mention."""
    scores: list[PromptScore] = [one for one in evidence.prompts.values() if one.mentioned]
    for name in policy.subgroups.of:
        told = [one for one in scores if name in one.groups]
        if told:
            yield name, [one for one in told if one.groups[name]]
            yield f"not {name}", [one for one in told if not one.groups[name]]


def _share(scores: Sequence[PromptScore]) -> float:
    return sum(one.found for one in scores) / sum(one.mentioned for one in scores)


def _memorised(evidence: Evidence) -> float | None:
    found = [value for name, value in evidence.metrics.items() if name.startswith(f"{MEMORISED}[")]
    return found[0] if found else None
