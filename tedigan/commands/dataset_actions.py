"""`tedigan dataset make|validate|show|card|export|train-...`; without an action, it runs the stage."""

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.commands import annotator_actions as annotators

if TYPE_CHECKING:
    from tedigan.params import Params

# Keys of the section `dataset` that are words, and what they mean.
_SECTION = {
    "tagger": "a folder; proposes attributes, of which captions are written",
    "parser": "a folder or hub id; sees label maps, by which cut-outs are made",
    "matting": "an .onnx file of rembg; makes cut-outs without label maps",
    "simplifier": "an .onnx file; simplifies sketches",
    "grammar": "a .yaml file; how captions are written",
    "licence": "of the photographs, in words, for the cards",
}


# Those that are one of a few words, the usual one first.
_CHOICES = {
    "people": (
        ["source", "faces"],
        "faces = group photographs by a face descriptor, where nobody says who is who",
    ),
    "faceless": (
        ["reject", "keep"],
        "photographs without a face, where a tagger says what they show",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with its own `run`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    _add_make(actions.add_parser("make", help="one photograph or a folder of them -> a data set"))
    one = actions.add_parser("validate", help="look at every record; status 1 if anything is wrong")
    one.add_argument(
        "place", metavar="PATH", help="a data set, or a source: folder, .tar, s3:// prefix"
    )
    one.add_argument("--workers", type=int, metavar="N", help="processes; one a core without it")
    _add_settings(one)
    one.set_defaults(run=_validate)
    one = actions.add_parser("show", help="what a data set is, in a few lines")
    one.add_argument("folder", type=Path)
    one.set_defaults(run=_show)
    one = actions.add_parser("card", help="write the page about a data set")
    one.add_argument("folder", type=Path)
    one.add_argument("file", type=Path, help="the .html to write")
    one.set_defaults(run=_card)
    one = actions.add_parser("export", help="write it in MM-CelebA-HQ's layout, a file a record")
    one.add_argument("folder", type=Path)
    one.add_argument("target", type=Path, help="where to write; must not exist")
    one.set_defaults(run=_export)
    annotators.add_actions(actions)


def _add_make(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="a photograph, a folder or a .tar of them")
    parser.add_argument("folder", type=Path, help="where dataset/ and dataset.html are written")
    _add_settings(parser)
    parser.set_defaults(run=_make)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """How a data set would be made: the same for who makes one and for who only asks."""
    parser.add_argument("--resolution", type=int, default=256, metavar="PX", help="without it, 256")
    parser.add_argument("--align", action="store_true", help="cut each face out as FFHQ does")
    for name, what in _SECTION.items():
        parser.add_argument(f"--{name}", help=what)
    for name, (choices, what) in _CHOICES.items():
        parser.add_argument(f"--{name}", choices=choices, default=choices[0], help=what)


def _settings(arguments: argparse.Namespace) -> dict[str, object]:
    names = ("align", "resolution", *_SECTION, *_CHOICES)
    return {name: getattr(arguments, name) for name in names}


def _make(arguments: argparse.Namespace) -> int:
    """The stage, with the project's params and these values, in a folder of its own."""
    from tedigan.dataset.card import facts_of
    from tedigan.dataset.folder import Dataset
    from tedigan.stages import dataset
    from tedigan.workspace import Workspace

    folder = arguments.folder.resolve()
    section = _settings(arguments) | {"source": str(arguments.source.resolve())}
    paths = {"data": folder, "work": folder / ".work"}
    workspace = Workspace(Path.cwd(), _params(section, paths))
    dataset.run(workspace)
    for name, fact in facts_of(Dataset.open(workspace.dataset)).items():
        print(f"{name}: {fact}")
    print(f"page: {workspace.data_card}")
    return 0


def _params(section: dict[str, object], paths: dict[str, object]) -> "Params":
    """The project's, with these values: of the whole source, by its own lists of splits where it has them."""
    from tedigan.params import read_params

    params = read_params(Path(__file__).parents[2] / "params.yaml")
    section = {"num_images": None, "split": "auto"} | section
    return type(params).model_validate(
        params.model_dump()
        | {
            "dataset": params.dataset.model_dump() | section,
            "paths": params.paths.model_dump() | paths,
        }
    )


def _validate(arguments: argparse.Namespace) -> int:
    """As `make` would find it, with the same models."""
    from tedigan.dataset.build_settings import BuildSettings
    from tedigan.dataset.validation import validate
    from tedigan.params import chosen
    from tedigan.stages.dataset import helpers_of
    from tedigan.workspace import Workspace

    workspace = Workspace(Path.cwd(), _params(_settings(arguments), {}))
    settings = chosen(workspace.params.dataset, BuildSettings)
    helpers = helpers_of(workspace)
    verdict = validate(arguments.place, settings, helpers, num_workers=arguments.workers)
    for problem in [*verdict.problems, *verdict.not_read]:
        print(f"{problem.name}: {problem.problem}: {problem.reason}")
    for name, note in verdict.noted:
        print(f"{name}: noted: {note}")
    for name, fact in verdict.facts.items():
        print(f"{name}: {fact}")
    counts = Counter(problem.problem for problem in verdict.problems)
    wrong = ", ".join(f"{count} {problem}" for problem, count in sorted(counts.items()))
    print(f"wrong: {wrong or 'nothing'}")
    return 1 if verdict.problems else 0


def _show(arguments: argparse.Namespace) -> int:
    from tedigan.dataset.card import facts_of
    from tedigan.dataset.folder import Dataset

    for name, fact in facts_of(Dataset.open(arguments.folder)).items():
        print(f"{name}: {fact}")
    return 0


def _card(arguments: argparse.Namespace) -> int:
    from tedigan.dataset.card import write_card
    from tedigan.dataset.folder import Dataset

    write_card(Dataset.open(arguments.folder), arguments.file)
    print(arguments.file)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from tedigan.dataset.export import export
    from tedigan.dataset.folder import Dataset

    num_records = export(Dataset.open(arguments.folder), arguments.target)
    print(f"{num_records:,} faces in {arguments.target}")
    return 0
