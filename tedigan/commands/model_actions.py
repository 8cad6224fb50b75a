"""`tedigan models import | list | show | verify | seal | sign`."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from tedigan.commands.plain_text import line, printable
from tedigan.errors import ParamsError, TediganError, WeightsError
from tedigan.models.ready_made import NO_LICENCE, licence_of

MAX_LINE = 400  # characters of a row of `list`
MAX_CARD_LINES = 200  # of `show`, each cut at MAX_LINE


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    one = actions.add_parser("import", help="an official file -> model folders; runs nothing of it")
    one.add_argument(
        "file",
        type=Path,
        help="NVIDIA .pkl, rosinality .pt, genforce .pth, TediGAN's or idinvert's .pth, pSp or e4e .pt",
    )
    one.add_argument("folder", type=Path, help="where to write; must not exist")
    one.add_argument("--licence", default=NO_LICENCE, help="of the weights, for the model card")
    one.add_argument(
        "--only", nargs="+", choices=["G_ema", "G", "D"], help="of a generator's networks"
    )
    _add_told(one)
    one = actions.add_parser("list", help="the model folders below a folder")
    one.add_argument("folder", type=Path, nargs="?", default=Path("models"))
    one = actions.add_parser("show", help="a model folder's card and digests")
    one.add_argument("folder", type=Path)
    one = actions.add_parser("verify", help="are a model folder's files whole, and those written?")
    one.add_argument("folder", type=Path)
    one.add_argument(
        "--signers",
        type=Path,
        nargs="+",
        default=[],
        metavar="KEY",
        help="public keys, one of which signed it",
    )
    one = actions.add_parser("seal", help="write SHA256SUMS of a folder that was changed by hand")
    one.add_argument("folder", type=Path)
    one = actions.add_parser("sign", help="answer for a whole folder with a key (extra `signed`)")
    one.add_argument("folder", type=Path)
    one.add_argument("--key", type=Path, required=True, help="private, of `tedigan release key`")


def _add_told(parser: argparse.ArgumentParser) -> None:
    """What a file cannot tell; a file that says it itself refuses the option."""
    parser.add_argument(
        "--mapping-multiplier", type=float, help="learning-rate multiplier of mapping (0.01)"
    )
    parser.add_argument(
        "--final-tanh",
        action=argparse.BooleanOptionalAction,
        help="a tanh ends the generator, or none does",
    )
    parser.add_argument(
        "--demodulate",
        action=argparse.BooleanOptionalAction,
        help="StyleGAN2's convolutions are demodulated (the default), or not",
    )
    parser.add_argument(
        "--discriminator-clamp", type=float, help="bound on D's layers, 0 = none (the default)"
    )
    parser.add_argument(
        "--discriminator-group",
        type=int,
        help="images whose deviation D sees together, 0 = the whole batch (4)",
    )
    parser.add_argument(
        "--fused-from",
        type=int,
        metavar="PX",
        help="of StyleGAN1's up-convolutions, 0 = none (128)",
    )
    parser.add_argument("--encoder-type", choices=["psp", "e4e"], help="where opts lacks it")
    parser.add_argument(
        "--start-from-latent-avg",
        action=argparse.BooleanOptionalAction,
        help="the encoder of pSp or e4e adds the file's average, or not",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; problems are TediganErrors."""
    if arguments.action == "import":
        from tedigan.models.imports import NETWORKS, Told, import_models

        if arguments.only and "G_ema" not in arguments.only:
            raise ParamsError("--only leaves out G_ema, which faces are drawn with. Add it.")
        for name in ("discriminator_clamp", "discriminator_group", "fused_from"):
            if (number := getattr(arguments, name)) is not None and number < 0:
                option = name.replace("_", "-")
                raise ParamsError(f"--{option} is {number}, expected 0 (off) or more. Set it.")
        told = Told(**{field.name: getattr(arguments, field.name) for field in fields(Told)})
        made = import_models(
            arguments.file,
            arguments.folder,
            licence=arguments.licence,
            told=told,
            only=arguments.only or NETWORKS,
        )
        lines = [line for folder in made for line in [f"{folder}:", *describe(folder)]]
    elif arguments.action == "list":
        lines = list_models(arguments.folder)
    elif arguments.action == "show":
        lines = describe(arguments.folder)
    elif arguments.action == "seal":
        lines = seal(arguments.folder)
    elif arguments.action == "sign":
        lines = sign(arguments.folder, arguments.key)
    else:
        lines = verify(arguments.folder, arguments.signers)
    print("\n".join(map(printable, lines)))
    return 0


def describe(folder: Path) -> list[str]:
    """The card's lines, then `sha256  name` of each file of weights."""
    from tedigan.store.model_folders import (
        CARD,
        MAX_CARD,
        is_layer_table,
        read_config,
        read_layers,
    )
    from tedigan.store.plain_files import read_plain, sha256_plain
    from tedigan.store.sums import verify_sums

    read_layers(folder) if is_layer_table(folder) else read_config(folder)
    verify_sums(folder)
    card = read_plain(folder / CARD, MAX_CARD).decode("utf-8", "replace").splitlines()
    if len(card) > MAX_CARD_LINES:
        card[MAX_CARD_LINES:] = [f"... ({len(card) - MAX_CARD_LINES} more lines in {CARD})"]
    files = sorted(folder.glob("*.safetensors"))
    return [
        *(one[:MAX_LINE] for one in card),
        "",
        *(f"{sha256_plain(file)}  {file.name}" for file in files),
    ]


def list_models(folder: Path) -> list[str]:
    """One line a model folder at or below `folder`: path, architecture, size, networks, licence."""
    from tedigan.store.model_folders import CONFIG, LAYERS

    lines = []
    for place in sorted({file.parent for name in (CONFIG, LAYERS) for file in folder.rglob(name)}):
        try:
            facts = _facts(place)
        except (TediganError, OSError) as error:
            facts = [f"unreadable: {error}"]
        lines.append(line(f"{place}: " + "; ".join(fact for fact in facts if fact), MAX_LINE))
    if not lines:
        raise WeightsError(
            f"no model folder is at or below {folder} (none has a {CONFIG}). Name another place."
        )
    return lines


def _facts(place: Path) -> list[str]:
    """What a line of `list` says of a folder, unless it is empty."""
    from tedigan.store.model_folders import is_layer_table, read_config, read_layers

    if is_layer_table(place):
        return ["layer table", f"{len(read_layers(place)['attributes'])} attributes"]
    config = read_config(place)
    size = config.get("img_resolution") or config.get("input_size_px")
    return [
        str(config.get("architecture", "?"))[:24],
        f"{size} px" if size else "",
        f"num_ws {config['num_ws']}" if "num_ws" in config else "",
        ", ".join(sorted(weights.stem for weights in place.glob("*.safetensors"))),
        licence_of(config),
    ]


def verify(folder: Path, signers: Sequence[Path] = ()) -> list[str]:
    """Digests, names, shapes and finite values of a model folder; and who signed it, where that is asked."""
    from tedigan.models.signatures import check_signed
    from tedigan.models.verification import verify_folder

    names = ", ".join(verify_folder(folder))
    check_signed(folder, signers)
    signed = " and signed" if signers else ""
    return [f"{folder}: {names}: whole (the recorded sha256){signed}"]


def sign(folder: Path, key: Path) -> list[str]:
    """Write a signature upon a folder that is whole."""
    from tedigan.models.signatures import SIGNATURE, sign_folder

    return [f"{folder}: {', '.join(sign_folder(folder, key))}: whole; {SIGNATURE} is by {key}"]


def seal(folder: Path) -> list[str]:
    """Write the digests of a folder that has none, or others, once its networks are found to be whole."""
    from tedigan.models.verification import seal_folder

    names = seal_folder(folder)
    return [f"{folder}: {', '.join(names)}: whole; SHA256SUMS is of what lies there now"]
