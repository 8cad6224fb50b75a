"""`tedigan compare`: any methods' pictures of one list of prompts, judged by one protocol. docs/comparison.md."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.errors import ParamsError

if TYPE_CHECKING:
    from tedigan.comparison.court import Places
    from tedigan.training_sections import TrainRivals
    from tedigan.workspace import Workspace

PROTOCOL, PROMPTS = "protocol.json", "prompts.csv"
SECTION = "train_rivals"  # of params.yaml, which says what is not given here
PLANS_SEED = 1
_LENGTHS = {
    "encoder_steps": "steps of the encoders that the rivals share",
    "encoder_batch": "photographs a step of theirs",
    "steps": "steps of each rival",
    "batch_size": "photographs a step of a rival",
    "checkpoint_every": "steps",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """plan, train, draw and judge, and all of it at once."""
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    plan = actions.add_parser("plan", help="write a protocol and its list of prompts")
    plan.add_argument("folder", type=Path, help="for protocol.json and prompts.csv")
    train = actions.add_parser("train", help="train the five rivals on this workspace's data set")
    train.add_argument("folder", type=Path, help="for encoders and a model folder a rival")
    draw = actions.add_parser(
        "draw", help="faces of a protocol's prompts: this workspace's or a rival's"
    )
    draw.add_argument("protocol", type=Path)
    draw.add_argument("folder", type=Path, help="for the pictures; one that is there is replaced")
    draw.add_argument("--rival", type=Path, metavar="FOLDER", help="of `compare train`")
    judge = actions.add_parser("judge", help="judge folders of pictures named by prompt")
    judge.add_argument("protocol", type=Path)
    judge.add_argument("methods", nargs="+", metavar="NAME=FOLDER")
    judge.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the results")
    whole = actions.add_parser("all", help="ours and the rivals: plan, train, draw, judge")
    whole.add_argument("folder", type=Path, help="for protocol, rivals/, faces/ and results/")
    for one in (plan, whole):
        _add_plan(one)
    for one in (train, whole):
        _add_lengths(one)
    for one in (judge, whole):
        _add_given(one)
    actors = {plan: _plan, train: _train, draw: _draw, judge: _judge, whole: _all}
    for one in (plan, train, whole):
        one.add_argument(
            "--seed",
            type=int,
            metavar="N",
            help=f"else {PLANS_SEED} of a plan, {SECTION}.seed of trainings",
        )
    for one, do in actors.items():
        add_workspace_arguments(one)
        one.set_defaults(do=do)


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name", required=True, help="in the names of results, such as celebahq-64"
    )
    parser.add_argument("--prompts", type=int, default=1000, metavar="N", help="(%(default)s)")
    parser.add_argument("--size-px", type=int, metavar="N", help="else the data set's")


def _add_lengths(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="NAME",
        help=f"else {SECTION}.methods; all five where it has none",
    )
    for name, what in _LENGTHS.items():
        option = f"--{name.replace('_', '-')}"
        parser.add_argument(option, type=int, metavar="N", help=f"{what}; else {SECTION}.{name}")


def _add_given(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--inception",
        type=Path,
        metavar="FILE",
        help="Inception-v3 of 2015, for FID (weights-inception-2015-12-05-6726825d.pth)",
    )
    parser.add_argument(
        "--clip", type=Path, metavar="FOLDER", help="a CLIP of transformers, for its score"
    )


def run(arguments: argparse.Namespace) -> int:
    """The chosen action's exit status."""
    status: int = arguments.do(arguments)
    return status


def _plan(arguments: argparse.Namespace) -> int:
    from tedigan.comparison.court import plan_comparison
    from tedigan.store.tables import write_table

    protocol = plan_comparison(
        _places(arguments),
        name=arguments.name,
        num_prompts=arguments.prompts,
        size_px=arguments.size_px,
        seed=PLANS_SEED if arguments.seed is None else arguments.seed,
    )
    protocol.write(arguments.folder / PROTOCOL)
    write_table(arguments.folder / PROMPTS, ["prompt", "text"], enumerate(protocol.captions))
    print(f"{arguments.folder / PROTOCOL}: {protocol.tag}, {len(protocol.ids):,} prompts")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from tedigan.stages.train_rivals import open_training

    workspace, section = _open(arguments), _section(arguments)
    for place in open_training(workspace, section, arguments.folder).run(section.methods):
        print(place)
    return 0


def _section(arguments: argparse.Namespace) -> "TrainRivals":
    """The workspace's, with what was given over it; all methods where neither names any."""
    from tedigan.params import told
    from tedigan.rivals.methods import METHODS

    own = getattr(_open(arguments).params, SECTION)
    given = {name: getattr(arguments, name) for name in ("methods", "seed", *_LENGTHS)}
    section: TrainRivals = told(own, given, name=SECTION)
    return told(section, {"methods": section.methods or [*METHODS]}, name=SECTION)


def _draw(arguments: argparse.Namespace) -> int:
    from tedigan.comparison.comparison_protocol import ComparisonProtocol
    from tedigan.comparison.drawing import draw_method, draw_rival
    from tedigan.dataset.folder import Dataset
    from tedigan.rivals.rival_folder import OpenedRival
    from tedigan.stages.making_faces import open_maker

    workspace = _open(arguments)
    protocol = ComparisonProtocol.read(arguments.protocol)
    if arguments.rival is not None:
        rival = OpenedRival.open(arguments.rival, workspace.device)
        data = Dataset.open(workspace.dataset) if rival.rival.edits_photographs else None
        draw_rival(arguments.folder, rival, protocol, data)
        print(arguments.folder)
        return 0
    psi = workspace.params.evaluate.truncation_psi
    maker, _, _ = open_maker(workspace, truncation_psi=psi)
    draw_method(arguments.folder, maker, protocol)
    print(arguments.folder)
    return 0


def _judge(arguments: argparse.Namespace) -> int:
    from tedigan.comparison.comparing import compare, open_methods
    from tedigan.comparison.comparison_protocol import ComparisonProtocol
    from tedigan.comparison.court import open_session
    from tedigan.comparison.ranking import ranked
    from tedigan.dataset.folder import Dataset
    from tedigan.report.comparison_page import comparison_page
    from tedigan.store.files import write_text
    from tedigan.store.report_inputs import read_picture_file

    protocol, places = ComparisonProtocol.read(arguments.protocol), _places(arguments)
    methods = open_methods(named_folders(arguments.methods), protocol)
    session = open_session(places, protocol)
    found = compare(session, Dataset.open(places.dataset), methods, arguments.out)
    shown = read_picture_file(arguments.out / "side_by_side.png")
    page = arguments.out / "page.html"
    write_text(page, comparison_page(protocol.to_json(), [*found], ranked(found), shown))
    print(page)
    return 0


def _all(arguments: argparse.Namespace) -> int:
    """Each of the others in turn; a training that is there goes on."""
    given, folder = vars(arguments), arguments.folder
    protocol, faces = folder / PROTOCOL, folder / "faces"
    rivals: dict[str, Path | None] = {
        name: folder / "rivals" / name for name in _section(arguments).methods
    }
    _plan(arguments)  # first: it refuses what judging would lack
    _train(argparse.Namespace(**given | {"folder": folder / "rivals"}))
    contestants = {"ours": None, **rivals}
    for name, rival in contestants.items():
        drawn = {"protocol": protocol, "folder": faces / name, "rival": rival}
        _draw(argparse.Namespace(**given | drawn))
    methods = [f"{name}={faces / name}" for name in contestants]
    judged = {"protocol": protocol, "methods": methods, "out": folder / "results"}
    return _judge(argparse.Namespace(**given | judged))


def named_folders(methods: list[str]) -> dict[str, Path]:
    """Of NAME=FOLDER arguments; each name once, or it is a ParamsError."""
    found: dict[str, Path] = {}
    for one in methods:
        name, equals, place = one.partition("=")
        if not equals or not place or name in found:
            raise ParamsError(
                f"{one!r} was given; expected NAME=FOLDER, each name once. Write it so."
            )
        found[name] = Path(place)
    return found


def _places(arguments: argparse.Namespace) -> "Places":
    from tedigan.comparison.court import Places

    workspace = _open(arguments)
    params = workspace.params.evaluate
    return Places(
        workspace.dataset,
        workspace.model("referee"),
        workspace.grammar,
        workspace.at_or_none(params.lpips_trunk),
        workspace.work / "comparison",
        workspace.device,
        params.batch_size,
        getattr(arguments, "inception", None),
        getattr(arguments, "clip", None),
    )


def _open(arguments: argparse.Namespace) -> "Workspace":
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.workspace import Workspace

    folder = workspace_folder(arguments)
    return Workspace.open(folder, writes_params=arguments.profile is not None)
