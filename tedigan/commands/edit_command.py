"""`tedigan edit photo.jpg "..."`: one photograph, edited by a sentence, without a workspace."""

import argparse
from pathlib import Path

from tedigan.commands.one_off import add_shared_arguments, check_place, open_model, write_pictures
from tedigan.errors import ImageError


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
    check_place(arguments.out)
    if not arguments.photograph.is_file():
        raise ImageError(
            f"{arguments.photograph} is no file; expected a photograph. Mend its name."
        )
    model = open_model(arguments)
    photograph = model.read(arguments.photograph)
    ws = model.invert(photograph, num_steps=arguments.steps)
    faces = {
        "photograph": photograph,
        "inversion": model.draw(ws)[0],
        "edit": model.edit(ws, arguments.text, strength=arguments.strength),
    }
    for path in write_pictures(arguments.out, faces):
        print(path)
    return 0
