"""What an S3 server answers, or does not, as an error that says what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from tedigan.errors import ObjectError, StoreError

ADVICE = {
    "SignatureDoesNotMatch": "the secret is wrong. Set AWS_SECRET_ACCESS_KEY.",
    "InvalidAccessKeyId": "the key id is unknown. Set AWS_ACCESS_KEY_ID.",
    "AccessDenied": "these credentials may not do this. Set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY of an account that may.",
    "InvalidToken": "the session token does not go with these keys. Set AWS_SESSION_TOKEN to theirs, or unset it.",
    "ExpiredToken": "these temporary credentials have ended. Fetch new ones, and set AWS_ACCESS_KEY_ID, "
    "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
    "RequestTimeTooSkewed": "this machine's clock is more than 15 minutes off the server's. Set it.",
    "NoSuchBucket": "there is no such bucket. Create it, or mend the name after s3://.",
    "NoSuchKey": "there is no such object. Mend its name, or upload it first.",
    "NotImplemented": "the server does not know this kind of request. Name another with AWS_ENDPOINT_URL.",
}


@contextmanager
def explained(uri: str, *, missing: str = "NoSuchKey") -> Iterator[None]:
    """Turn what the client raises into a StoreError that says what to do. missing: what a bare 404 means."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise explain(uri, error, missing=missing) from error


def explain(
    uri: str, error: ClientError | BotoCoreError, *, missing: str = "NoSuchKey"
) -> StoreError:
    """The error that says what to do. missing: what a bare 404 means."""
    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        name = {"403": "AccessDenied", "Forbidden": "AccessDenied", "404": missing}.get(code, code)
        kind = ObjectError if name == "NoSuchKey" else StoreError
        advice = ADVICE.get(name, error)
        found = kind(f"{uri} at {endpoint()}: {advice} (server says: {code})")
        found.may_pass = status_of(error) >= 500
        return found
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return StoreError(f"{uri}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    if isinstance(error, ConnectionError):
        return _passing(
            f"{uri}: no answer from {endpoint()}: {error}. Start the server, or set AWS_ENDPOINT_URL."
        )
    return _passing(f"{uri} at {endpoint()}: {error}. Run again, or check AWS_ENDPOINT_URL.")


def _passing(message: str) -> StoreError:
    found = StoreError(message)
    found.may_pass = True
    return found


def status_of(error: ClientError | BotoCoreError) -> int:
    """The HTTP status that the server answered with; 0 if it did not answer."""
    response = error.response if isinstance(error, ClientError) else {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def endpoint() -> str:
    """Where the environment says that the server is."""
    return os.environ.get("AWS_ENDPOINT_URL", "AWS (AWS_ENDPOINT_URL is not set)")
