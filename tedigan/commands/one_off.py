"""What `face` and `edit` share: which networks, and where the pictures go."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.errors import StoreError

if TYPE_CHECKING:
    from PIL.Image import Image

    from tedigan.notebook import Model

SHEET, REPORT = "sheet.png", "report.txt"


def add_shared_arguments(parser: argparse.ArgumentParser, *, folder: str) -> None:
    """--model, --steering, --encoder, --signers, --strength, --out."""
    parser.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="a workspace's models/, a generator's folder, or an official file; without it, drawn faces",
    )
    parser.add_argument(
        "--steering",
        type=Path,
        metavar="FOLDER",
        help="with guide/, latent_tagger/ and layers/ of that generator",
    )
    parser.add_argument("--encoder", type=Path, metavar="PATH", help="folder or official file")
    parser.add_argument(
        "--signers",
        type=Path,
        nargs="+",
        default=[],
        metavar="KEY",
        help="public keys: each folder that is named must be signed by one of them",
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, metavar="X", help="of the text, -3..3 (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path(folder), metavar="FOLDER", help="(%(default)s)"
    )


def check_place(folder: Path) -> None:
    """Refuse, before anything is loaded, a folder that is there already."""
    if folder.exists():
        raise StoreError(f"{folder} exists; expected a new folder. Name another with --out.")


def open_model(arguments: argparse.Namespace) -> "Model":
    """The networks that the arguments name."""
    from tedigan.notebook import load

    return load(
        arguments.model,
        steering=arguments.steering,
        encoder=arguments.encoder,
        sketch_encoder=getattr(arguments, "sketch_encoder", None),
        label_encoder=getattr(arguments, "label_encoder", None),
        signers=arguments.signers,
    )


def write_pictures(
    folder: Path,
    faces: Mapping[str, "Image"],
    *,
    columns: int | None = None,
    report: Sequence[str] = (),
) -> Sequence[Path]:
    """A new folder with each face under its name, and all on one contact sheet; whole or not at all.

    report: lines, which are printed and kept beside them.
    """
    from tedigan.notebook import sheet
    from tedigan.store.files import finished_folder, write_text
    from tedigan.store.pictures import from_pillow, save

    pictures = {f"{name}.png": face for name, face in faces.items()}
    pictures[SHEET] = sheet(list(faces.values()), columns)
    for line in report:
        print(line)
    with finished_folder(folder) as fresh:
        if report:
            write_text(fresh / REPORT, "".join(f"{line}\n" for line in report))
        for name, picture in pictures.items():
            save(fresh / name, from_pillow(picture))
    return [folder / name for name in pictures]
