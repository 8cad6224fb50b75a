"""`tedigan params write | check`: the whole params.yaml of a profile, which is an overlay."""

import argparse
from pathlib import Path

from tedigan.overlay import PARAMS, check_overlay, check_written, read_sections


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in {
        "write": "write the params.yaml that overlay.yaml makes of the checkout's, and link dvc.yaml",
        "check": "is params.yaml what overlay.yaml makes of the checkout's?",
    }.items():
        one = actions.add_parser(action, help=what)
        one.add_argument("folder", type=Path, nargs="?", default=Path(), help="without it, this")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; a folder without an overlay is as it should be, if it has a params.yaml."""
    if arguments.action == "write":
        from tedigan.params import write_params  # brings torch, which a check does without

        check_overlay(arguments.folder)
        write_params(arguments.folder)
    check_written(arguments.folder)
    read_sections(arguments.folder / PARAMS)
    return 0
