"""Records of photographs: every file of a source is checked before anything is made of it."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from tedigan.data.attributes import ATTRIBUTE_NAMES
from tedigan.data.caption_words import EXCLUSIVE
from tedigan.data.cutouts import check_person
from tedigan.data.duplicates import perceptual_hash
from tedigan.data.labels import resize_labels
from tedigan.errors import AttributeFileError, DataError
from tedigan.stages.records import (
    FROM_SOURCE,
    WRITTEN,
    Checked,
    Finding,
    Parts,
    Recipe,
    Rejected,
    files_of,
    write_captions,
)
from tedigan.store import pictures
from tedigan.store.files import sha256_value
from tedigan.store.sources import ItemFiles, Source


class PhotographMaker:
    """Reads the records of a source; their ids are its numbers.

    rejects_conflicts: set photographs aside whose attributes contradict each other, else note them.
    """

    def __init__(self, recipe: Recipe, source: Source, *, rejects_conflicts: bool) -> None:
        self.recipe = recipe
        self.source = source
        self.layout, self.licence = source.layout, source.licence
        self.attribute_names = source.attribute_names
        self.has_identities = source.identities is not None
        self.partitions: Mapping[str, Mapping[int, str]] = source.partitions
        self.origins = _origins(source)
        self.suffixes = recipe.suffixes(self.origins)
        self._rejects_conflicts = rejects_conflicts

    def check(self, item: tuple[int, Finding | None]) -> Finding:
        """Read, decode and compare everything that belongs to a photograph."""
        id, known = item
        name, key = self.source.items[id].photograph.name, ""
        try:
            files = ItemFiles(id, self.source.items[id])
            key = self._key(files)
            if known is not None and (known.key, known.source_name) == (key, name):
                return known
            attributes = self._attributes(id)
            notes = self._conflicts(name, attributes)
            parts = self._parts(files)
            return Checked(
                id,
                key,
                name,
                source_sha256=sha256(files.photograph_bytes).hexdigest(),
                identity=self._identity(id),
                attributes=attributes,
                hash=perceptual_hash(parts.photograph),
                notes=(*pictures.peculiarities(files.photograph_bytes), *notes),
            )
        except DataError as error:
            return Rejected(id, key, name, error.problem, str(error))

    def make(self, checked: Checked) -> dict[str, bytes]:
        """The files of a photograph that was checked; DataError if its source changed since."""
        files = ItemFiles(checked.id, self.source.items[checked.id])
        if self._key(files) != checked.key:
            raise DataError(
                f"{checked.source_name} changed while the data set was made. Run again, when "
                "nobody writes to the source."
            )
        parts = self._parts(files)
        if "text" in self.suffixes and parts.text is None:
            captions = write_captions(self.recipe, checked, self.attribute_names)
            parts = Parts(parts.photograph, parts.labels, parts.sketch, captions)
        return files_of(self.suffixes, self.recipe, parts)

    def _key(self, files: ItemFiles) -> str:
        attributes = (self.source.attributes or {}).get(files.id, b"")
        identity = (self.source.identities or {}).get(files.id)
        return sha256_value([files.id, attributes.hex(), identity, *files.digests()])

    def _parts(self, files: ItemFiles) -> Parts:
        """Everything that the source has, decoded; captions that are to be written are left out."""
        photograph, kinds = files.photograph(), self.source.kinds
        labels = files.labels(photograph) if "label" in kinds else None
        if labels is not None and "cutout" in self.suffixes:
            check_person(resize_labels(labels, self.recipe.resolution)[0])
        return Parts(
            photograph,
            labels,
            files.sketch(photograph) if "sketch" in kinds else None,
            files.captions() if "text" in kinds else None,
        )

    def _attributes(self, id: int) -> bytes:
        if self.source.attributes is None:
            return b""
        if id not in self.source.attributes:
            raise AttributeFileError(
                f"photograph {id} has no row in the attribute file. Add it.",
                problem="no attributes",
            )
        return self.source.attributes[id]

    def _identity(self, id: int) -> int:
        if self.source.identities is None:
            return id
        if id not in self.source.identities:
            raise DataError(
                f"photograph {id} has no row in identity.csv. Add it.", problem="no identity"
            )
        return self.source.identities[id]

    def _conflicts(self, name: str, attributes: bytes) -> list[str]:
        """What cannot be true at once, as a note or an error."""
        for rivals in conflicts(self.attribute_names, attributes):
            if self._rejects_conflicts:
                raise AttributeFileError(
                    f"{name} is said to have {' and '.join(rivals)}; expected one of them. Mend "
                    "its row, or set dataset.attribute_conflicts to keep.",
                    problem="attribute conflict",
                )
            return ["attributes contradict each other; captions say one of them"]
        return []


def conflicts(names: Sequence[str], attributes: bytes) -> list[list[str]]:
    """Groups of attributes that exclude each other and are all said to be true."""
    stated = {name for name, value in zip(names, attributes, strict=True) if value}
    groups = [[name for name in group if name in stated] for group in EXCLUSIVE]
    return [group for group in groups if len(group) > 1]


def _origins(source: Source) -> dict[str, str]:
    """What each kind comes from, of those that are possible."""
    origins = {"image": FROM_SOURCE, "sketch": "made from the image"}
    if source.attribute_names:
        origins["attributes"] = FROM_SOURCE
    if source.attribute_names == ATTRIBUTE_NAMES:
        origins["text"] = WRITTEN
    if "label" in source.kinds:
        origins["cutout"] = "cut out along the label map"
    return origins | dict.fromkeys(source.kinds, FROM_SOURCE)
