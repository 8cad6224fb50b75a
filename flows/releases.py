"""What becomes of a trained workspace: a challenger, and perhaps the champion; see docs/operations.md.

The deployments are in infra/prefect.yaml. Keys and places come from the worker's environment (TEDIGAN_RELEASES,
TEDIGAN_POLICY, TEDIGAN_SIGNING_KEY).
"""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow_with_options
from tasks.ending import BEGINNING
from tasks.promotion import (
    CHALLENGER,
    ask_for_approval,
    make_champion,
    open_releases,
    register_release,
    roll_back_champion,
    weigh_release,
)


@flow(name="register", **BEGINNING)
def register(workspace: Path = Path()) -> int:
    """What the workspace's lifecycle made becomes the challenger; its version."""
    return register_release(open_releases(workspace))


@flow(name="promote", **BEGINNING)
def promote(workspace: Path = Path(), release: str = CHALLENGER) -> bool:
    """A release becomes champion if the policy lets it, and a person where it asks for one; whether it did."""
    releases = open_releases(workspace)
    weighed = weigh_release(releases, release)
    by = ask_for_approval(releases, weighed)
    return make_champion(releases, weighed, by)


@flow(name="rollback", **BEGINNING)
def rollback(workspace: Path = Path(), by: str | None = None) -> None:
    """The champion before this one is champion again."""
    roll_back_champion(open_releases(workspace), by)


if __name__ == "__main__":
    raise SystemExit(run_flow_with_options(promote, register, rollback))
