"""The command line: `python -m tedigan <stage>` runs one stage of a workspace; dvc.yaml's door.

`COMMANDS` holds what is not a stage. Only the chosen command's module is imported, so help is quick.
"""

import argparse
import importlib
import sys

from tedigan.commands.plain_text import message
from tedigan.commands.workspace_arguments import add_workspace_arguments, workspace_folder
from tedigan.errors import LostRankError, TediganError
from tedigan.extras import advised
from tedigan.stages import STAGES
from tedigan.store.disk_errors import on_disk

# name: (summary, module with `add_arguments(parser)` and `run(arguments) -> int`)
COMMANDS: dict[str, tuple[str, str]] = {
    "code": (
        "write or check code.lock, a digest of each stage's code",
        "tedigan.commands.code_actions",
    ),
    "face": ("faces of a sentence, without a workspace", "tedigan.commands.face_command"),
    "edit": (
        "a photograph edited by a sentence, without a workspace",
        "tedigan.commands.edit_command",
    ),
    "page": (
        "a local page: draw, paint or say a face in the browser",
        "tedigan.commands.page_command",
    ),
    "jobs": (
        "bulk jobs: plan, approve, run, status, list, cancel, resume, seal, verify, redrive, prove, report, "
        "export",
        "tedigan.commands.jobs_actions",
    ),
    "replay": (
        "draw an image of a bulk job or of the page again, and say how near it comes",
        "tedigan.commands.replay_command",
    ),
    "release": (
        "releases: list, show, register, weigh, promote, rollback, verify, mirror, fetch, key",
        "tedigan.commands.release_actions",
    ),
    "compare": (
        "any methods' faces of one list of prompts, judged by one protocol: plan, draw, judge",
        "tedigan.commands.compare_command",
    ),
    "survey": (
        "a page that asks people which method's faces they prefer, and what they said: make, read",
        "tedigan.commands.survey_command",
    ),
    "params": ("write or check a profile's params.yaml", "tedigan.commands.params_actions"),
    "models": (
        "import official weights; list, show, verify, seal models",
        "tedigan.commands.model_actions",
    ),
}

# stage: module with `add_arguments(parser)` for what may be done with its results; each sets `run`
STAGE_ACTIONS = {"dataset": "tedigan.commands.dataset_actions"}


TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: nobody needs to mend anything
INTERRUPTED = 130  # as a shell says it of a program that SIGINT ended


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what a user can mend is one message on stderr and status 1, Ctrl-C status 130.

    A process of a training that was lost is status 75, as the same command goes on."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        with advised(), on_disk("the command"):
            chosen = _parser(given).parse_args(given)
            status: int = chosen.run(chosen)
    except TediganError as error:
        print(f"error: {message(str(error))}", file=sys.stderr)
        return TRY_AGAIN if isinstance(error, LostRankError) else 1
    except KeyboardInterrupt:
        print("interrupted; what is finished is kept, the same command goes on", file=sys.stderr)
        return INTERRUPTED
    return status


def _parser(given: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tedigan", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for stage in STAGES.values():
        one = commands.add_parser(stage.name, help=stage.summary, description=stage.summary)
        add_workspace_arguments(one)
        one.set_defaults(run=_run_stage, stage=stage.name)
        if stage.name in STAGE_ACTIONS and given[:1] == [stage.name]:
            importlib.import_module(STAGE_ACTIONS[stage.name]).add_arguments(one)
    for name, (summary, module) in COMMANDS.items():
        one = commands.add_parser(name, help=summary, description=summary)
        if given[:1] == [name]:
            command = importlib.import_module(module)
            command.add_arguments(one)
            one.set_defaults(run=command.run)
    return parser


def _run_stage(arguments: argparse.Namespace) -> int:
    from tedigan import in_ranks
    from tedigan.stages import check_code, run_stage
    from tedigan.turns import turn
    from tedigan.workspace import Workspace

    is_by_hand = arguments.profile is not None  # `dvc repro` has read params.yaml already
    workspace = Workspace.open(workspace_folder(arguments), writes_params=is_by_hand)
    check_code(workspace, [arguments.stage])  # before anything is left there
    with in_ranks.joined(arguments.stage, workspace):
        if not in_ranks.has_the_record():
            in_ranks.take_part(arguments.stage, workspace)
            return 0
        within_s = in_ranks.patience_s()
        with turn(workspace.turn, f"the stage {arguments.stage}", within_s=within_s):
            finished = run_stage(arguments.stage, workspace)
    for name, value in sorted(finished.outcome.metrics.items()):
        print(f"{name} = {value:.6g}")
    print(f"{arguments.stage}: finished; run record {finished.record}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
