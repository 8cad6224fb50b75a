"""`tedigan jobs plan`: prompts, models and perhaps photographs -> a job, and what it will take."""

import argparse
import getpass
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tedigan.errors import ParamsError

if TYPE_CHECKING:
    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.prompt_table import Written
    from tedigan.bulk.prompts import Prompt, Rejected
    from tedigan.workspace import Workspace

SAMPLE_OF_FACES, SAMPLE_OF_EDITS = 256, 32  # images that an estimate draws


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What a plan freezes, and what it is estimated with."""
    add_models_argument(parser).add_argument(
        "--release", help="champion, challenger, a version or the start of a digest: its models"
    )
    parser.add_argument("prompts", help="text, CSV, parquet or a .yaml of quotas; here or s3://")
    parser.add_argument("place", help="where jobs are kept: a folder, or s3://bucket/prefix")
    parser.add_argument(
        "--photographs",
        metavar="PLACE",
        help="edit these by the prompts: a folder, a .tar, a data set's folder, or s3://",
    )
    parser.add_argument(
        "--pictures",
        metavar="PLACE",
        help="sketches, label maps, photographs and styles that the list names: a folder, a .tar or s3://",
    )
    parser.add_argument("--faces-per-prompt", type=int, default=1, metavar="N")
    parser.add_argument("--images-per-shard", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--attempts",
        type=int,
        default=1,
        metavar="N",
        help="at a face with which something is wrong",
    )
    parser.add_argument(
        "--parser", type=Path, metavar="FOLDER", help="mark pictures in which it sees no face"
    )
    parser.add_argument(
        "--training-set",
        type=Path,
        metavar="FOLDER",
        help="mark pictures that are near one of this data set's training photographs",
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each worker")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="to estimate with")
    parser.add_argument("--usd-per-hour", type=float, default=0.0, help="of a worker's machine")
    parser.add_argument(
        "--worker-hours", type=float, metavar="H", help="budget of all workers together"
    )
    parser.add_argument(
        "--sample",
        type=int,
        metavar="N",
        help="images that the estimate draws, rounded up to whole batches",
    )
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--dry-run", action="store_true", help="say what it takes, write nothing")
    either.add_argument("--yes", action="store_true", help="approve it at once, in your own name")
    parser.set_defaults(do=_plan)


def add_models_argument(parser: argparse.ArgumentParser) -> Any:
    """The workspace, and another folder of models in the place of its own; where more such places may be named."""
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    add_workspace_arguments(parser)
    models = parser.add_mutually_exclusive_group()
    models.add_argument(
        "--models",
        type=Path,
        help="without it, those of the plan's release, or else the workspace's",
    )
    return models


def opened_models(arguments: argparse.Namespace, release: str) -> "tuple[Workspace, str, Path]":
    """The workspace, the digest of a release that is named ("" = none), and the folder of the models."""
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.serving.releasing import models_to_draw_with
    from tedigan.workspace import Workspace

    workspace = Workspace.open(
        workspace_folder(arguments), writes_params=arguments.profile is not None
    )
    return workspace, *models_to_draw_with(workspace, arguments.models, release)


def _plan(arguments: argparse.Namespace) -> int:
    make_plan(arguments)
    return 0


def make_plan(arguments: argparse.Namespace) -> "Ledger | None":
    """The job of a list, which it says much about; None where that was all it was to do."""
    import tempfile

    from tedigan.bulk.ledger import Ledger, check_place
    from tedigan.bulk.planning import estimate, plan_job

    _check_numbers(arguments)
    if arguments.photographs and arguments.pictures:
        raise ParamsError(
            "both --photographs and --pictures were given; a job either edits photographs or makes faces of "
            "sources. Name one of them."
        )
    workspace, release, models = opened_models(arguments, arguments.release or "")
    if not arguments.dry_run:
        check_place(arguments.place)
    batch_size, params = _numbers_of(arguments, workspace)
    with tempfile.TemporaryDirectory() as scratch:
        folder, draft = Path(scratch), Path(scratch) / "draft"
        written = _draft(arguments, workspace, draft, folder / "cache")
        plan = plan_job(
            draft,
            models,
            params,
            faces_per_prompt=arguments.faces_per_prompt,
            images_per_shard=arguments.images_per_shard,
            seed=arguments.seed,
            batch_size=batch_size,
            num_threads=arguments.threads,
            attempts=arguments.attempts,
            image_format=workspace.params.generate.image_format,
            photographs=_place_of(arguments.photographs),
            pictures=_place_of(arguments.pictures),
            release=release,
            worker_hours=arguments.worker_hours,
        )
        is_slow = plan.photographs or plan.pictures
        sample = arguments.sample or (SAMPLE_OF_EDITS if is_slow else SAMPLE_OF_FACES)
        taken = estimate(plan, draft, models, folder, workspace.device, sample=sample)
        for line in taken.lines(arguments.workers, arguments.usd_per_hour):
            print(line)
        if written.num_rejected:
            print(
                f"{written.num_rejected:,} rows can be no prompt; quarantine.parquet of the job says why"
            )
        if arguments.dry_run:
            return None
        ledger = Ledger.create(arguments.place, plan, draft)
    print(f"planned: {ledger.address}")
    if arguments.yes:
        approve_job(ledger)
    else:
        print(f"approve it: tedigan jobs approve {ledger.address}")
    return ledger


def approve_job(ledger: "Ledger", *, worker_hours: float | None = None) -> None:
    """Let it run, in the name of who is logged in here, and say so. worker_hours: as for `Ledger.approve`."""
    ledger.approve(getpass.getuser(), worker_hours=worker_hours)
    granted = ledger.budget()
    hours = "no limit of" if granted is None else f"{granted:g}"
    print(f"approved: plan {ledger.plan.digest}, {hours} worker-hours")


def _draft(
    arguments: argparse.Namespace, workspace: "Workspace", draft: Path, cache: Path
) -> "Written":
    """The files that will stand beside the plan."""
    from tedigan.annotators.parser import load_parser
    from tedigan.bulk.album import PHOTOGRAPHS, edits_of, find_photographs
    from tedigan.bulk.checks import PARSER, TRAINING
    from tedigan.bulk.prompt_table import write_prompts
    from tedigan.bulk.prompts import fetch_list
    from tedigan.bulk.quotas import QUOTAS
    from tedigan.bulk.source_artist import sources_of
    from tedigan.captions.grammar_files import GRAMMAR
    from tedigan.dataset.folder import Dataset
    from tedigan.evaluation.training_photographs import write_training_photographs

    rows = _rows(arguments, cache)
    if place := _place_of(arguments.photographs or arguments.pictures):
        cache.mkdir(parents=True, exist_ok=True)
        album = find_photographs(place, cache / PHOTOGRAPHS, cache)
        asked_of = edits_of if arguments.photographs else sources_of
        written = write_prompts(draft, asked_of(rows, album.names))
        (cache / PHOTOGRAPHS).rename(draft / PHOTOGRAPHS)
    else:
        written = write_prompts(draft, rows)
    shutil.copyfile(workspace.grammar, draft / GRAMMAR)
    if arguments.parser:
        load_parser(str(arguments.parser), workspace.device)  # or it is refused, be it `/`
        shutil.copytree(arguments.parser, draft / PARSER)
    if arguments.training_set:
        write_training_photographs(Dataset.open(arguments.training_set), draft / TRAINING)
    if _asks_for_quotas(arguments.prompts):
        shutil.copyfile(fetch_list(arguments.prompts, root=Path.cwd(), cache=cache), draft / QUOTAS)
    return written


def _rows(arguments: argparse.Namespace, cache: Path) -> "Iterator[Prompt | Rejected]":
    """The rows of a list, or what quotas draw."""
    from tedigan.bulk.prompts import Kind, fetch_list, read_prompts
    from tedigan.bulk.quotas import assign, draw_prompts, read_quotas

    prompts, seed = arguments.prompts, arguments.seed
    if not _asks_for_quotas(prompts):
        kind: Kind = (
            "edits" if arguments.photographs else "sources" if arguments.pictures else "faces"
        )
        return read_prompts(prompts, root=Path.cwd(), cache=cache, kind=kind)
    quotas, grammar = read_quotas(fetch_list(prompts, root=Path.cwd(), cache=cache))
    return draw_prompts(assign(quotas, grammar, seed=seed), grammar, seed=seed)


def _numbers_of(
    arguments: argparse.Namespace, workspace: "Workspace"
) -> tuple[int, dict[str, Any]]:
    """Images of a batch, and the params that a plan chooses from: of sources compose's over generate's."""
    params = workspace.params
    section = params.manipulate if arguments.photographs else params.generate
    found = section.model_dump(mode="json")
    if arguments.pictures:
        found |= params.compose.model_dump(mode="json")
    return section.batch_size, found


def _asks_for_quotas(prompts: str) -> bool:
    return prompts.lower().endswith((".yaml", ".yml"))


def _check_numbers(arguments: argparse.Namespace) -> None:
    """Of the estimate; those of the plan are its own to check."""
    sample, workers, usd = arguments.sample, arguments.workers, arguments.usd_per_hour
    if workers < 1 or (sample is not None and sample < 1) or not 0 <= usd < math.inf:
        raise ParamsError(
            f"an estimate with {workers} workers, {usd:g} USD an hour and a sample of {sample} images was asked "
            "for; expected at least one worker and one image, and 0 USD or more. Set them."
        )


def _place_of(photographs: str | None) -> str:
    """As a plan names it: an absolute path, or an s3:// address; "" where there are none."""
    if photographs is None or photographs.startswith("s3://"):
        return photographs or ""
    return str(Path(photographs).resolve())
