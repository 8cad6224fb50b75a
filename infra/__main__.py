"""`python -m infra up | status | down | doctor | run -- COMMAND`: the platform on this machine."""

import argparse
import subprocess
import sys

from infra.doctor import examine
from infra.machine import Machine
from tedigan.errors import TediganError


def main() -> int:
    """The exit status: of `status` and `doctor` 1 where something is wrong."""
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
    given, machine = parser.parse_args(), Machine()
    try:
        if given.action == "run":
            command = given.command[1:] if given.command[:1] == ["--"] else given.command
            return subprocess.run(command, env=machine.environment, check=False).returncode  # noqa: S603
        if given.action == "doctor":
            return _tell(examine(machine))
        if given.action == "down":
            machine.down()
            return 0
        if given.action == "up":
            machine.up()
        return _status(machine)
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


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
