"""`tedigan face "..."`: faces of a sentence, without a workspace."""

import argparse

from tedigan.commands.one_off import add_shared_arguments, check_place, open_model, write_pictures

COLUMNS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sentence and the numbers."""
    parser.add_argument("text", help="what the faces should show, as one sentence")
    parser.add_argument("--n", type=_count, default=4, metavar="N", help="faces (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    add_shared_arguments(parser, folder="faces")


def run(arguments: argparse.Namespace) -> int:
    """Draw and write them; the sheet's path is the last line."""
    check_place(arguments.out)
    model = open_model(arguments)
    faces = model.faces(
        arguments.text, arguments.n, seed=arguments.seed, strength=arguments.strength
    )
    named = {f"{arguments.seed}-{index:03d}": face for index, face in enumerate(faces)}
    for path in write_pictures(arguments.out, named, columns=min(COLUMNS, len(faces))):
        print(path)
    return 0


def _count(text: str) -> int:
    value = int(text) if text.lstrip("-").isdigit() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} faces; expected a whole number from 1 up")
    return value
