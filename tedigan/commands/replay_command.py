"""`tedigan replay PICTURE|SHA256 --jobs PLACE`: draws an image of a bulk job again."""

import argparse
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
    """Status 1 where the picture differs."""
    from tedigan.bulk.ledger import PLAN, Ledger
    from tedigan.bulk.replay import find, named_in, replay
    from tedigan.bulk.worker import Worker
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.store.files import write_bytes
    from tedigan.workspace import Workspace

    workspace = Workspace.open(
        workspace_folder(arguments), writes_params=arguments.profile is not None
    )
    scratch, path = workspace.work / "bulk", Path(arguments.what)
    job, image = arguments.job, None
    if path.is_file():
        name, image = named_in(path.read_bytes())
        if not Ledger(job).bucket.exists(PLAN):
            job = f"{job.rstrip('/')}/{name}"
    models = arguments.models or workspace.models
    worker = Worker(job, models, scratch, workspace.params.runtime.device)
    if image is None:
        image = find(worker.ledger, arguments.what, scratch)
    found = replay(worker, image)
    print(
        f"image {image} of job {worker.ledger.name}: {found.row['text']!r}, attempt {found.row['attempt']}"
    )
    print(found.said)
    if arguments.out:
        write_bytes(arguments.out, found.picture)
    return 0 if found.is_same else 1
