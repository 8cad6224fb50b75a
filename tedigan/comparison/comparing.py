"""Several methods' folders -> a folder of results: figures, leads, subgroups, and pictures side by side.

protocol.json     as it was
comparison.json   method -> metric -> value, n, interval, floor, ceiling, better, protocol
comparison.csv    the same, a row a method and metric
leads.csv         by how much each method is ahead of each other one, paired over prompts
subgroups.csv     text fidelity for the prompts of each group
per_prompt.csv    of each prompt and method: the share of its mentions found, and whether its caption was
side_by_side.png  a prompt a row: its photograph, and each method's face
page.html         all of it for people
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tedigan.comparison.comparison_protocol import ComparisonProtocol
from tedigan.comparison.court import Session
from tedigan.comparison.judging import Court, subgroups, table_of
from tedigan.comparison.looking import Photographs, Pictures, Seen
from tedigan.comparison.method_folder import MethodFolder
from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.evaluation.evaluation_files import write_rows
from tedigan.evaluation.metric import Metric, or_null
from tedigan.evaluation.text_fidelity import GROUPS
from tedigan.store import pictures
from tedigan.store.files import finished_folder, write_json

NUM_SHOWN = 10
PHOTOGRAPHS = "photographs"  # no method may be called so


def open_methods(named: Mapping[str, Path], protocol: ComparisonProtocol) -> list[MethodFolder]:
    """The folders, all checked before anything is judged."""
    if wrong := [name for name in named if not name or name == PHOTOGRAPHS]:
        raise DataError(
            f"a method is called {wrong[0]!r}; expected another name. Write NAME=FOLDER."
        )
    count, size = len(protocol.ids), protocol.size_px
    return [
        MethodFolder.open(name, folder, num_prompts=count, size_px=size)
        for name, folder in named.items()
    ]


def compare(
    session: Session, data: Dataset, methods: Sequence[MethodFolder], folder: Path
) -> dict[str, list[Metric]]:
    """Judge every method and write the results but for the page; the metrics of each."""
    court, protocol = session.court, session.court.protocol
    seen = {one.name: session.look(one) for one in methods}
    found = {name: [_tagged(m, protocol) for m in court.metrics(one)] for name, one in seen.items()}
    beside = seen | {PHOTOGRAPHS: court.photographs}
    with finished_folder(folder) as fresh:
        protocol.write(fresh / "protocol.json")
        write_json(
            fresh / "comparison.json",
            {name: {one.name: one.to_json() for one in metrics} for name, metrics in found.items()},
        )
        write_rows(fresh / "comparison.csv", table_of(found))
        write_rows(fresh / "leads.csv", leads(court, seen))
        write_rows(fresh / "subgroups.csv", subgroups(court, beside, _groups(session)))
        write_rows(fresh / "per_prompt.csv", _per_prompt(court, beside))
        shown = Photographs(PHOTOGRAPHS, data, protocol.ids, protocol.size_px)
        pictures.save(fresh / "side_by_side.png", _side_by_side([shown, *methods]))
    return found


def _tagged(metric: Metric, protocol: ComparisonProtocol) -> Metric:
    """None where it cannot tell; its name says by which protocol."""
    return replace(or_null(metric), name=f"{metric.name}@{protocol.tag}")


def leads(court: Court, seen: Mapping[str, Seen]) -> list[dict[str, Any]]:
    """Each method over each other one; a lead whose interval holds 0 is none."""
    rows = []
    for ours, mine in seen.items():
        for theirs, other in seen.items():
            if ours == theirs:
                continue
            for name, (value, interval) in court.lead(mine, other).items():
                low, high = interval or (None, None)
                ends = {"lead": value, "ci_low": low, "ci_high": high}
                rows.append({"method": ours, "over": theirs, "metric": name} | ends)
    return rows


def _groups(session: Session) -> dict[str, torch.Tensor]:
    """The prompts whose photographs show each of GROUPS, as the referee sees them, and the others."""
    names, found = session.judges.referee.names, session.court.photographs.found
    groups = dict[str, torch.Tensor]()
    for name in GROUPS:
        if name in names:
            column = found[:, names.index(name)]
            groups |= {name: column, f"not {name}": ~column}
    return groups


def _per_prompt(court: Court, seen: Mapping[str, Seen]) -> list[dict[str, Any]]:
    rows = []
    for method, one in seen.items():
        columns = {name: values.tolist() for name, values in court.per_prompt(one).items()}
        for number in range(len(court.protocol.ids)):
            values = {name: cells[number] for name, cells in columns.items()}
            told = {name: None if value != value else value for name, value in values.items()}
            rows.append({"method": method, "prompt": number} | told)
    return rows


def _side_by_side(shown: Sequence[Pictures]) -> torch.Tensor:
    first = [next(iter(one.faces(NUM_SHOWN)))[:NUM_SHOWN] for one in shown]
    return pictures.grid(torch.stack(first, dim=1).flatten(0, 1), len(shown))
