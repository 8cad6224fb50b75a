"""Records of photographs: every file of a source is checked before anything is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from jaxtyping import UInt8
from torch import Tensor

from tedigan.annotators.mended_labels import mend_labels, without_islands
from tedigan.dataset.annotating import Annotators
from tedigan.dataset.duplicates import perceptual_hash
from tedigan.dataset.kinds.cutouts import check_person
from tedigan.dataset.records import (
    CUT_OUT,
    FROM_SOURCE,
    SKETCHED,
    WRITTEN,
    Checked,
    Finding,
    Parts,
    Recipe,
    Rejected,
    files_of,
    write_captions,
)
from tedigan.dataset.sources import ItemFiles, Source
from tedigan.dataset.splits import FIRST_GROUP
from tedigan.dataset.swapped_masks import LOOK_PX, doubted, outline_of
from tedigan.errors import AttributeFileError, DataError, ImageError, StoreError
from tedigan.store import pictures
from tedigan.store.files import sha256_value
from tedigan.store.listing import LeftOut
from tedigan.vocabulary.labels import resize_labels

FACELESS = "no face is found, and the tagger speaks of one"
NOBODY_LOOKED = "nobody looked whether there is a face: name a parser, or install tedigan[align]"
MENDED = ", mended by the attributes"  # after who predicted a label map


class PhotographMaker:
    """Reads the records of a source; their ids are its numbers.

    rejects_conflicts: set photographs aside whose attributes contradict each other, else note them.
    rejects_faceless: likewise those without a face of which a tagger is to say what they show. groups_people: by
    their faces, where the source does not say who is who.
    """

    def __init__(
        self,
        recipe: Recipe,
        source: Source,
        annotators: Annotators,
        *,
        rejects_conflicts: bool,
        rejects_faceless: bool = True,
        groups_people: bool = False,
    ) -> None:
        if annotators.is_aligning and (shaped := source.kinds & {"label", "sketch", "cutout"}):
            raise DataError(
                f"the source has its own {' and '.join(sorted(shaped))} files, which alignment would not "
                "move along. Set dataset.align to false: such photographs are aligned already."
            )
        self.recipe = recipe
        self.source = source
        self.layout, self.licence, self.notes = source.layout, source.licence, source.notes
        self.left_out: Sequence[LeftOut] = source.left_out
        self.has_identities = min((source.identities or {-1: -1}).values()) >= 0
        self.partitions: Mapping[str, Mapping[int, str]] = source.partitions
        is_given = source.attributes is not None
        self.attribute_names = source.attribute_names if is_given else annotators.proposed
        self.origins = _origins(source, annotators)
        self.suffixes = recipe.suffixes(self.origins)
        if "text" in self.suffixes and self.origins["text"] != FROM_SOURCE:
            _check_grammar(annotators, self.attribute_names)
        self.annotators = annotators
        self._rejects_conflicts = rejects_conflicts
        self._rejects_faceless = rejects_faceless
        self.groups_people = groups_people and not self.has_identities

    def check(self, item: tuple[int, Finding | None]) -> Finding:
        """Read, decode and compare everything that belongs to a photograph."""
        id, known = item
        name, key = self.source.items[id].photograph.name, ""
        try:
            files = ItemFiles(id, self.source.items[id])
            key = self._key(files)
            if known is not None and (known.key, known.source_name) == (key, name):
                return known
            parts = self._parts(files)
            notes = [*self._faceless(name, parts), *self._unusual(files, parts)]
            attributes = self._attributes(id, parts.photograph)
            notes += self._conflicts(name, attributes)
            return Checked(
                id,
                key,
                name,
                source_sha256=sha256(files.photograph_bytes).hexdigest(),
                identity=self._identity(id),
                attributes=attributes,
                hash=perceptual_hash(parts.photograph),
                notes=(*pictures.peculiarities(files.photograph_bytes), *notes),
                num_captions=0 if parts.text is None else len(parts.text.splitlines()),
                descriptor=self._descriptor(parts.photograph),
                outlines=self._outlines(parts),
            )
        except DataError as error:
            return Rejected(id, key, name, error.problem, str(error))

    def make(self, checked: Checked) -> dict[str, bytes] | Rejected:
        """The files of a photograph that was checked; Rejected if a model cannot make one of them."""
        id, name = checked.id, checked.source_name
        files = ItemFiles(id, self.source.items[id])
        if self._key(files) != checked.key:
            raise StoreError(
                f"{name} changed while the data set was made. Run again, when nobody writes to the source."
            )
        try:
            return files_of(self, self._annotated(self._parts(files), checked))
        except DataError as error:
            return Rejected(id, checked.key, name, error.problem, str(error))

    def _key(self, files: ItemFiles) -> str:
        attributes = (self.source.attributes or {}).get(files.id, b"")
        identity = (self.source.identities or {}).get(files.id)
        return sha256_value([files.id, attributes.hex(), identity, *files.digests()])

    def _parts(self, files: ItemFiles) -> Parts:
        """Everything that the source has, decoded."""
        photograph, kinds = files.photograph(), self.source.kinds
        if self.annotators.is_aligning:
            side = self.recipe.resolution
            photograph = self.annotators.align(photograph, size_px=side, name=files.name)
        labels = files.labels(photograph) if "label" in kinds else None
        if (
            labels is not None
            and self.origins.get("cutout") == CUT_OUT
            and "cutout" in self.suffixes
        ):
            check_person(resize_labels(labels, self.recipe.resolution)[0])
        return Parts(
            photograph,
            labels,
            files.sketch(photograph) if "sketch" in kinds else None,
            files.captions() if "text" in kinds else None,
            files.cutout(photograph) if "cutout" in kinds else None,
        )

    def _faceless(self, name: str, parts: Parts) -> list[str]:
        """A tagger says of a wall, too, whether it smiles: whether there is a face, as a note or an error."""
        is_tagged = self.source.attributes is None and self.attribute_names
        if not is_tagged or self.annotators.is_aligning:
            return []
        found = self.annotators.shows_face(parts.photograph)
        if found is False and self._rejects_faceless:
            raise ImageError(
                f"no face is found on {name}, and the tagger would say of it what it says of faces. Leave it out, "
                "give its attributes in a table, or set dataset.faceless to keep.",
                problem="no face",
            )
        return [] if found else [NOBODY_LOOKED if found is None else FACELESS]

    def _descriptor(self, photograph: UInt8[Tensor, "3 h w"]) -> bytes:
        return self.annotators.describe(photograph) if self.groups_people else b""

    def _outlines(self, parts: Parts) -> bytes:
        """Where there is a parser, it may say that the source's label map is another photograph's."""
        if parts.labels is None or not self.annotators.has_parser:
            return b""
        look = pictures.resize(parts.photograph, LOOK_PX)
        seen = self.annotators.labels(look)[0]
        return doubted(outline_of(seen), outline_of(resize_labels(parts.labels, LOOK_PX)[0]))

    def _unusual(self, files: ItemFiles, parts: Parts) -> list[str]:
        """What is right to keep, and worth a look."""
        notes = [f"the mask of {name} is there and empty" for name in files.empty_masks()]
        if parts.labels is not None and not parts.labels.any():
            notes.append("the label map is background and nothing else")
        enlarged = self.recipe.resolution / min(parts.photograph.shape[1:])
        if enlarged > 1:
            notes.append("enlarged more than twofold" if enlarged > 2 else "enlarged up to twofold")
        return notes

    def _annotated(self, parts: Parts, checked: Checked) -> Parts:
        """With what the source lacks: captions by the grammar, a label map by the parser."""
        if parts.text is None and "text" in self.suffixes:
            parts = replace(parts, text=write_captions(self, checked))
        if parts.labels is None and self.annotators.parser is not None:
            size_px = min(parts.photograph.shape[1:])
            square = pictures.resize(parts.photograph, size_px)
            labels = without_islands(self.annotators.labels(square))
            if self.source.attributes is not None:
                labels = mend_labels(labels, self._said(checked))
            parts = replace(parts, photograph=square, labels=labels)
        return parts

    def _said(self, checked: Checked) -> dict[str, bool]:
        """The attributes that the record has, and those that it has not."""
        return dict(zip(self.attribute_names, map(bool, checked.attributes), strict=True))

    def _attributes(self, id: int, photograph: UInt8[Tensor, "3 h w"]) -> bytes:
        if self.source.attributes is None:
            return self.annotators.attributes(photograph) if self.attribute_names else b""
        if id not in self.source.attributes:
            raise AttributeFileError(
                f"photograph {id} has no row in the attribute file. Add it.",
                problem="no attributes",
            )
        return self.source.attributes[id]

    def _identity(self, id: int) -> int:
        if self.source.identities is None:
            return FIRST_GROUP - id if self.groups_people else id
        if id not in self.source.identities:
            raise DataError(
                f"photograph {id} has no row in identity.csv. Add it.", problem="no identity"
            )
        who = self.source.identities[id]
        return FIRST_GROUP - id if who < 0 and self.groups_people else who

    def _conflicts(self, name: str, attributes: bytes) -> list[str]:
        """What cannot be true at once, as a note or an error."""
        pairs = zip(self.attribute_names, attributes, strict=True)
        found = self.annotators.grammar.contradictions({name: bool(v) for name, v in pairs})
        if found and self._rejects_conflicts:
            raise AttributeFileError(
                f"{name} is said to have what excludes each other ({'; '.join(found)}); expected one of "
                "each. Mend its row, or set dataset.attribute_conflicts to keep.",
                problem="attribute conflict",
            )
        return ["attributes contradict each other; captions say one of them"] if found else []


def _check_grammar(annotators: Annotators, names: Sequence[str]) -> None:
    known = annotators.grammar.file.attributes
    if not set(names) & known.keys():
        raise DataError(
            f"no caption can be written: the grammar speaks of {', '.join(list(known)[:4])}..., the source's "
            f"attributes are {', '.join(names[:4])}... Set dataset.grammar to a file that speaks of them, "
            "or leave text out of dataset.kinds."
        )


def _origins(source: Source, annotators: Annotators) -> dict[str, str]:
    """What each kind comes from, of those that are possible: the source first, then the models."""
    origins = {"image": FROM_SOURCE, "sketch": SKETCHED} | annotators.origins()
    if source.attributes is not None:
        origins["attributes"] = FROM_SOURCE
    if "attributes" in origins:
        is_given = origins["attributes"] == FROM_SOURCE
        origins["text"] = WRITTEN if is_given else f"{WRITTEN}, which are {origins['attributes']}"
    if "label" in origins and source.attributes is not None:
        origins["label"] += MENDED
    if "label" in source.kinds or ("label" in origins and "cutout" not in origins):
        origins["cutout"] = CUT_OUT
    return origins | dict.fromkeys(source.kinds, FROM_SOURCE)
