"""`tedigan dataset validate|show|card|export|train-parser|train-tagger`; alone it runs the stage."""

import argparse
from collections import Counter
from pathlib import Path

from tedigan.commands import annotators


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with its own `run`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    one = actions.add_parser("validate", help="look at every record; status 1 if anything is wrong")
    one.add_argument(
        "place", metavar="PATH", help="a data set, or a source: folder, .tar, s3:// prefix"
    )
    one.add_argument("--workers", type=int, metavar="N", help="processes; one a core without it")
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


def _validate(arguments: argparse.Namespace) -> int:
    from tedigan.stages.validation import validate

    verdict = validate(arguments.place, num_workers=arguments.workers)
    for problem in verdict.problems:
        print(f"{problem.name}: {problem.problem}: {problem.reason}")
    for name, fact in verdict.facts.items():
        print(f"{name}: {fact}")
    counts = Counter(problem.problem for problem in verdict.problems)
    wrong = ", ".join(f"{count} {problem}" for problem, count in sorted(counts.items()))
    print(f"wrong: {wrong or 'nothing'}")
    return 1 if verdict.problems else 0


def _show(arguments: argparse.Namespace) -> int:
    from tedigan.stages.data_cards import facts_of
    from tedigan.store.datasets import Dataset

    for name, fact in facts_of(Dataset.open(arguments.folder)).items():
        print(f"{name}: {fact}")
    return 0


def _card(arguments: argparse.Namespace) -> int:
    from tedigan.stages.data_cards import write_card
    from tedigan.store.datasets import Dataset

    write_card(Dataset.open(arguments.folder), arguments.file)
    print(arguments.file)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from tedigan.stages.export import export
    from tedigan.store.datasets import Dataset

    num_records = export(Dataset.open(arguments.folder), arguments.target)
    print(f"{num_records:,} faces in {arguments.target}")
    return 0
