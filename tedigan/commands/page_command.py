"""`tedigan page`: draw, paint or say a face in the browser, on this machine alone."""

import argparse
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tedigan.errors import ParamsError

if TYPE_CHECKING:
    from tedigan.page.offers import Offer

PORT = 8765
LOOPBACK = ("127.0.0.1", "localhost")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which models, and where the page is served."""
    from tedigan.commands.workspace_arguments import add_workspace_arguments

    add_workspace_arguments(parser)
    models = parser.add_mutually_exclusive_group()
    models.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="a workspace's models/, a generator's folder, or an official file; without it, the workspace's and "
        "those that come along",
    )
    models.add_argument(
        "--release", help="champion, challenger, a version or the start of a digest: its models"
    )
    parser.add_argument("--steering", type=Path, metavar="FOLDER", help="of --model, if not in it")
    parser.add_argument(
        "--signers", type=Path, nargs="+", default=[], metavar="KEY", help="public keys of models"
    )
    parser.add_argument("--host", default=LOOPBACK[0], help="loopback and nothing else")
    parser.add_argument(
        "--port", type=int, default=PORT, help="0 takes one that is free (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve it until it is interrupted; its address is printed first."""
    from tedigan.extras import require

    require("fastapi", "uvicorn")
    import uvicorn

    from tedigan.page.app import application
    from tedigan.page.studio import Studio

    _check_host(arguments.host)
    studio = Studio(offers_of(arguments), signers=arguments.signers)
    with _listening(arguments.port) as listener:
        port = listener.getsockname()[1]
        print(f"http://127.0.0.1:{port}/  (this machine alone; Ctrl-C ends it)", flush=True)
        config = uvicorn.Config(
            application(studio, port),
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
        )
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def offers_of(arguments: argparse.Namespace) -> "list[Offer]":
    """The models that are named; where none is, the workspace's, if it has some, and those that come along."""
    from tedigan.page.offers import Offer

    if arguments.model is not None:
        return [given_offer(arguments.model, arguments.steering)]
    if arguments.release is not None:
        from tedigan.commands.jobs_plan import opened_models

        arguments.models = None
        _, digest, folder = opened_models(arguments, arguments.release)
        return [Offer("release", f"Release {digest[:12]}", {"generator": folder})]
    return workspace_offers(arguments)


def given_offer(model: Path, steering: Path | None) -> "Offer":
    """The model at a place; steering: None = what lies in it."""
    from tedigan.page.offers import Offer

    places = {"generator": model, "steering": steering}
    given = {name: place for name, place in places.items() if place is not None}
    return Offer("given", _title(model.resolve()), _existing(given))


def workspace_offers(arguments: argparse.Namespace) -> "list[Offer]":
    """The workspace's models, if it has some, and those that come along."""
    from tedigan.page.offers import embedded

    return [*_of_workspace(arguments), *embedded()]


def _of_workspace(arguments: argparse.Namespace) -> "list[Offer]":
    from tedigan.commands.workspace_arguments import workspace_folder
    from tedigan.page.offers import Offer
    from tedigan.workspace import Workspace

    folder = workspace_folder(arguments)
    if not (folder / "params.yaml").is_file() and arguments.profile is None:
        return []
    workspace = Workspace.open(folder, writes_params=arguments.profile is not None)
    if not workspace.model("generator").is_dir():
        return []
    return [Offer("workspace", f"Models of {workspace.root.name}", {"generator": workspace.models})]


def _title(place: Path) -> str:
    return place.parent.name if place.name == "models" else place.name


def _existing(places: dict[str, Path]) -> dict[str, Path]:
    for name, place in places.items():
        if not place.exists():
            raise ParamsError(
                f"the {name} {place} does not exist; expected a model folder or an official file. Mend its name."
            )
    return places


def _check_host(host: str) -> None:
    if host not in LOOPBACK:
        raise ParamsError(
            f"the page was to listen at {host!r}, but it has no account and no password: expected "
            f"{' or '.join(LOOPBACK)}. From another machine, use `ssh -L`."
        )


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK[0], port))
        listener.listen()  # so that the address that is printed answers
    except (OSError, OverflowError) as error:
        listener.close()
        raise ParamsError(
            f"port {port} cannot be had: {error}; expected a free one. Name another with --port; 0 takes any."
        ) from error
    return listener
