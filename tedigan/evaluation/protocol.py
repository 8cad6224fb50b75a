"""How everything is measured: on whom, how many of them, in which order."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.faces import (
    Fidelity,
    measure_distances,
    measure_fidelity,
)
from tedigan.evaluation.metric import Instruments, Metric, or_null
from tedigan.evaluation.reconstruction import measure_identity, measure_reconstruction
from tedigan.evaluation.variety import measure_diversity
from tedigan.progress import progress


@dataclass(frozen=True)
class Protocol:
    """num_prompts: test photographs whose captions are used. num_images: on each side of a distance.

    batch_size: images at a time through a network. seed: of every choice and bootstrap.
    """

    num_prompts: int
    num_images: int
    batch_size: int
    seed: int


def measure(
    subjects: Subjects, tools: Instruments, protocol: Protocol, people: dict[str, Any] | None
) -> Fidelity:
    """All metrics in the order in which the report shows them, and text fidelity by attribute and by prompt.

    A metric that cannot tell is None by the rule of `or_null`.
    """
    fidelity = measure_fidelity(subjects, tools, protocol.num_prompts)
    metrics = fidelity.metrics
    groups: list[Callable[[], list[Metric]]] = [
        lambda: measure_distances(subjects, tools, protocol.num_images),
        lambda: measure_diversity(subjects, tools),
        lambda: measure_reconstruction(subjects, tools),
        lambda: measure_identity(subjects, tools, people),
    ]
    for group in progress(groups, desc="evaluate: metrics", unit="group"):
        metrics += group()
    return replace(fidelity, metrics=[or_null(one) for one in metrics])
