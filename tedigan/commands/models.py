"""`tedigan models import FILE FOLDER` and `tedigan models show FOLDER`."""

import argparse
from pathlib import Path

from tedigan.errors import WeightsError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = actions.add_parser("import", help="NVIDIA .pkl -> a model folder; runs nothing of it")
    one.add_argument(
        "file", type=Path, help="network-snapshot-*.pkl (stylegan2-ada-pytorch, stylegan3)"
    )
    one.add_argument("folder", type=Path, help="where to write; must not exist")
    one = actions.add_parser("show", help="a model folder's card and digests")
    one.add_argument("folder", type=Path)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; problems are TediganErrors."""
    if arguments.action == "import":
        import_model(arguments.file, arguments.folder)
    lines = describe(arguments.folder)
    print("\n".join(lines))
    return 0


def import_model(file: Path, folder: Path) -> None:
    """Write the model folder whole, or nothing."""
    from tedigan.stages.cards import generator_card
    from tedigan.stages.imports import read_generator
    from tedigan.store.files import finished_folder
    from tedigan.store.models import save_model

    if folder.exists():
        raise WeightsError(f"{folder} exists; expected a new folder. Name another, or remove it.")
    found = read_generator(file)
    config = found.config.to_json() | {"training": found.history or {}}
    with finished_folder(folder) as place:
        save_model(place, found.networks, config, generator_card(config))


def describe(folder: Path) -> list[str]:
    """The card's lines, then `sha256  name` of each file of weights."""
    from tedigan.store.files import read_text, sha256_file
    from tedigan.store.models import CARD, read_config

    read_config(folder)
    digests = [f"{sha256_file(file)}  {file.name}" for file in sorted(folder.glob("*.safetensors"))]
    return [read_text(folder / CARD), *digests]
