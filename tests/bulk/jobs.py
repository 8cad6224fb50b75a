"""Small jobs of untrained models, which draw a face in a millisecond."""

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tedigan.bulk.draw import Painter
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.open_painter import open_painter
from tedigan.bulk.plan import Plan
from tedigan.bulk.planning import plan_job
from tedigan.bulk.prompt_table import Asked, write_prompts
from tedigan.bulk.replay import rows_of
from tedigan.bulk.worker import Worker
from tedigan.captions.grammar_files import GRAMMAR
from tedigan.tensors import to_images
from tedigan.workspace import Workspace

TEXTS = ["She is young.", "The man has a beard.", "He is smiling.", "This person."]


def planned(
    workspace: Workspace, folder: Path, texts: list[str] = TEXTS, **values: Any
) -> tuple[Plan, Path]:
    """A plan, and its draft."""
    write_prompts(folder, map(Asked, texts))
    shutil.copyfile(workspace.grammar, folder / GRAMMAR)
    params = workspace.params.generate.model_dump(mode="json") | {"num_search_steps": 2}
    numbers = {
        "faces_per_prompt": 5,
        "images_per_shard": 4,
        "seed": 1,
        "batch_size": 4,
        "num_threads": 1,
        "attempts": 1,
        "image_format": "png",
    }
    return plan_job(folder, workspace.models, params, **numbers | values), folder


_OPENED: dict[tuple[Path, int], Painter] = {}


def _opened(workspace: Workspace, batch_size: int) -> Painter:
    """Networks are opened once; what they draw does not depend on the sizes of a plan."""
    key = (workspace.models, batch_size)
    if key not in _OPENED:
        _OPENED[key] = _open(workspace, batch_size)
    return _OPENED[key]


def _open(workspace: Workspace, batch_size: int) -> Painter:
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "draft"
        plan, _ = planned(workspace, draft, batch_size=batch_size)
        device = torch.device("cpu")
        painter = open_painter(plan, workspace.models, draft.joinpath, device, cache=draft)
    assert painter.guide is not None
    batch = painter.artist.batch([0, 1, 2, 3], [Asked("Nothing.")] * 4, seed=0)
    usual = painter.guide.look(to_images(batch.pixels)).median(dim=0).values
    guide = replace(painter.guide, thresholds=painter.guide.thresholds + usual)  # sees it in half
    return replace(painter, guide=guide)


def job(workspace: Workspace, place: Path | str, scratch: Path, **values: Any) -> Worker:
    """An approved job below `place`, and a worker for it that need not open its networks."""
    plan, draft = planned(workspace, scratch / "draft", **values)
    ledger = Ledger.create(str(place), plan, draft)
    ledger.approve("tests")
    worker = Worker(ledger.address, workspace.models, scratch / "scratch", "cpu")
    vars(worker)["painter"] = replace(_opened(workspace, plan.batch_size), plan=plan)
    return worker


def finished(worker: Worker, shards: Sequence[int] | None = None) -> Worker:
    """With these shards, or all that is left, drawn here."""
    list(worker.work(worker.ledger.remaining() if shards is None else shards))
    return worker


def pixels_of(worker: Worker) -> dict[int, str]:
    """Image -> digest of its pixels."""
    rows = rows_of(worker.ledger, worker.scratch)
    return {row["image"]: row["pixels_sha256"] for row in rows}
