"""Where a command works: `--workspace` or `--profile`."""

import argparse
from pathlib import Path

from tedigan.errors import ParamsError


def add_workspace_arguments(parser: argparse.ArgumentParser) -> None:
    """`--workspace DIR` or `--profile NAME`; without either, the current folder."""
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--workspace", type=Path, default=Path(), metavar="DIR", help="folder with a params.yaml"
    )
    place.add_argument("--profile", metavar="NAME", help="a folder of infra/profiles")


def workspace_folder(arguments: argparse.Namespace) -> Path:
    """The folder that the arguments of `add_workspace_arguments` name."""
    if arguments.profile is None:
        return Path(arguments.workspace)
    profiles = Path(__file__).resolve().parents[2] / "infra" / "profiles"
    known = sorted(path.parent.name for path in profiles.glob("*/overlay.yaml"))
    if arguments.profile not in known:
        raise ParamsError(
            f"no profile {arguments.profile!r}; infra/profiles has: {', '.join(known)}."
        )
    return profiles / str(arguments.profile)
