"""What `python -m flows.<name>` does for every flow: find the workspace, run, end with an exit status."""

import argparse
import sys
from pathlib import Path
from typing import Any

from tedigan.__main__ import add_workspace_arguments, workspace_folder
from tedigan.errors import TediganError
from tedigan.extras import advised


def run_flow(flow: Any, arguments: list[str] | None = None) -> int:
    """0, or 1 with the one message of what a user can mend."""
    parser = argparse.ArgumentParser(prog=f"flows.{flow.name}", description=flow.description)
    add_workspace_arguments(parser)
    try:
        folder: Path = workspace_folder(parser.parse_args(arguments))
        with advised():
            flow(folder.resolve())
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
