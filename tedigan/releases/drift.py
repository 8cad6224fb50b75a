"""Do people ask for other faces than the release was judged on, and do its faces still show what they ask for?"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tedigan.releases.decision import Decision, Reason
from tedigan.releases.policy import Drift

Wishes = Mapping[str, bool]


def weigh_drift(
    asked: Sequence[Wishes], judged: Sequence[Wishes], num_lacking: int, limits: Drift
) -> Decision:
    """Whether what is asked has drifted: a reason that is not met says so.

    asked: what the prompt of each recent face names. judged: what the captions name that the release was evaluated
    on. num_lacking: recent faces that lack something of their prompts, as the guide sees it.
    """
    if len(asked) < limits.min_prompts:
        said = f"{len(asked)} faces were drawn, fewer than {limits.min_prompts}, and say nothing"
        return Decision([Reason("enough faces", True, said)])
    far, most = distance(asked, judged)
    share = num_lacking / len(asked)
    return Decision(
        [
            Reason(
                "prompts",
                far <= limits.at_most_prompts,
                f"what prompts name is {far:.3f} from what the evaluation's captions name (most: {most}), at most "
                f"{limits.at_most_prompts:g}",
            ),
            Reason(
                "faces",
                share <= limits.at_most_lacking,
                f"{share:.3f} of {len(asked)} faces lack something of their prompts, at most "
                f"{limits.at_most_lacking:g}",
            ),
        ]
    )


def distance(asked: Iterable[Wishes], judged: Iterable[Wishes]) -> tuple[float, str]:
    """Total variation, 0..1, between the mentions of the two; and the mention that differs most, in words."""
    ours, theirs = _shares(asked), _shares(judged)
    gaps = {
        one: ours.get(one, 0.0) - theirs.get(one, 0.0)
        for one in sorted(ours.keys() | theirs.keys())
    }
    most = max(gaps, key=lambda one: abs(gaps[one]), default=None)
    words = "nothing" if most is None else f"{'' if most[1] else 'not '}{most[0]} {gaps[most]:+.3f}"
    return sum(abs(gap) for gap in gaps.values()) / 2, words


def _shares(sentences: Iterable[Wishes]) -> dict[tuple[str, bool], float]:
    counts = Counter(mention for one in sentences for mention in one.items())
    total = counts.total()
    return {mention: count / total for mention, count in counts.items()}
