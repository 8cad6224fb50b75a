"""`tedigan replay PICTURE|SHA256 JOB`: draws an image of a bulk job again."""

import argparse
import re
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The picture, and where its job lies."""
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    parser.add_argument("what", help="a picture of a job, or the sha256 of its file or pixels")
    parser.add_argument("job", help="its job, or the place where jobs are kept if it is a picture")
    add_workspace_arguments(parser)
    parser.add_argument("--models", type=Path, help="without it, the workspace's")
    parser.add_argument("--out", type=Path, help="where to write what was drawn")


def run(arguments: argparse.Namespace) -> int:
    """Status 1 where what is drawn, or the picture that is named, differs from what was committed."""
    from tedigan.bulk.replay import find, image_of, replay
    from tedigan.bulk.worker import Worker
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.store.files import write_bytes
    from tedigan.workspace import Workspace

    workspace = Workspace.open(
        workspace_folder(arguments), writes_params=arguments.profile is not None
    )
    scratch, given = workspace.work / "bulk", _picture(arguments.what)
    models = arguments.models or workspace.models
    worker = Worker(_job_of(given, arguments.job), models, scratch, workspace.params.runtime.device)
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
