"""The default path reaches nothing whose licence forbids commercial use, or says nothing of it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contracts.closure import CHECKOUT
from tests.contracts.test_extras import EXTRAS, PROJECT, distributions

PAGE = CHECKOUT / "docs" / "licences.md"
DEFAULTS: dict[str, Any] = yaml.safe_load((CHECKOUT / "params.yaml").read_text(encoding="utf-8"))
# The default params, made small; what they name stays as it is.
SMALL = {
    "dataset": {"num_images": 60, "captions_per_image": 2},
    "train_generator": {"sheet_faces": 4},
    "train_encoder": {"num_synthetic_steps": 1, "num_steps": 1, "batch_size": 4},
    "train_sketch_encoder": {
        "num_pairs": 16,
        "num_drawer_steps": 1,
        "num_fit_steps": 1,
        "num_synthetic_steps": 1,
        "num_steps": 1,
        "batch_size": 4,
    },
    "train_label_encoder": {
        "num_pairs": 16,
        "num_drawer_steps": 1,
        "num_fit_steps": 1,
        "num_synthetic_steps": 1,
        "num_steps": 1,
        "batch_size": 4,
    },
    "train_text_encoder": {"num_steps": 2, "captions_per_image": 1, "batch_size": 8},
    "train_guide": {"num_steps": 2, "batch_size": 4},
    "train_latent_tagger": {"num_pairs": 64, "num_steps": 2, "batch_size": 8},
    "analyse_layers": {"num_faces": 2, "num_search_steps": 1},
    "train_text_mapper": {"num_mover_steps": 1, "mover_batch_size": 8, "num_search_steps": 1},
    "train_referee": {"num_views": 1, "num_steps": 2, "batch_size": 8},
    "evaluate": {"num_prompts": 4, "num_images": 4, "batch_size": 4},
    "evaluate_edits": {
        "num_photographs": 2,
        "num_strips": 1,
        "num_faces": 4,
        "strengths": [-1, 0, 1],
    },
    "evaluate_sources": {"num_drawings": 2, "num_candidates": 4},
    "generate": {"faces_per_caption": 1, "bank_size": 64, "bank_best": 8, "num_search_steps": 2},
    "compose": {"faces_per_row": 1},
    "manipulate": {
        "max_photographs": 1,
        "num_steps": 1,
        "num_picture_steps": 1,
        "num_search_steps": 2,
        "strip": [-1, 1],
    },
    "runtime": {"device": "cpu", "num_workers": 1},
}
EVERY_STAGE = """
import json, os, sys
from pathlib import Path
opened = set()
def note(event, arguments):
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        opened.add(os.fspath(arguments[0]))
sys.addaudithook(note)
from tedigan.stages import STAGES, run_stage
from tedigan.workspace import Workspace
folder = Path(sys.argv[1])
for stage in STAGES:
    run_stage(stage, Workspace.open(folder))
seen = {"opened": sorted(map(str, opened)), "imported": sorted(sys.modules)}
(folder / "seen.json").write_text(json.dumps(seen))
"""


def tables() -> Iterator[list[dict[str, str]]]:
    """The page's tables: column -> cell of each row."""
    for block in PAGE.read_text(encoding="utf-8").split("\n\n"):
        if block.startswith("|"):
            lines = [line.strip("| ").split("|") for line in block.splitlines()]
            columns, _, *rows = [[cell.strip() for cell in line] for line in lines]
            yield [dict(zip(columns, row, strict=False)) for row in rows]


def quoted(row: dict[str, str], column: str) -> list[str]:
    return re.findall(r"`([^`]+)`", row.get(column, ""))


PACKAGES, PARTS = tables()


def test_every_dependency_has_its_row_and_its_extra() -> None:
    wanted = {name: {"-"} for name in distributions(PROJECT["dependencies"])}
    for extra, lines in EXTRAS.items():
        for name in distributions(lines):
            wanted[name] = wanted.get(name, set()) | {extra}
    assert {row["package"].lower(): set(row["extra"].split(", ")) for row in PACKAGES} == wanted


@pytest.mark.parametrize("row", PACKAGES, ids=lambda row: row["package"])
def test_a_licence_is_the_one_that_the_package_states(row: dict[str, str]) -> None:
    try:
        stated = metadata(row["package"]).get("License-Expression")
    except PackageNotFoundError:
        pytest.skip("not installed")
    assert stated is None or row["licence"].startswith(stated)


def test_every_model_that_comes_along_has_its_row() -> None:
    rows = " ".join(row["part"] for row in PARTS)
    for folder in (CHECKOUT / "assets").iterdir():
        assert f"assets/{folder.name}" in rows


# Shown beside the results of the demo, with its licence; nothing that the demo makes comes of it.
SHOWN = {"showcase.models"}


def test_the_defaults_choose_only_what_may_be_used() -> None:
    useful = " ".join(row["part"] for row in PARTS if row["commercial use"] == "yes")
    for row in PARTS:
        assert row["commercial use"] in {"yes", "no", "unknown"}
        values = [
            DEFAULTS[key.split(".")[0]][key.split(".")[1]]
            for key in quoted(row, "chosen by")
            if key not in SHOWN
        ]
        if row["commercial use"] != "yes":
            assert values or quoted(row, "seen as"), row["part"]
            chosen = {value for value in values if value} - {
                "test"
            }  # the data set's own photographs
            assert all(value in useful for value in chosen), row["part"]


def test_the_default_path_reaches_only_what_may_be_used(tmp_path: Path) -> None:
    params = {name: section | SMALL.get(name, {}) for name, section in DEFAULTS.items()}
    for shown in SHOWN:
        params[shown.split(".")[0]][shown.split(".")[1]] = None
    for section, key in (
        ("train_generator", "init"),
        ("generate", "captions"),
        ("manipulate", "edits"),
        ("train_text_mapper", "reader"),
        ("train_guide", "init"),
        ("train_sketch_encoder", "drawer"),
        ("train_label_encoder", "parser"),
        ("train_label_encoder", "drawer"),
        ("evaluate_sources", "parser"),
        ("compose", "sources"),
    ):
        params[section][key] = str(CHECKOUT / params[section][key])
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    command = [sys.executable, "-c", EVERY_STAGE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert any("assets/stylegan2-drawn-64" in path for path in seen["opened"])
    assert any("alex_shift_tolerant" in path for path in seen["opened"])
    for row in PARTS:
        if row["commercial use"] != "yes":
            assert not [mark for mark in quoted(row, "seen as") if is_seen(mark, seen)], row["part"]


def is_seen(mark: str, seen: dict[str, list[str]]) -> bool:
    """Whether a module of this name, or below it, was imported, or a path with this in it opened."""
    if all(part.isidentifier() for part in mark.split(".")):
        return any(name == mark or name.startswith(f"{mark}.") for name in seen["imported"])
    return any(mark in path for path in seen["opened"])
