"""How faces of drawings hold their structure, say what their sentence says, and differ: numbers, files and grids.

metrics.json      every metric: value, n, interval, floor, ceiling, better, protocol
values.json       the values alone, for `dvc metrics`
per_drawing.csv   agreement of each drawing with each way's and rival's faces
captions.txt      the sentences, a drawing a line
<way>.png         a drawing a row: what was given, the photograph, the faces
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from tedigan.annotators.referee import Referee
from tedigan.encoders.modalities import Drawing
from tedigan.evaluation.drawn_faces import (
    AGREEMENT,
    NEAREST,
    PHOTOGRAPH,
    RANDOM,
    STYLE,
    DrawnFaces,
    next_one,
    ways_of,
)
from tedigan.evaluation.evaluation_files import write_rows, write_values
from tedigan.evaluation.metric import Metric
from tedigan.evaluation.source_holds import colours_it_keeps, who_it_stays
from tedigan.evaluation.statistics import bootstrap_interval
from tedigan.evaluation.text_fidelity import Mentions, text_fidelity
from tedigan.method.structure import DARK, TOLERANCE
from tedigan.store import pictures
from tedigan.store.files import write_json, write_text
from tedigan.tensors import stream, to_images
from tedigan.training.drawing_lessons import Draw
from tedigan.vocabulary.labels import labels_to_colours

NUM_SHOWN = 12
WORDS: dict[Drawing, str] = {
    "sketch": f"F1 of stroke pixels (darker than {DARK} of 255) within {TOLERANCE:g} of the side, of our own "
    "sketcher's sketches",
    "label": "intersection over union, a mean over the classes of the wanted map, of a parser's maps",
}
NAMES: dict[Drawing, str] = {"sketch": "edge_f1", "label": "label_iou"}


def score_faces(
    found: DrawnFaces,
    draws: Mapping[Drawing, Draw],
    referee: Referee,
    read: Callable[[str], Mapping[str, bool]],
    *,
    seed: int,
) -> tuple[list[Metric], list[dict[str, Any]]]:
    """The metrics, and a row a drawing."""
    metrics, rows = list[Metric](), [{"drawing": n} for n in range(len(found.captions))]
    for kind, draw in draws.items():
        agreement = {who: _agreement(found, who, kind, draw) for who in _contestants(found, kind)}
        for who, values in agreement.items():
            metrics.append(_structure(found, kind, who, values, agreement, seed))
            for row, value in zip(rows, values.tolist(), strict=True):
                row[f"{NAMES[kind]}/{who}"] = value
    metrics += _fidelity(found, referee, read)
    metrics += [_variety(found, who) for who in ways_of([*draws])]
    metrics += who_it_stays(found, referee, seed=seed)
    if "label" in draws:
        metrics += colours_it_keeps(found, draws["label"], seed=seed)
    return metrics, rows


def write_scores(
    folder: Path, found: DrawnFaces, metrics: Sequence[Metric], rows: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Write the files; the names of the grids."""
    told = {one.name: one.to_json() for one in metrics}
    write_json(folder / "metrics.json", told)
    write_values(folder, told)
    write_rows(folder / "per_drawing.csv", rows)
    write_text(folder / "captions.txt", "".join(f"{one}\n" for one in found.captions))
    names = []
    for way in ways_of([*found.wanted]):
        names.append(f"{way.replace('+', '_')}.png")
        pictures.save(folder / names[-1], _grid(found, way))
    return names


def _contestants(found: DrawnFaces, kind: Drawing) -> list[str]:
    """All but those who are nearest by another kind."""
    return [w for w in found.pixels if not w.startswith(NEAREST) or w == f"{NEAREST} by {kind}"]


def _agreement(found: DrawnFaces, who: str, kind: Drawing, draw: Draw) -> Float[Tensor, " n"]:
    """Of each drawing with the drawings of its faces, a mean."""
    faces = found.pixels[who]
    drawn = draw(faces.flatten(0, 1))
    wanted = found.wanted[kind].repeat_interleave(faces.shape[1], dim=0)
    return AGREEMENT[kind](drawn, wanted).unflatten(0, faces.shape[:2]).mean(dim=1)


def _structure(
    found: DrawnFaces,
    kind: Drawing,
    who: str,
    values: Float[Tensor, " n"],
    agreement: Mapping[str, Tensor],
    seed: int,
) -> Metric:
    given = (
        "the data set's"
        if found.is_given[kind]
        else "the judge's own of the photograph, so its 1 is no merit"
    )

    def mean(rows: Int64[Tensor, " n"]) -> float:
        return float(values[rows].mean())

    return Metric(
        f"{NAMES[kind]}/{who}",
        float(values.mean()),
        len(values),
        "up",
        f"{WORDS[kind]} of the faces and {given}; mean over test drawings. Floor: random faces; ceiling: the "
        "photographs.",
        floor=float(agreement[RANDOM].mean()),
        ceiling=float(agreement[PHOTOGRAPH].mean()),
        ci=bootstrap_interval(len(values), mean, stream(seed, "drawings", who)),
    )


def _fidelity(
    found: DrawnFaces, referee: Referee, read: Callable[[str], Mapping[str, bool]]
) -> list[Metric]:
    """Mentions of the photographs' captions that the referee finds in the faces."""
    mentions = Mentions.read(found.captions, read, referee.names, referee.is_reliable)
    shares = {}
    for who in [*ways_of([*found.wanted]), PHOTOGRAPH, RANDOM]:
        faces = found.pixels[who]
        seen = referee.find(to_images(faces.flatten(0, 1)))
        each = torch.arange(len(faces)).repeat_interleave(faces.shape[1])
        shares[who] = text_fidelity(seen, mentions.of(each))
    return [
        Metric(
            f"text_fidelity/{who}",
            share,
            len(found.captions),
            "up",
            "share of the mentions of a photograph's first caption that the referee finds in the faces of its "
            "drawing. Floor: random faces; ceiling: the photographs.",
            floor=shares[RANDOM],
            ceiling=shares[PHOTOGRAPH],
        )
        for who, share in shares.items()
    ]


def _variety(found: DrawnFaces, who: str) -> Metric:
    """How far faces of one drawing differ, as a share of how far random faces do."""
    faces, others = found.pixels[who].float(), found.pixels[RANDOM][:, 0].float()
    within = (faces[:, :-1] - faces[:, 1:]).square().mean()
    between = (others[:-1] - others[1:]).square().mean()
    is_known = faces.shape[1] > 1 and float(between) > 0
    return Metric(
        f"variety/{who}",
        float((within / between).sqrt()) if is_known else None,
        len(faces),
        "up",
        "root mean squared pixel difference of two faces of one drawing, over that of two random faces.",
        floor=0.0,
        ceiling=1.0,
    )


def _grid(found: DrawnFaces, way: str) -> UInt8[Tensor, "3 height width"]:
    """What gave to each face, the photograph always, and the faces."""
    photographs, given = found.pixels[PHOTOGRAPH], way.split("+")
    styles, rows = next_one(photographs), []
    for row in range(min(NUM_SHOWN, len(found.captions))):
        drawn = [_colours(k, d[row : row + 1]) for k, d in found.wanted.items() if k in given]
        styled = [styles[row]] if STYLE in given else []
        rows.append(torch.cat([*drawn, *styled, photographs[row], found.pixels[way][row]]))
    return pictures.grid(torch.cat(rows), len(rows[0]))


def _colours(kind: Drawing, drawing: UInt8[Tensor, "1 *c r r"]) -> UInt8[Tensor, "1 3 r r"]:
    return labels_to_colours(drawing) if kind == "label" else drawing.expand(-1, 3, -1, -1)
