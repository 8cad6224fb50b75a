"""`tedigan jobs export|report`: what is made of a job for others to read."""

import argparse
from pathlib import Path
from typing import Any


def add_actions(actions: Any) -> None:
    """The two sub-commands."""
    one = actions.add_parser("export", help="a file an image, for programs that read no shards")
    one.add_argument("job", help="its folder, or s3://bucket/prefix/job")
    one.add_argument("target", type=Path, help="where to write; must not exist")
    one.add_argument("--layout", choices=("pictures", "mm-celeba-hq"), default="pictures")
    one.add_argument("--only-unmarked", action="store_true", help="leave out what is marked")
    one.add_argument("--partial", action="store_true", help="what an unfinished job has")
    one.set_defaults(do=_export)
    one = actions.add_parser("report", help="a page about a sealed job")
    one.add_argument("job")
    one.add_argument("page", type=Path, help="an .html, or a folder for one of the job's name")
    one.set_defaults(do=_report)


def _export(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.job_export import export
    from tedigan.bulk.ledger import Ledger

    count = export(
        Ledger(arguments.job),
        arguments.target,
        layout=arguments.layout,
        only_unmarked=arguments.only_unmarked,
        is_partial=arguments.partial,
    )
    print(f"exported: {count:,} images to {arguments.target}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.job_report import job_report
    from tedigan.bulk.ledger import Ledger
    from tedigan.store.files import write_text

    ledger, page = Ledger(arguments.job), arguments.page
    page = page if page.suffix == ".html" else page / f"{ledger.name}.html"
    write_text(page, job_report(ledger))
    print(f"report: {page}")
    return 0
