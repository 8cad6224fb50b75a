"""A signature upon a model folder: who answers for what lies there, and who must, where a policy asks.

`SHA256SUMS.sig` states the sha256 of every file (an in-toto statement in a DSSE envelope, tedigan.store.signing);
SHA256SUMS says the same, and is compared at every load. So what is loaded after `check_signed` is what was signed.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from tedigan.errors import DataError, WeightsError
from tedigan.models.verification import verify_folder
from tedigan.store.files import write_bytes
from tedigan.store.model_folders import CONFIG, LAYERS
from tedigan.store.plain_files import read_plain
from tedigan.store.signing import sign, signed_statement
from tedigan.store.sums import MAX_SUMS, SUMS, read_sums

SIGNATURE = f"{SUMS}.sig"
PREDICATE = "urn:tedigan:model-folder:v1"
MAX_SIGNATURE = 4 * MAX_SUMS  # bytes


def sign_folder(folder: Path, key: Path) -> list[str]:
    """Sign a folder that is whole, in the place of an earlier signature; the names of its networks.

    key: a private one, PEM. Raises WeightsError for a folder that is not whole, ParamsError for no such key.
    """
    names = verify_folder(folder)
    content = sign(read_sums(folder), PREDICATE, {"networks": names}, key)
    write_bytes(folder / SIGNATURE, content)
    return names


def check_signed(place: Path, signers: Sequence[Path]) -> None:
    """Refuse what nobody of these signed; without signers nothing is asked.

    place: a model folder, one that holds model folders, or an official file, which no signature lies beside.
    signers: public keys, PEM, any of which will do. Raises WeightsError, ParamsError for what is no key.
    """
    if not signers:
        return
    if place.is_file():
        raise WeightsError(
            f"{place} is a file, expected a model folder that one of {_list(signers)} signed. Import it with "
            "`tedigan models import`, look at it, and sign the folder with `tedigan models sign`."
        )
    folders = _folders(place)
    if not folders:
        raise WeightsError(
            f"{place} holds no model folder, expected one that one of {_list(signers)} signed. Mend its name."
        )
    for folder in folders:
        _check(folder, signers)


def _check(folder: Path, signers: Sequence[Path]) -> None:
    path = folder / SIGNATURE
    if not path.exists():
        raise WeightsError(
            f"{folder} is not signed, expected {SIGNATURE} by one of {_list(signers)}. Let who answers for it run "
            "`tedigan models sign`, or ask for no signer."
        )
    content = read_plain(path, MAX_SIGNATURE)
    try:
        statement = signed_statement(content, signers, source=str(path))
        stated = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
        is_of_folder = statement["predicateType"] == PREDICATE
    except DataError as error:
        raise WeightsError(str(error)) from None
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(
            f"{path} is signed, but states no files ({str(error)[:60]}); expected what `tedigan models sign` "
            "writes. Sign the folder again."
        ) from None
    if not is_of_folder or stated != read_sums(folder):
        raise WeightsError(
            f"{path} was signed for another state of {folder}, expected that of {SUMS}: a file was changed, added "
            "or taken away since. Look at what changed, and sign it again."
        )


def _folders(place: Path) -> list[Path]:
    """All that may be opened there: the place itself, and those directly in it."""
    inside = sorted(place.iterdir()) if place.is_dir() else []
    return [one for one in (place, *inside) if _is_model(one)]


def _is_model(folder: Path) -> bool:
    return any(os.path.lexists(folder / name) for name in (CONFIG, LAYERS))


def _list(signers: Iterable[Path]) -> str:
    return ", ".join(map(str, signers))
