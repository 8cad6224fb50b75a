"""`tedigan jobs plan|approve|run|status|resume|cancel|seal|verify|prove|check`: bulk jobs; `jobs_pages` has
export and report.
"""

import argparse
import getpass
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tedigan.bulk.prompts import Prompt, Rejected
    from tedigan.workspace import Workspace

SAMPLE = 256  # images that an estimate draws


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with its own `run`."""
    from tedigan.commands import jobs_pages

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_plan(
        actions.add_parser("plan", help="prompts and models -> a job; says what it will take")
    )
    for name, help, action in (
        ("approve", "say that a plan may run", _approve),
        ("status", "how far a job is", _status),
        ("cancel", "begin no further shard", _cancel),
        ("seal", "one root over all images of a finished job", _seal),
        ("verify", "read every shard again; status 1 if anything is wrong", _verify),
    ):
        one = actions.add_parser(name, help=help)
        one.add_argument("job", help="its folder, or s3://bucket/prefix/job")
        one.set_defaults(do=action)
    for name, help in (
        ("run", "draw what is not committed"),
        ("resume", "the same, after a cancellation"),
    ):
        one = actions.add_parser(name, help=help)
        one.add_argument("job")
        _add_models(one)
        one.add_argument("--workers", type=int, default=1, metavar="N")
        one.add_argument(
            "--max-hours", type=float, metavar="H", help="begin no shard after so long"
        )
        one.set_defaults(do=_run, is_resumed=name == "resume")
    one = actions.add_parser("prove", help="a proof that a picture belongs to a job")
    one.add_argument("job")
    one.add_argument("picture", type=Path)
    one.set_defaults(do=_prove)
    one = actions.add_parser("check", help="a proof against a root, without the job")
    one.add_argument("picture", type=Path)
    one.add_argument("proof", type=Path)
    one.add_argument("root", help="of the sealed job")
    one.set_defaults(do=_check)
    jobs_pages.add_actions(actions)


def run(arguments: argparse.Namespace) -> int:
    """What the chosen action does."""
    status: int = arguments.do(arguments)
    return status


def _add_models(parser: argparse.ArgumentParser) -> None:
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    add_workspace_arguments(parser)
    parser.add_argument("--models", type=Path, help="without it, the workspace's")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    _add_models(parser)
    parser.add_argument("prompts", help="text, CSV, parquet or a .yaml of quotas; here or s3://")
    parser.add_argument("place", help="where jobs are kept: a folder, or s3://bucket/prefix")
    parser.add_argument("--faces-per-prompt", type=int, default=1, metavar="N")
    parser.add_argument("--images-per-shard", type=int, default=1000, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--attempts", type=int, default=1, metavar="N", help="at a face that lacks something"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each worker")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="to estimate with")
    parser.add_argument("--usd-per-hour", type=float, default=0.0, help="of a worker's machine")
    parser.add_argument("--dry-run", action="store_true", help="say what it takes, write nothing")
    parser.set_defaults(do=_plan)


def _plan(arguments: argparse.Namespace) -> int:
    import tempfile

    from tedigan.bulk.planning import estimate, plan_faces, save_plan
    from tedigan.bulk.prompts import write_prompts

    workspace, models = _models(arguments)
    generate = workspace.params.generate
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rows = _rows(arguments.prompts, folder / "cache", seed=arguments.seed)
        written = write_prompts(folder / "list", rows)
        plan = plan_faces(
            folder / "list",
            workspace.grammar,
            models,
            generate.model_dump(mode="json"),
            faces_per_prompt=arguments.faces_per_prompt,
            images_per_shard=arguments.images_per_shard,
            seed=arguments.seed,
            batch_size=generate.batch_size,
            num_threads=arguments.threads,
            attempts=arguments.attempts,
            image_format=generate.image_format,
        )
        sample = estimate(
            plan,
            folder / "list",
            workspace.grammar,
            models,
            folder,
            workspace.device,
            sample=SAMPLE,
        )
        for line in sample.lines(arguments.workers, arguments.usd_per_hour):
            print(line)
        if written.num_rejected:
            print(
                f"{written.num_rejected:,} rows can be no prompt; quarantine.parquet of the job says why"
            )
        if arguments.dry_run:
            return 0
        quotas = Path(arguments.prompts) if _are_quotas(arguments.prompts) else None
        ledger = save_plan(arguments.place, plan, folder / "list", workspace.grammar, quotas=quotas)
    print(f"planned: {ledger.address}\napprove it: tedigan jobs approve {ledger.address}")
    return 0


def _rows(prompts: str, cache: Path, *, seed: int) -> "Iterator[Prompt | Rejected]":
    """The rows of a list, or what quotas draw."""
    from tedigan.bulk.prompts import read_prompts
    from tedigan.bulk.quotas import assign, draw_prompts, read_quotas

    if not _are_quotas(prompts):
        return read_prompts(prompts, root=Path.cwd(), cache=cache)
    quotas, grammar = read_quotas(Path(prompts))
    return draw_prompts(assign(quotas, grammar, seed=seed), grammar, seed=seed)


def _are_quotas(prompts: str) -> bool:
    return prompts.endswith((".yaml", ".yml"))


def _models(arguments: argparse.Namespace) -> "tuple[Workspace, Path]":
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.workspace import Workspace

    workspace = Workspace.open(
        workspace_folder(arguments), writes_params=arguments.profile is not None
    )
    return workspace, arguments.models or workspace.models


def _approve(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger

    ledger = Ledger(arguments.job)
    ledger.approve(getpass.getuser())
    print(f"approved: plan {ledger.plan.digest}")
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.engines import run_local
    from tedigan.bulk.running import run_job
    from tedigan.bulk.worker import Worker

    workspace, models = _models(arguments)
    worker = Worker(arguments.job, models, workspace.work / "bulk", workspace.params.runtime.device)
    if arguments.is_resumed:
        worker.ledger.resume()
    left = run_job(worker, run_local, arguments.workers, max_hours=arguments.max_hours)
    print(
        f"{worker.ledger.plan.num_shards - left:,} of {worker.ledger.plan.num_shards:,} shards are committed"
    )
    return 0 if not left else 3


def _status(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import SEALED, Ledger

    ledger = Ledger(arguments.job)
    plan, done = ledger.plan, len(ledger.committed())
    print(f"job {plan.name}: {plan.num_images:,} images of {plan.num_prompts:,} prompts")
    print(f"committed: {done:,} of {plan.num_shards:,} shards ({done / plan.num_shards:.1%})")
    print(f"conflicts: {len(ledger.conflicts())}")
    state = (
        "cancelled" if ledger.is_cancelled else "sealed" if ledger.bucket.exists(SEALED) else "open"
    )
    print(f"state: {state}")
    return 0


def _cancel(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger

    Ledger(arguments.job).cancel(getpass.getuser())
    print("cancelled: workers end with the shard that they are at; `tedigan jobs resume` goes on")
    return 0


def _seal(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.seal import seal

    manifest = seal(Ledger(arguments.job))
    print(
        f"sealed: {manifest['num_images']:,} images, {manifest['num_marked']:,} marked\nroot: {manifest['root']}"
    )
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    import tempfile

    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.seal import verify

    with tempfile.TemporaryDirectory() as cache:
        verdict = verify(Ledger(arguments.job), Path(cache))
    for problem in verdict.problems:
        print(problem)
    print(
        f"{verdict.num_images:,} images, root {verdict.root}; wrong: {len(verdict.problems) or 'nothing'}"
    )
    return 1 if verdict.problems else 0


def _prove(arguments: argparse.Namespace) -> int:
    import tempfile

    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.replay import named_in
    from tedigan.bulk.seal import prove

    _, image = named_in(arguments.picture.read_bytes())
    with tempfile.TemporaryDirectory() as cache:
        print(json.dumps(prove(Ledger(arguments.job), image, Path(cache)), indent=1))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.seal import check_proof

    digest = hashlib.sha256(arguments.picture.read_bytes()).hexdigest()
    wrong = check_proof(json.loads(arguments.proof.read_text()), digest, arguments.root)
    print(wrong or "the picture belongs to the job with this root")
    return 1 if wrong else 0
