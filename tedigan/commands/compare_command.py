"""`tedigan compare`: any methods' pictures of one list of prompts, judged by one protocol. docs/comparison.md."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.errors import ParamsError

if TYPE_CHECKING:
    from tedigan.comparison.court import Places

PROTOCOL, PROMPTS = "protocol.json", "prompts.csv"
_LENGTHS = (
    ("--encoder-steps", 600, "steps of the encoders that the rivals share"),
    ("--encoder-batch", 48, "photographs a step of theirs"),
    ("--steps", 1000, "steps of each rival"),
    ("--batch-size", 16, "photographs a step of a rival"),
    ("--checkpoint-every", 200, "steps"),
)


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
        one.add_argument("--seed", type=int, default=1, metavar="N", help="of all (%(default)s)")
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
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="else all five")
    for name, value, what in _LENGTHS:
        helped = f"{what} (%(default)s)"
        parser.add_argument(name, type=int, default=value, metavar="N", help=helped)


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
        seed=arguments.seed,
    )
    protocol.write(arguments.folder / PROTOCOL)
    write_table(arguments.folder / PROMPTS, ["prompt", "text"], enumerate(protocol.captions))
    print(f"{arguments.folder / PROTOCOL}: {protocol.tag}, {len(protocol.ids):,} prompts")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from tedigan.captions.grammar_files import load_grammar
    from tedigan.captions.reader import Reader
    from tedigan.dataset.folder import Dataset
    from tedigan.rivals.methods import METHODS
    from tedigan.rivals.training_run import RivalSettings, TrainingRun
    from tedigan.workspace import Workspace

    methods = arguments.methods or [*METHODS]
    if unknown := [name for name in methods if name not in METHODS]:
        raise ParamsError(
            f"there is no rival {unknown[0]!r}; expected one of {', '.join(METHODS)}. Name some of these."
        )
    workspace = Workspace.open(_folder(arguments), writes_params=arguments.profile is not None)
    names = [name.removeprefix("--").replace("-", "_") for name, _, _ in _LENGTHS] + ["seed"]
    training = TrainingRun(
        Dataset.open(workspace.dataset),
        Reader(load_grammar(workspace.grammar)),
        RivalSettings(**{name: getattr(arguments, name) for name in names}),
        arguments.folder,
        workspace.work,
        workspace.device,
    )
    for place in training.run(methods):
        print(place)
    return 0


def _draw(arguments: argparse.Namespace) -> int:
    from tedigan.comparison.comparison_protocol import ComparisonProtocol
    from tedigan.comparison.drawing import draw_method, draw_rival
    from tedigan.dataset.folder import Dataset
    from tedigan.rivals.rival_folder import OpenedRival
    from tedigan.stages.making_faces import open_maker
    from tedigan.workspace import Workspace

    workspace = Workspace.open(_folder(arguments), writes_params=arguments.profile is not None)
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
    from tedigan.rivals.methods import METHODS

    given, folder = vars(arguments), arguments.folder
    protocol, faces = folder / PROTOCOL, folder / "faces"
    rivals = {name: folder / "rivals" / name for name in arguments.methods or METHODS}
    _train(argparse.Namespace(**given | {"folder": folder / "rivals"}))
    _plan(arguments)
    contestants: dict[str, Path | None] = {"ours": None, **rivals}
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
    from tedigan.workspace import Workspace

    workspace = Workspace.open(_folder(arguments), writes_params=arguments.profile is not None)
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


def _folder(arguments: argparse.Namespace) -> Path:
    from tedigan.commands.workspace_arguments import workspace_folder

    return workspace_folder(arguments)
