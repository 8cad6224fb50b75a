"""Are faces of texts copies of training photographs?"""

from tedigan.dataset.folder import Dataset
from tedigan.evaluation.contestants import Subjects
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.training_photographs import MIN_STRANGERS, SIDE, TrainingPhotographs

NAME = f"memorised_share[thumbnails_{SIDE}px"


def measure_memorisation(data: Dataset, subjects: Subjects) -> Metric:
    """The share of texts' faces that are too near a training photograph; None where val is too small to say so."""
    name, n = f"{NAME},n={len(subjects.texts)}]", len(subjects.texts)
    how = (
        f"Share of the texts' faces whose {SIDE} x {SIDE} px are more like a training photograph's, as it is or "
        "mirrored, than those of 99 of 100 photographs of the val split."
    )
    if len(data.split("val")) < MIN_STRANGERS:
        return Metric(name, None, n, "down", f"{how} Not told: val has fewer than {MIN_STRANGERS}.")
    trained_on, _ = TrainingPhotographs.of(data)
    strangers = trained_on.share_too_near(subjects.photographs)
    said = f"{how} Of the test split's own photographs it is {strangers:.3g}."
    return Metric(name, trained_on.share_too_near(subjects.texts), n, "down", said)
