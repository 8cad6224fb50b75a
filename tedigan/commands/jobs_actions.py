"""`tedigan jobs`: bulk jobs. `jobs_plan` has plan; `job_status` status, list; `jobs_pages` export, report."""

import argparse
import getpass
import hashlib
import json
from pathlib import Path

from tedigan.commands import jobs_plan
from tedigan.commands.job_status import add_list, add_status
from tedigan.commands.jobs_plan import add_models_argument, approve_job, opened_models

SHARDS_LEFT, SOME_FAILED = 3, 4  # exit codes (docs/bulk.md)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with its own `run`."""
    from tedigan.commands import jobs_pages

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    jobs_plan.add_arguments(
        actions.add_parser("plan", help="prompts and models -> a job; says what it will take")
    )
    _add_approve(actions.add_parser("approve", help="say that a plan may run"))
    add_status(actions.add_parser("status", help="how far a job is, and who draws it"))
    add_list(actions.add_parser("list", help="the jobs of a place, a line each"))
    for name, help, action in (
        ("cancel", "begin no further shard", _cancel),
        ("seal", "one root over all images of a finished job", _seal),
        ("verify", "read every shard again; status 1 if anything is wrong", _verify),
    ):
        one = actions.add_parser(name, help=help)
        one.add_argument("job", help="its folder, or s3://bucket/prefix/job")
        one.set_defaults(do=action)
    for name, help in (
        ("run", "draw what is not committed; status 3 if a budget or a cancellation leaves some"),
        ("resume", "the same, after a cancellation"),
    ):
        one = actions.add_parser(name, help=help)
        one.add_argument("job")
        add_models_argument(one)
        one.add_argument("--photographs", metavar="PLACE", help="where they lie here")
        one.add_argument("--workers", type=int, default=1, metavar="N")
        one.add_argument(
            "--engine", default="local", help="who runs them: local, ray, prefect, or a package's"
        )
        one.add_argument(
            "--max-hours", type=float, metavar="H", help="begin no shard after so long"
        )
        one.set_defaults(do=_run, is_resumed=name == "resume")
    one = actions.add_parser("redrive", help="what could not be drawn -> a CSV to plan again")
    one.add_argument("job")
    one.add_argument("list", type=Path, metavar="OUT.csv")
    one.add_argument("--marked", action="store_true", help="also what is marked")
    one.set_defaults(do=_redrive)
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
    """What the chosen action does: 0 = done, 3 = shards are left."""
    status: int = arguments.do(arguments)
    return status


def _add_approve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", help="its folder, or s3://bucket/prefix/job")
    parser.add_argument(
        "--worker-hours",
        type=float,
        metavar="H",
        help="of all workers together, in all; approve again to grant more",
    )
    parser.set_defaults(do=_approve)


def _approve(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger

    approve_job(Ledger(arguments.job), worker_hours=arguments.worker_hours)
    return 0


def _run(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.engines import open_engine
    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.running import run_job, why_left
    from tedigan.bulk.worker import Worker

    workspace, _, models = opened_models(arguments, Ledger(arguments.job).plan.release)
    worker = Worker(
        arguments.job,
        models,
        workspace.work / "bulk",
        workspace.params.runtime.device,
        photographs=arguments.photographs,
    )
    if arguments.is_resumed:
        worker.ledger.resume()
    engine = open_engine(arguments.engine)
    left = run_job(worker, engine, arguments.workers, max_hours=arguments.max_hours)
    print(
        f"{worker.ledger.plan.num_shards - left:,} of {worker.ledger.plan.num_shards:,} shards are committed"
    )
    if left:
        print(f"{left:,} are left: {why_left(worker.ledger)}")
        return SHARDS_LEFT
    failed = sum(commit.num_failed for commit in worker.ledger.commits())
    if failed:
        print(
            f"{failed:,} images could not be drawn; `tedigan jobs redrive {arguments.job} OUT.csv` lists them and "
            "says why"
        )
    return SOME_FAILED if failed else 0


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


def _redrive(arguments: argparse.Namespace) -> int:
    import tempfile

    from tedigan.bulk.redrive import write_redrive
    from tedigan.bulk.worker import Worker

    with tempfile.TemporaryDirectory() as scratch:
        worker = Worker(arguments.job, Path(), Path(scratch))
        count = write_redrive(worker, arguments.list, marked=arguments.marked)
    print(f"{count:,} images: {arguments.list}; mend their cause, then `tedigan jobs plan` it")
    return 0


def _prove(arguments: argparse.Namespace) -> int:
    import tempfile

    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.seal import prove_picture

    picture = arguments.picture.read_bytes()
    with tempfile.TemporaryDirectory() as cache:
        print(json.dumps(prove_picture(Ledger(arguments.job), picture, Path(cache)), indent=1))
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.seal import check_proof

    digest = hashlib.sha256(arguments.picture.read_bytes()).hexdigest()
    wrong = check_proof(arguments.proof.read_bytes(), digest, arguments.root)
    print(wrong or "the picture belongs to the job with this root")
    return 1 if wrong else 0
