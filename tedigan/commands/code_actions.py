"""`tedigan code lock | check | show`: the digests in code.lock, and what each is over."""

import argparse
from pathlib import Path

from tedigan import code_lock
from tedigan.stages import STAGES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in {
        "lock": "write the digests of the code that runs here",
        "check": "are the digests those of the code that runs here?",
    }.items():
        one = actions.add_parser(action, help=what)
        one.add_argument(
            "file", type=Path, nargs="?", default=code_lock.LOCK, help="without it, the checkout's"
        )
    one = actions.add_parser("show", help="the modules and files that a stage's digest is over")
    one.add_argument("stage", choices=STAGES)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; a code.lock that is stale is a CodeLockError."""
    if arguments.action == "lock":
        code_lock.write_lock(arguments.file, STAGES)
    elif arguments.action == "check":
        code_lock.check_lock(arguments.file, STAGES)
    else:
        print("\n".join(sorted(code_lock.code_of(f"tedigan.stages.{arguments.stage}"))))
    return 0
