"""One .npz with all that rivals learn from, so that a bare machine with torch alone can train them.

pictures, ends    WebP files of the train split one behind the other, and where each ends; or photographs, uint8
                  [n 3 64 64]
captions          their captions in order, ten each, a line a caption, as bytes of UTF-8
mentions          int8 [10 n, 40]: 1 stated, -1 denied, 0 left open, as the data set's grammar reads a caption
attributes        int8 [n, 40]: 1 or -1
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.photo_pack import decoded, encoded
from tedigan.errors import DataError


@dataclass(frozen=True)
class Pack:
    """pixels: uint8 [n 3 64 64]. mentions: int8 [m 40]. attributes: bool [n 40]."""

    pixels: Tensor
    captions: list[str]
    mentions: Tensor
    attributes: Tensor


def write_pack(workspace: Path, path: Path, *, quality: int, most: int | None) -> None:
    """The train split of a workspace's data set, or the first `most` of it."""
    from tedigan.captions.grammar_files import load_grammar
    from tedigan.captions.reader import Reader
    from tedigan.dataset.folder import Dataset
    from tedigan.rivals.captioned import Captioned
    from tedigan.workspace import Workspace

    place = Workspace.open(workspace)
    data, reader = Dataset.open(place.dataset), Reader(load_grammar(place.grammar))
    found = Captioned.of(data, data.split("train")[:most], reader)
    np.savez_compressed(
        path,
        **encoded(found.pixels, quality),
        captions=np.frombuffer("\n".join(found.captions).encode(), dtype=np.uint8),
        mentions=found.mentions.numpy(),
        attributes=np.where(found.attributes.numpy(), 1, -1).astype(np.int8),
    )


def read_pack(path: Path) -> Pack:
    """See the module; DataError for what is none."""
    try:
        with np.load(path, allow_pickle=False) as found:
            parts = dict(found)
        if "photographs" in parts:
            pixels = torch.from_numpy(parts["photographs"])
        else:
            pixels = decoded(parts["pictures"], parts["ends"])
        captions = _captions(parts["captions"])
        mentions, attributes = (torch.from_numpy(parts[n]) for n in ("mentions", "attributes"))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} is no pack of photographs: {error!r}. Write one with `python -m benchmarks.rivals pack`."
        ) from error
    mentions = mentions.reshape(len(captions), -1).to(torch.int8)
    return Pack(pixels, captions, mentions, attributes > 0)


def _captions(kept: np.ndarray) -> list[str]:
    """Bytes of lines, or an array of strings."""
    if kept.dtype == np.uint8:
        return kept.tobytes().decode().split("\n")
    return [one.decode() if isinstance(one, bytes) else str(one) for one in kept.ravel().tolist()]
