"""The sections of the page, from the summary's values; `pictures` gives a picture's bytes by its name."""

from collections.abc import Mapping
from typing import Any

from tedigan.report.charts import line_chart, scale_bar
from tedigan.report.markup import escape, facts, figure, image, number, section, table

Pictures = Mapping[str, bytes]

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
    "diversity": "Diversity within a caption",
    "reconstruction_pixel_mse": "Reconstruction, pixel error",
    "reconstruction_psnr_db": "Reconstruction, PSNR (dB)",
    "reconstruction_perceptual_distance": "Reconstruction, perceptual distance",
    "reconstruction_identity_cosine": "Reconstruction, identity",
    "identity_kept": "Same person after inversion",
    "identity_verification_auroc": "Referee's own verification",
}
FACTS = (
    "photographs",
    "splits",
    "resolution",
    "captions",
    "identities",
    "label maps",
    "source",
    "licence",
)
HEADLINES = ("text_fidelity", "text_fidelity_normalised", "frechet_distance", "identity_kept")


def texts(rows: list[dict[str, Any]], pictures: Pictures) -> str:
    """Captions beside their faces."""
    body = "".join(
        f'<div class="caption-row"><blockquote>{escape(row["caption"])}</blockquote><div class="faces">'
        + "".join(image(pictures[name], row["caption"]) for name in row["pictures"])
        + "</div></div>"
        for row in rows
    )
    lead = (
        "Each row is one sentence and faces drawn from it. What the sentence names comes from the text; "
        "what it leaves open is drawn at random."
    )
    return section("text", "From text to faces", lead, body or _nothing())


def edits(rows: list[dict[str, Any]], pictures: Pictures) -> str:
    """Photograph, inversion and edit, with the text."""
    steps = ("photograph", "inversion", "edit")
    body = "".join(
        '<div class="edit"><div class="trio">'
        + "".join(figure(pictures[row[step]], step) for step in steps)
        + f"</div><blockquote>{escape(row['text'])}</blockquote></div>"
        for row in rows
    )
    lead = (
        "A photograph is inverted into the generator's W+ space, the layers that the text speaks about are "
        "changed, and the rest is brought back to the photograph."
    )
    return section(
        "edits", "Edits by text", lead, f'<div class="edits">{body}</div>' if rows else _nothing()
    )


def reconstructions(rows: list[dict[str, str]], pictures: Pictures) -> str:
    """Test photographs above the encoder's inversions."""
    body = "".join(
        f"<figure>{image(pictures[row['photograph']], 'photograph')}"
        f"{image(pictures[row['inversion']], 'inversion')}</figure>"
        for row in rows
    )
    lead = (
        "Photographs of the test split, which no network has seen; below each, what the encoder makes of it "
        "in one pass, without optimisation."
    )
    return section("inversion", "Inversion", lead, f'<div class="pairs">{body}</div>')


def measurements(metrics: dict[str, dict[str, Any]]) -> str:
    """Every metric with its interval, floor, ceiling and protocol."""
    rows = []
    for name in sorted(metrics, key=_place):
        metric = metrics[name]
        low, high = metric["ci_low"], metric["ci_high"]
        interval = "" if low is None else f"<small>{number(low)} to {number(high)}</small>"
        rows.append(
            [
                f"<b>{escape(label(name))}</b> <code>{escape(name)}</code>"
                f"<small>{escape(metric['protocol'])}</small>",
                f"<b>{number(metric['value'])}</b>{interval}",
                escape(number(metric["floor"])),
                f'<div class="scale">{scale_bar(metric["value"], metric["floor"], metric["ceiling"])}</div>',
                escape(number(metric["ceiling"])),
                _arrow(metric["better"]),
            ]
        )
    lead = (
        "All on the test split. The floor is what a system scores that knows nothing of the text or the "
        "photograph; the ceiling is what photographs themselves score. Small figures are 95 % intervals."
    )
    columns = ["metric", "value", "floor", "floor to ceiling", "ceiling", "better"]
    return section("numbers", "Measurements", lead, table(columns, rows))


def curves(models: dict[str, dict[str, Any]]) -> str:
    """One small chart a logged number."""
    body = ""
    for name, log in models.items():
        charts = "".join(
            line_chart(column, series["steps"], series["values"])
            for column, series in log.items()
            if len(series["values"]) > 1
        )
        body += f'<h3>{escape(name)}</h3><div class="charts">{charts}</div>' if charts else ""
    lead = "Numbers logged in training, smoothed; first and last value below each line."
    return section("training", "Training", lead, body or _nothing())


def dataset(summary: dict[str, Any], pictures: Pictures) -> str:
    """What the data set is, and its first records."""
    sheet = f'<figure class="sheet">{image(pictures[summary["examples"]], "examples")}</figure>'
    known = {name: summary["facts"][name] for name in FACTS if name in summary["facts"]}
    lead = "The first records: a row for each kind of picture."
    return section("data", "Data", lead, f"{sheet}<h3>In numbers</h3>{facts(known)}")


def cards(metrics: dict[str, dict[str, Any]]) -> str:
    """The headline numbers."""
    shown = []
    for start in HEADLINES:
        for name, metric in metrics.items():
            if _word(name) == start and metric["value"] is not None:
                span = f"floor {number(metric['floor'])} · ceiling {number(metric['ceiling'])}"
                shown.append(
                    f'<div class="card"><b>{number(metric["value"])}</b><span>{escape(label(name))}</span>'
                    f"<small>{escape(span)}</small></div>"
                )
    return f'<div class="cards">{"".join(shown)}</div>'


def label(name: str) -> str:
    """A metric's name for people."""
    return LABELS.get(_word(name), _word(name).replace("_", " "))


def _word(name: str) -> str:
    return name.partition("[")[0]


def _place(name: str) -> tuple[int, str]:
    order = list(LABELS)
    return (order.index(_word(name)) if _word(name) in LABELS else len(order), name)


def _arrow(better: str) -> str:
    return {"up": "↑ higher", "down": "↓ lower"}.get(better, escape(better))


def _nothing() -> str:
    return '<p class="empty">Nothing was made.</p>'
