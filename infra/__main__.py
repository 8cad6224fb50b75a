"""The platform on this machine: `python -m infra ACTION`."""

import argparse
import subprocess
import sys
from pathlib import Path

from infra import backup
from infra.doctor import examine
from infra.machine import Machine
from infra.retention import read_retention
from infra.tidy import tidy
from tedigan.errors import TediganError


def main() -> int:
    """The exit status: of `status` and `doctor` 1 where something is wrong."""
    given, machine = _parser().parse_args(), Machine()
    try:
        return _do(given, machine)
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra", description=(__doc__ or "").strip())
    actions = parser.add_subparsers(dest="action", required=True)
    for name, help in (
        (
            "up",
            "start S3, PostgreSQL, Prefect, MLflow and a worker, and deploy; again: what is missing",
        ),
        ("status", "what runs, and where its page is"),
        ("down", "stop all of it; what it keeps is kept"),
        ("doctor", "what is wrong, and what to do"),
    ):
        actions.add_parser(name, help=help)
    run = actions.add_parser("run", help="a command that finds the platform: `run -- COMMAND`")
    run.add_argument("command", nargs=argparse.REMAINDER)
    for name, help in (
        ("backup", "databases and bucket into a folder on another disk"),
        ("restore", "and back; the newest backup, or that of --name"),
    ):
        one = actions.add_parser(name, help=help)
        one.add_argument("folder", type=Path)
        one.add_argument(
            "--with-key", action="store_true", help="the key that signs promotions too"
        )
        if name == "restore":
            one.add_argument("--name", help="such as 20261126T203000Z")
    one = actions.add_parser("tidy", help="what infra/retention.yaml gives up")
    one.add_argument("--yes", action="store_true", help="remove it")
    return parser


def _do(given: argparse.Namespace, machine: Machine) -> int:
    if given.action == "run":
        command = given.command[1:] if given.command[:1] == ["--"] else given.command
        return subprocess.run(command, env=machine.environment, check=False).returncode  # noqa: S603
    if given.action == "doctor":
        return _tell(examine(machine))
    if given.action in ("backup", "restore", "tidy"):
        print(_keep(given, machine))
        return 0
    if given.action == "down":
        machine.down()
        return 0
    if given.action == "up":
        machine.up()
    return _status(machine)


def _keep(given: argparse.Namespace, machine: Machine) -> str:
    """What was backed up, restored, or is given up."""
    if given.action == "backup":
        return backup.back_up(machine, given.folder, with_key=given.with_key)
    if given.action == "restore":
        return backup.restore(machine, given.folder, given.name, with_key=given.with_key)
    lines = tidy(machine, read_retention(), is_meant=given.yes)
    return "\n".join(
        [*lines, "removed" if given.yes else "`python -m infra tidy --yes` removes it"]
    )


def _status(machine: Machine) -> int:
    states, ports, answers = machine.states(), machine.ports, machine.answers()
    for name, state in states.items():
        place = f"http://127.0.0.1:{ports[name]}" if name in ports else ""
        print(f"{name:<10}{state:<10}{place}")
    if not states:
        print("nothing runs; `python -m infra up` starts it")
    return 0 if states and all(answers.values()) else 1


def _tell(findings: list[str]) -> int:
    print("\n".join(findings) or "nothing is wrong")
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
