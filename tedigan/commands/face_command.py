"""`tedigan face "..." --sketch s.png`: faces of a sentence, of drawings, of both, without a workspace."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.commands.one_off import add_shared_arguments, check_place, open_model, write_pictures

if TYPE_CHECKING:
    from tedigan.method.sources import SourceName

COLUMNS = 4
GIVEN: dict["SourceName", str] = {
    "sketch": "strokes of any ink on any paper; a photograph is sketched first",
    "label": "a label map: class indices or the colours of CelebAMask-HQ, missing classes allowed",
    "photograph": "an aligned face, whose code gives what no drawing does",
    "style": "another face's photograph, for its colours",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sources and the numbers."""
    parser.add_argument("text", nargs="?", help="what the faces should show, as one sentence")
    for name, meaning in GIVEN.items():
        names = [f"--{name}", *(["--photo"] if name == "photograph" else [])]
        parser.add_argument(*names, type=Path, metavar="FILE", help=meaning)
    parser.add_argument(
        "--layers",
        type=_layers,
        default={},
        metavar="NAME=A-B,...",
        help="that sources give, such as sketch=0-6,style=7-9; + joins: 0-2+5. Without it, those measured",
    )
    parser.add_argument(
        "--weights",
        type=_weights,
        default={},
        metavar="NAME=X,...",
        help="0..1 each, such as text=1,sketch=0.8; where two contradict each other the larger wins",
    )
    parser.add_argument(
        "-n", "--n", type=_count, default=4, metavar="N", help="faces (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(%(default)s)")
    for name in ("sketch", "label"):
        parser.add_argument(
            f"--{name}-encoder", type=Path, metavar="PATH", help="folder or official file"
        )
    add_shared_arguments(parser, folder="faces")


def run(arguments: argparse.Namespace) -> int:
    """Draw and write them; the report first, the sheet's path last."""
    check_place(arguments.out)
    model = open_model(arguments)
    given = {name: getattr(arguments, name) for name in GIVEN}
    numbers = {name: getattr(arguments, name) for name in ("layers", "weights", "seed", "strength")}
    made = model.compose(arguments.n, text=arguments.text, **given, **numbers)
    seen = {
        f"given-{name}": model.seen(place, name)
        for name, place in given.items()
        if place is not None
    }
    faces = {f"{arguments.seed}-{index:03d}": face for index, face in enumerate(made.faces)}
    named = seen | faces
    for path in write_pictures(
        arguments.out, named, columns=min(COLUMNS, len(named)), report=made.report
    ):
        print(path)
    return 0


def _layers(text: str) -> dict[str, list[int]]:
    return {name: _spans(value) for name, value in _pairs(text)}


def _weights(text: str) -> dict[str, float]:
    found = {}
    for name, value in _pairs(text):
        try:
            found[name] = float(value)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{name}={value}; expected a number") from None
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in text.split(",")]
    if wrong := [part for part, equals, value in pairs if not (part and equals and value)]:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} of {text!r}; expected NAME=VALUE,...")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _spans(text: str) -> list[int]:
    layers: list[int] = []
    for part in text.split("+"):
        first, _, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()):
            raise argparse.ArgumentTypeError(f"layers {text!r}; expected such as 0-6 or 0-2+5")
        layers += range(int(first), int(last or first) + 1)
    return layers


def _count(text: str) -> int:
    value = int(text) if text.lstrip("-").isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} faces; expected a whole number from 1 up")
    return value
