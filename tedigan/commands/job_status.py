"""`tedigan jobs status|list`: how far a job is, once or until it is finished, and which jobs there are."""

import argparse
import json
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tedigan.bulk.status import Status, Watch

REDRAW_S = 5.0
MAX_WORKERS = 50  # of the table, where it is not a terminal's height that limits it
_ABOVE = 10  # lines above the table's rows, and the one below
_CLEAR = "\x1b[H\x1b[J"


def add_status(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("job", help="its folder, or s3://bucket/prefix/job")
    parser.add_argument(
        "--watch",
        type=float,
        nargs="?",
        const=REDRAW_S,
        metavar="SECONDS",
        help=f"again every so often ({REDRAW_S:g}) until no shard is left",
    )
    parser.add_argument("--json", action="store_true", help="for machines, an object a line")
    parser.set_defaults(do=_status)


def add_list(parser: argparse.ArgumentParser) -> None:
    """Its argument."""
    parser.add_argument("place", help="where jobs are kept: a folder, or s3://bucket/prefix")
    parser.set_defaults(do=_list)


def _list(arguments: argparse.Namespace) -> int:
    """Every job of a place; one that cannot be read is said on stderr, and the status is 1."""
    from tedigan.bulk.job_list import brief_of, jobs_of, lines_of
    from tedigan.errors import DataError

    briefs, num_wrong = [], 0
    for ledger in jobs_of(arguments.place):
        try:
            briefs.append(brief_of(ledger))
        except DataError as error:
            num_wrong += 1
            print(f"error: {error}", file=sys.stderr)
    if briefs:
        print("\n".join(lines_of(briefs)))
    elif not num_wrong:
        print(
            f"{arguments.place} holds no job; `tedigan jobs plan PROMPTS {arguments.place}` makes one"
        )
    return 1 if num_wrong else 0


def _status(arguments: argparse.Namespace) -> int:
    from tedigan.bulk.ledger import Ledger
    from tedigan.bulk.status import Watch

    watch = Watch(Ledger(arguments.job))
    if arguments.watch is None:
        _show(watch.look(), is_json=arguments.json)
        return 0
    try:
        while not _shown(watch, is_json=arguments.json):
            time.sleep(max(0.1, arguments.watch))
    except KeyboardInterrupt:  # how a watch is left
        pass
    return 0


def _shown(watch: "Watch", *, is_json: bool) -> bool:
    """Whether nothing is left to watch; a store that does not answer now may later."""
    from tedigan.errors import StoreError

    try:
        status = watch.look()
    except StoreError as error:
        if not error.may_pass:
            raise
        print(f"{error} Looks again.", file=sys.stderr)
        return False
    if sys.stdout.isatty() and not is_json:
        print(_CLEAR, end="")
    _show(status, is_json=is_json)
    return status.is_finished


def _show(status: "Status", *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(status.to_json(), sort_keys=True), flush=True)
        return
    rows = shutil.get_terminal_size().lines - _ABOVE if sys.stdout.isatty() else MAX_WORKERS
    print("\n".join(status.lines(max(3, rows))), flush=True)
