"""`tedigan edit photo.jpg "..."`: one photograph, edited by a sentence, without a workspace."""

import argparse
from pathlib import Path

from tedigan.commands.one_off import add_shared_arguments, open_model, write_pictures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The photograph, the sentence and the numbers."""
    parser.add_argument("photograph", type=Path, help="an aligned face")
    parser.add_argument("text", help="what should be true afterwards, as one sentence")
    parser.add_argument(
        "--steps", type=int, default=100, metavar="N", help="of the inversion (%(default)s)"
    )
    add_shared_arguments(parser, folder="edited")


def run(arguments: argparse.Namespace) -> int:
    """Invert, edit and write: photograph, inversion, edit; the sheet's path is the last line."""
    from tedigan.captions.lines import check_caption

    text = check_caption(arguments.text, line=1)
    model = open_model(arguments)
    photograph = model.read(arguments.photograph)
    ws = model.invert(photograph, num_steps=arguments.steps)
    faces = {
        "photograph": photograph,
        "inversion": model.draw(ws)[0],
        "edit": model.edit(ws, text, strength=arguments.strength),
    }
    for path in write_pictures(arguments.out, faces):
        print(path)
    return 0
