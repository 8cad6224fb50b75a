"""What a decision looks at: the numbers of a release, of each prompt and each edit."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tedigan.overlay import read_sections
from tedigan.releases.release import EDITS, EVALUATION, MODELS, Release
from tedigan.store.files import read_json, read_text, sha256_value
from tedigan.store.texts import read_sheet

OURS = "ours"  # the way that is served, among its rivals
EDIT_VALUES = ("edit_reached", "edit_kept", "edit_same_person")
MEMORISED = "memorised_share"
# What the judgement depends on beside what is judged: another of these, and two releases cannot be compared.
JUDGES = (f"{MODELS}/referee", f"{EVALUATION}/subjects.json", "dataset")
JUDGING = ("evaluate", "evaluate_edits")  # sections of params.yaml


@dataclass(frozen=True)
class PromptScore:
    """mentioned: attributes that the prompt names and the referee can tell; found of them as said. groups: who the
    prompt's photograph shows, by attribute."""

    mentioned: int
    found: int
    groups: Mapping[str, bool]


@dataclass(frozen=True)
class Evidence:
    """judge: a digest of who judged, on which captions and photographs. metrics: name without its n -> value.

    edits: (photograph, attribute, wanted) -> value of each of EDIT_VALUES that was told. seconds_per_face: None =
    not measured.
    """

    judge: str
    prompts: Mapping[int, PromptScore]
    edits: Mapping[tuple[str, str, bool], Mapping[str, float]]
    metrics: Mapping[str, float | None]
    num_model_bytes: int
    seconds_per_face: float | None = None


def read_evidence(release: Release, folder: Path, *, judge: str | None = None) -> Evidence:
    """Of a release whose numbers lie in `folder`. judge: where they are not the release's own, but made again."""
    evaluated, edited = (read_json(folder / one / "metrics.json") for one in (EVALUATION, EDITS))
    metrics = evaluated | edited["pooled"]
    return Evidence(
        judge=judge or judge_of(release, folder),
        prompts=_prompts(folder / EVALUATION / "per_prompt.csv"),
        edits=_edits(folder / EDITS / "per_edit.csv"),
        metrics={_without_n(name): one["value"] for name, one in metrics.items()},
        num_model_bytes=release.num_model_bytes,
    )


def judge_of(release: Release, folder: Path) -> str:
    """A digest of who judged a release, by which numbers, on which captions and photographs."""
    params = read_sections(folder / "params.yaml")
    numbers = {name: params.get(name) for name in JUDGING}
    return sha256_value({name: release.parts.get(name) for name in JUDGES} | {"params": numbers})


def _without_n(name: str) -> str:
    """`text_fidelity[referee,n=192]` -> `text_fidelity[referee]`."""
    return re.sub(r",?n=\d+(?=\])", "", name).replace("[]", "")


def _prompts(path: Path) -> dict[int, PromptScore]:
    found = {}
    for row in _rows(path):
        if row["way"] == OURS:
            groups = {
                k.removeprefix("is_"): v == "1" for k, v in row.items() if k.startswith("is_")
            }
            score = PromptScore(int(row["mentioned"]), int(row["found_as_said"]), groups)
            found[int(row["prompt"])] = score
    return found


def _edits(path: Path) -> dict[tuple[str, str, bool], dict[str, float]]:
    return {
        (row["photograph"], row["attribute"], row["wanted"] == "True"): {
            name: float(row[name]) for name in EDIT_VALUES if row.get(name)
        }
        for row in _rows(path)
        if row["way"] == OURS
    }


def _rows(path: Path) -> list[dict[str, str]]:
    return [row for _, row in read_sheet(read_text(path)).records()]
