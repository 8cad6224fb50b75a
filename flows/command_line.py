"""What `python -m flows.<module> [FLOW]` does: find the workspace, run, end with an exit status."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tedigan.commands.workspace_arguments import add_workspace_arguments, workspace_folder
from tedigan.errors import TediganError
from tedigan.extras import advised


def run_flow(default: Any, *others: Any, arguments: list[str] | None = None) -> int:
    """Run the named flow, or the first; 0, or 1 with the one message of what a user can mend."""
    flows = {flow.name: flow for flow in (default, *others)}
    parser = argparse.ArgumentParser(prog=f"flows.{default.name}", description=default.description)
    if others:
        names = "; ".join(f"{name}: {flow.description}" for name, flow in flows.items())
        parser.add_argument("flow", nargs="?", choices=flows, default=default.name, help=names)
    add_workspace_arguments(parser)
    chosen = parser.parse_args(arguments)
    try:
        folder: Path = workspace_folder(chosen)
        with advised():
            flows[getattr(chosen, "flow", default.name)](folder.resolve())
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
