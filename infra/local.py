"""Run one command with the whole platform around it: `python -m infra.local -- COMMAND...`

Starts the S3 server, makes its bucket, points DVC, MLflow and Prefect at this checkout's .work, runs the
command, stops everything, and passes on the command's exit status. No account, no Docker, no network.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.services import S3, die_with_parent, local_s3
from tedigan.errors import StoreError, TediganError

BUCKET = "tedigan"
CHECKOUT = Path(__file__).resolve().parents[1]
BUCKET_WITHIN_S = 30.0


def main(arguments: list[str]) -> int:
    """The command's exit status, or 1 with one message where the platform does not start."""
    command = arguments[1:] if arguments[:1] == ["--"] else arguments
    if not command:
        print("usage: python -m infra.local -- COMMAND...", file=sys.stderr)
        return 2
    try:
        with local_platform(CHECKOUT / ".work") as environment:
            return _run(command, environment)
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


@contextmanager
def local_platform(work: Path) -> Iterator[dict[str, str]]:
    """The environment in which a flow finds a running S3, its MLflow and its Prefect."""
    with local_s3(work / "s3") as s3:
        environment = {**os.environ, **environment_of(s3, work)}
        make_bucket(s3)
        yield environment


def environment_of(s3: S3, work: Path) -> dict[str, str]:
    """What DVC, MLflow and Prefect read; nothing of it is written to a tracked file."""
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "AWS_ENDPOINT_URL": s3.endpoint_url,
        "AWS_ACCESS_KEY_ID": s3.access_key,
        "AWS_SECRET_ACCESS_KEY": s3.secret_key,
        "AWS_SESSION_TOKEN": "",  # of somebody's other keys
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "MLFLOW_S3_ENDPOINT_URL": s3.endpoint_url,
        **offline_environment(work),
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": f"s3://{BUCKET}/mlflow",
        "TEDIGAN_RELEASES": f"s3://{BUCKET}/releases",
    }


def offline_environment(work: Path) -> dict[str, str]:
    """Keeps the tools' own state in `work` and their telemetry at home; needs no server."""
    return {
        "MLFLOW_TRACKING_URI": f"sqlite:///{work / 'mlflow.db'}",
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": str(work / "mlartifacts"),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PREFECT_HOME": str(work / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the flows print their own lines
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(work / "dvc"),
        "DO_NOT_TRACK": "1",
    }


def make_bucket(s3: S3) -> None:
    """Make the platform's bucket; a server that has just started may refuse for a moment."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        region_name="us-east-1",
    )
    deadline = time.monotonic() + BUCKET_WITHIN_S
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
            return
        except (client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            return
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > deadline:
                raise StoreError(
                    f"{s3.endpoint_url} did not make the bucket {BUCKET}: {error}. "
                    "Read .work/s3/weed.log; `make clean` starts afresh."
                ) from error
            time.sleep(0.2)


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run it; an interrupt or SIGTERM reaches it, and S3 outlives it."""
    try:
        process = subprocess.Popen(command, env=environment, preexec_fn=die_with_parent)  # noqa: S603
    except OSError as error:
        print(f"error: {command[0]} does not start: {error}", file=sys.stderr)
        return 127
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return _wait(process)
    finally:
        signal.signal(signal.SIGTERM, before)


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """The exit status, shell style; the terminal sends ctrl-C to the command too, so keep waiting."""
    while True:
        try:
            status = process.wait()
            return status if status >= 0 else 128 - status
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
