"""What a list of sources names: files beside it, or pictures of the data set's test photographs."""

from dataclasses import dataclass
from pathlib import Path

from jaxtyping import UInt8
from torch import Tensor

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.jobs.source_list import SourceRow
from tedigan.method.sources import SourceName
from tedigan.models.source_reader import Picture
from tedigan.progress import note
from tedigan.store.pictures import to_pillow

OF_TEST = "test:"
KINDS: dict[SourceName, str] = {"sketch": "sketch", "label": "label"}  # others are photographs


@dataclass(frozen=True)
class SourcePictures:
    """folder: of the list. `test:3` is the fourth test photograph, or the data set's sketch or label map of it."""

    data: Dataset
    folder: Path

    def there(self, rows: list[SourceRow]) -> list[SourceRow]:
        """Those whose kinds of pictures the data set has; it is noted which others are left out."""
        kept = []
        for number, row in enumerate(rows):
            absent = [name for name, place in row.given.items() if self._lacks(name, place)]
            if absent:
                note(f"compose: row {number} is left out, as the data set has no {absent[0]}")
            else:
                kept.append(row)
        return kept

    def picture(self, name: SourceName, place: str) -> Picture:
        """A file, or the picture itself. DataError for a test photograph that is not there."""
        if not place.startswith(OF_TEST):
            return self.folder / place
        ids, number = self.data.split("test"), place.removeprefix(OF_TEST)
        if not number.isascii() or not number.isdecimal() or int(number) >= len(ids):
            raise DataError(
                f"{place!r} is no photograph of the test split, which has {len(ids)}; expected test:0 to "
                f"test:{len(ids) - 1}, or a file. Mend compose.sources."
            )
        return to_pillow(self._pixels(name, ids[int(number)]))

    def _lacks(self, name: SourceName, place: str) -> bool:
        return place.startswith(OF_TEST) and KINDS.get(name, "image") not in self.data.kinds

    def _pixels(self, name: SourceName, id: int) -> UInt8[Tensor, "c r r"]:
        if name == "sketch":
            return self.data.sketches([id])[0]
        return self.data.labels([id]) if name == "label" else self.data.pixels([id])[0]
