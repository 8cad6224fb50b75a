"""What `python -m flows.<module> [FLOW]` does: find the workspace, run, end with an exit status."""

import argparse
import inspect
import sys
from collections.abc import Callable
from typing import Any

from prefect.exceptions import ParameterTypeError

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
    flow = flows[getattr(chosen, "flow", default.name)]
    return _status_of(lambda: flow(workspace_folder(chosen).resolve()))


def run_flow_with_options(*flows: Any, arguments: list[str] | None = None) -> int:
    """Run the named flow with its own parameters: those without a default by their place, the rest as options.

    Prefect makes of each text what the parameter is; what cannot be one is said as argparse says it.
    """
    parser = argparse.ArgumentParser()
    names = parser.add_subparsers(dest="flow", metavar="FLOW", required=True)
    for flow in flows:
        one = names.add_parser(flow.name, help=flow.description, description=flow.description)
        for parameter in inspect.signature(flow.fn).parameters.values():
            is_optional = parameter.default is not parameter.empty
            name = parameter.name
            one.add_argument(
                f"--{name.replace('_', '-')}" if is_optional else name, default=argparse.SUPPRESS
            )
    chosen = vars(parser.parse_args(arguments))
    flow = {one.name: one for one in flows}[chosen.pop("flow")]
    try:
        flow.validate_parameters(chosen)
    except ParameterTypeError as error:
        parser.error(str(error))
    return _status_of(lambda: flow(**chosen))


def _status_of(run: Callable[[], Any]) -> int:
    try:
        with advised():
            run()
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0
