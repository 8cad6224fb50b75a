"""The metrics as the page shows them: named for people, in the order of reading, placed on their scales."""

from typing import Any

from tedigan.report.charts import share_of_scale

# The order of reading; the rest follows by name. Metric names begin with these words.
LABELS = {
    "text_fidelity": "Text fidelity",
    "text_fidelity_normalised": "Text fidelity, normalised",
    "text_fidelity_macro": "Text fidelity, rare attributes alike",
    "unmentioned_attributes": "Unmentioned attributes shown",
    "frechet_distance": "Fréchet distance, faces from text",
    "frechet_distance_unconditional": "Fréchet distance, faces without text",
    "kernel_distance": "Kernel distance, faces from text",
    "kernel_distance_unconditional": "Kernel distance, faces without text",
    "edit_reached": "Edits that reach their target",
    "edit_kept": "Attributes kept that nobody asked for",
    "edit_same_person": "Same person after an edit",
    "edit_background": "Background changed by an edit",
    "edit_monotone": "More strength shows more",
    "diversity": "Diversity within a caption",
    "reconstruction_pixel_mse": "Reconstruction, pixel error",
    "reconstruction_psnr_db": "Reconstruction, PSNR (dB)",
    "reconstruction_perceptual_distance": "Reconstruction, perceptual distance",
    "reconstruction_identity_cosine": "Reconstruction, identity",
    "identity_kept": "Same person after inversion",
    "identity_verification_auroc": "Referee's own verification",
}
HEADLINES = (
    "text_fidelity_normalised",
    "frechet_distance",
    "edit_reached",
    "edit_kept",
)


def measurements(metrics: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Every metric with its name, its label, and its share of the way from floor to ceiling."""
    return [_measurement(name, metrics[name]) for name in sorted(metrics, key=_place)]


def headlines(metrics: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The few that open the page, where they were measured: the platform's own, not its rivals'."""
    best = []
    for word in HEADLINES:
        names = [
            name
            for name, one in metrics.items()
            if _word(name) == word and one["value"] is not None
        ]
        own = sorted(names, key=lambda name: (",ours]" not in name, name.count(",")))
        best += [_measurement(name, metrics[name]) for name in own[:1]]
    return best


def _measurement(name: str, metric: dict[str, Any]) -> dict[str, Any]:
    share = share_of_scale(metric["value"], metric["floor"], metric["ceiling"])
    label = LABELS.get(_word(name), _word(name).replace("_", " "))
    return metric | {"name": name, "label": label, "share": share}


def _word(name: str) -> str:
    return name.partition("[")[0]


def _place(name: str) -> tuple[int, str]:
    order = list(LABELS)
    return (order.index(_word(name)) if _word(name) in LABELS else len(order), name)
