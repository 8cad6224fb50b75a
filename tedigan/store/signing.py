"""Signed statements: in-toto Statement v1 in a DSSE envelope, by an Ed25519, ECDSA or RSA key that lies in a file.

https://github.com/in-toto/attestation and https://github.com/secure-systems-lab/dsse; securesystemslib does the
cryptography, so that any tool that knows the two reads and verifies what is written here.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tedigan.errors import DataError, ParamsError, StoreError

STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"


def make_key(path: Path) -> Path:
    """Write a new Ed25519 key, readable by nobody else, and its public half beside it; the latter's path."""
    from cryptography.hazmat.primitives import serialization as forms
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    public = path.with_suffix(".pub")
    if path == public or path.exists() or public.exists():
        raise ParamsError(
            f"{path} or {public} exists, or is the other's name; expected neither, as a key is never written "
            "over. Name another."
        )
    with contextlib.suppress(OSError):  # which the next step says
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(
                key.private_bytes(
                    forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption()
                )
            )
        public.write_bytes(
            key.public_key().public_bytes(
                forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo
            )
        )
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error}; expected a place for a key. Name another."
        ) from error
    return public


def sign(
    subject: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any], key: Path
) -> bytes:
    """An envelope. subject: name -> sha256, what is spoken of. key: a private key, PEM without a password."""
    from securesystemslib.dsse import Envelope

    statement = {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in subject.items()
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }
    envelope = Envelope(json.dumps(statement, sort_keys=True).encode(), PAYLOAD, {})
    envelope.sign(_signer(key))
    return f"{json.dumps(envelope.to_dict(), indent=1)}\n".encode()


def signed_statement(content: bytes, keys: Sequence[Path], *, source: str) -> dict[str, Any]:
    """What an envelope states, if one of these public keys (PEM) signed it; else a DataError.

    No key: what it states is given unverified, to be looked at.
    """
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError

    try:
        envelope = Envelope.from_dict(json.loads(content))
        statement: dict[str, Any] = json.loads(envelope.payload)
        is_known = envelope.payload_type == PAYLOAD and statement["_type"] == STATEMENT
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(
            f"{source} is no signed statement: {error!r}. It was changed; take it away, or put it back."
        ) from error
    if not is_known:
        raise DataError(
            f"{source} is a {envelope.payload_type}, expected a statement as in-toto has it. It was changed."
        )
    if keys:
        try:
            envelope.verify([_public_key(key) for key in keys], 1)
        except VerificationError as error:
            raise DataError(
                f"{source} was changed, or signed by none of {', '.join(map(str, keys))}: {error}. Name the "
                "public key of who may sign."
            ) from error
    return statement


def _signer(key: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner  # type: ignore[attr-defined]

    try:
        return CryptoSigner(load_pem_private_key(key.read_bytes(), password=None))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ParamsError(
            f"{key} is no private key: {error}; expected a PEM file without a password. Name one, or make one "
            "with `tedigan release key FILE`."
        ) from error


def _public_key(path: Path) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey  # type: ignore[attr-defined]

    try:
        return SSlibKey.from_crypto(load_pem_public_key(path.read_bytes()))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ParamsError(
            f"{path} is no public key: {error}; expected a PEM file, as `tedigan release key` writes beside a "
            "key. Name one."
        ) from error
