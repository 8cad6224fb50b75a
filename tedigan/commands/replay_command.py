"""`tedigan replay PICTURE|SHA256 [JOB]`: draws an image of a bulk job again; without a job, one of the page."""

import argparse
import re
from pathlib import Path

from tedigan.commands.jobs_plan import add_models_argument, opened_models


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The picture, and where its job lies."""
    parser.add_argument(
        "what", help="a picture of a job or of the page, or the sha256 of a job's file or pixels"
    )
    parser.add_argument(
        "job",
        nargs="?",
        help="its job, or the place where jobs are kept if it is a picture; not of a picture of the page",
    )
    add_models_argument(parser)
    parser.add_argument(
        "--steering",
        type=Path,
        metavar="FOLDER",
        help="of --models, if not in it; of the page alone",
    )
    parser.add_argument("--out", type=Path, help="where to write what was drawn")


def run(arguments: argparse.Namespace) -> int:
    """Status 1 where what is drawn, or the picture that is named, differs from what was committed or kept."""
    given = _picture(arguments.what)
    return _of_page(given, arguments) if arguments.job is None else _of_job(given, arguments)


def _of_page(picture: bytes | None, arguments: argparse.Namespace) -> int:
    from tedigan.commands.page_command import given_offer, workspace_offers
    from tedigan.errors import ParamsError
    from tedigan.page.studio import Studio
    from tedigan.store.files import write_bytes

    if picture is None:
        raise ParamsError(
            "a sha256 was given without a job; expected the job that has it. Name one, or a picture that was kept."
        )
    if arguments.models is None:
        offers = workspace_offers(arguments)
    else:
        offers = [given_offer(arguments.models, arguments.steering)]
    found = Studio(offers).redraw(picture)
    print(found.said)
    if arguments.out:
        write_bytes(arguments.out, found.picture)
    return 0 if found.is_same else 1


def _of_job(given: bytes | None, arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.replay import find, image_of, replay
    from tedigan.bulk.worker import Worker
    from tedigan.store.files import write_bytes

    job = _job_of(given, arguments.job)
    workspace, _, models = opened_models(arguments, Ledger(job).plan.release)
    scratch = workspace.work / "bulk"
    worker = Worker(job, models, scratch, workspace.params.runtime.device)
    image = (
        image_of(given, worker.ledger) if given else find(worker.ledger, arguments.what, scratch)
    )
    found = replay(worker, image, given)
    print(
        f"image {image} of job {worker.ledger.name}: {found.row['text']!r}, attempt {found.row['attempt']}"
    )
    print(found.said)
    if arguments.out:
        write_bytes(arguments.out, found.picture)
    return 0 if found.is_same else 1


def _picture(what: str) -> bytes | None:
    """The file that is named; None where it is a sha256."""
    from tedigan.errors import DataError

    path = Path(what)
    if path.is_file():
        return path.read_bytes()
    if not re.fullmatch("[0-9a-f]{64}", what):
        raise DataError(
            f"{what[:80]} is no file and no sha256; expected a picture of a job, or the 64 hexadecimal digits of "
            "one. Mend it."
        )
    return None


def _job_of(picture: bytes | None, address: str) -> str:
    """The job at an address, or the picture's own where it is a place of many."""
    from tedigan.bulk.ledger import PLAN, Ledger
    from tedigan.bulk.replay import named_in
    from tedigan.store.objects import is_name

    if picture is None or Ledger(address).bucket.exists(PLAN):
        return address
    name, _ = named_in(picture)
    return f"{address.rstrip('/')}/{name}" if is_name(name) else address
