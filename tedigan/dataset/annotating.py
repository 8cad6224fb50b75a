"""What makes the parts that a source lacks: a grammar, and models by path; each process opens its own.

`Annotators` is a few words that can be handed to worker processes; a model is opened where it is first
used, once a process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from tedigan.annotators.descriptor import FaceDescriptor, load_descriptor
from tedigan.annotators.face_parts import has_face, shares_of
from tedigan.annotators.landmark_labels import labels_of_landmarks
from tedigan.annotators.landmarks import can_look, find_landmarks, landmark_model, shows_face
from tedigan.annotators.matting import Matting
from tedigan.annotators.parser import load_parser
from tedigan.annotators.parser_network import Parser
from tedigan.annotators.simplifier import Simplifier
from tedigan.annotators.tagger import Tagger, load_tagger
from tedigan.captions.grammar import Grammar
from tedigan.captions.grammar_file import GrammarFile
from tedigan.captions.grammar_files import CELEBA, load_grammar
from tedigan.dataset.kinds.alignment import align
from tedigan.errors import ParamsError
from tedigan.store.files import sha256_file, sha256_value
from tedigan.store.model_folders import CONFIG
from tedigan.store.pictures import resize
from tedigan.tensors import to_images

FOUND_PX = 64  # the side in which a parser looks for a face
LANDMARKS = "landmarks"  # a parser that is no network: see tedigan.annotators.landmark_labels


@dataclass(frozen=True)
class Annotators:
    """Which models there are; None where there is none. device: where torch's networks run.

    parser: a folder, a hub id, or LANDMARKS, which needs a matting model. is_aligning: cut each photograph
    out as FFHQ does.
    """

    grammar: Grammar
    tagger: Path | None = None
    parser: str | None = None
    matting: Path | None = None
    simplifier: Path | None = None
    is_aligning: bool = False
    device: str = "cpu"

    def align(
        self, photograph: UInt8[Tensor, "3 h w"], *, size_px: int, name: str
    ) -> UInt8[Tensor, "3 size size"]:
        """The one face of a photograph; an ImageError if there is none, or more than one."""
        return align(photograph, find_landmarks(photograph, name=name), size_px=size_px)

    def shows_face(self, photograph: UInt8[Tensor, "3 h w"]) -> bool | None:
        """Whether dlib finds a face; None where there is neither it nor a parser to ask.

        The parser alone sees a face in every fourth picture of something else (docs/numbers.md).
        """
        if can_look():
            return shows_face(photograph)
        if not self.has_parser:
            return None
        return has_face(shares_of(self.labels(resize(photograph, FOUND_PX))[0]))

    def describe(self, photograph: UInt8[Tensor, "3 h w"]) -> bytes:
        """Who it is, by dlib's descriptor: 128 numbers of an aligned face, float32."""
        content: bytes = _descriptor()(to_images(photograph[None]))[0].numpy().tobytes()
        return content

    @property
    def has_parser(self) -> bool:
        """Whether a network sees label maps."""
        return self.parser not in (None, LANDMARKS)

    @property
    def proposed(self) -> tuple[str, ...]:
        """The attributes that the tagger speaks of; none without one."""
        return () if self.tagger is None else _tagger(self.tagger, self.device).names

    def attributes(self, photograph: UInt8[Tensor, "3 h w"]) -> bytes:
        """Which of the proposed attributes the face seems to show, one byte each."""
        assert self.tagger is not None, "nobody asked for predicted attributes"
        exclusive = list(self.grammar.file.exclusive.values())
        tagger = _tagger(self.tagger, self.device)
        (row,) = tagger.propose(to_images(photograph[None]), exclusive=exclusive)
        return bytes(row.tolist())

    def labels(self, photograph: UInt8[Tensor, "3 h w"]) -> UInt8[Tensor, "1 h w"]:
        """The label map that the parser sees."""
        assert self.parser is not None, "nobody asked for predicted label maps"
        if self.parser == LANDMARKS:
            landmarks, alpha = find_landmarks(photograph), self.alpha(photograph)
            return labels_of_landmarks(photograph, landmarks, alpha)[None]
        return _parser(self.parser, self.device).parse(to_images(photograph[None]))

    def alpha(self, photograph: UInt8[Tensor, "3 h w"]) -> Float[Tensor, "h w"]:
        """How much of each pixel is the person."""
        assert self.matting is not None, "nobody asked for mattes"
        return Matting.open(self.matting).alpha(photograph)

    def simplify(self, drawing: Float[Tensor, "1 1 h w"]) -> Float[Tensor, "1 1 h w"]:
        """A rough drawing with clean strokes."""
        assert self.simplifier is not None, "nobody asked for a simplifier"
        return Simplifier.open(self.simplifier)(drawing)

    def origins(self) -> dict[str, str]:
        """Part of a record -> the model that makes it where the source has none, with its digest."""
        origins = {}
        if self.tagger is not None:
            origins["attributes"] = _tagger(self.tagger, self.device).origin
        if self.matting is not None:
            origins["cutout"] = Matting.open(self.matting).origin
        if self.parser == LANDMARKS:
            origins["label"] = f"{origins['cutout']} and {landmark_model()}"
        elif self.parser is not None:
            origins["label"] = _parser(self.parser, self.device).origin
        if self.simplifier is not None:
            origins["sketch"] = Simplifier.open(self.simplifier).origin
        if self.is_aligning:
            origins["image"] = f"source, aligned by {landmark_model()}"
        return origins

    def digest(self) -> str:
        """Of what `origins` does not say: the grammar, what the tagger may say, and who looks for faces."""
        config = None if self.tagger is None else sha256_file(self.tagger / CONFIG)
        looks = [] if config is None else [can_look()]
        return sha256_value([self.grammar.file.model_dump(mode="json"), config, *looks])


@dataclass(frozen=True)
class Helpers:
    """Places of the files that `open_annotators` opens; None where there is none. See params.yaml, `dataset`.

    parser: a folder, a hub id, or LANDMARKS. negatives: share of captions with denials; None = the grammar's.
    """

    grammar: Path | None = None
    negatives: float | None = None
    align: bool = False
    tagger: Path | None = None
    parser: str | None = None
    matting: Path | None = None
    simplifier: Path | None = None


def open_annotators(
    helpers: Helpers, *, columns: Sequence[str] | None, device: torch.device
) -> Annotators:
    """Them, for a source with these attributes; None where they are not known yet.

    Where the source has none, they are those of the tagger.
    """
    if helpers.parser == LANDMARKS and helpers.matting is None:
        raise ParamsError(
            f"dataset.parser is {LANDMARKS}, dataset.matting is null; landmarks do not say where hair ends. "
            "Name an .onnx of rembg in dataset.matting."
        )
    tagger = helpers.tagger
    if columns is not None and not columns:
        columns = None if tagger is None else _tagger(tagger, str(device)).names
    return Annotators(
        open_grammar(helpers.grammar, columns=columns, denial_share=helpers.negatives),
        tagger=tagger,
        parser=helpers.parser,
        matting=helpers.matting,
        simplifier=helpers.simplifier,
        is_aligning=helpers.align,
        device=str(device),
    )


def open_grammar(
    path: Path | None, *, columns: Sequence[str] | None, denial_share: float | None
) -> Grammar:
    """The grammar of a file, or the built-in one; `denial_share` takes the place of its own."""
    grammar = _built_in_grammar() if path is None else load_grammar(path, columns=columns)
    if denial_share is None:
        return grammar
    denials = grammar.file.denials.model_copy(update={"share": denial_share})
    file: GrammarFile = grammar.file.model_copy(update={"denials": denials})
    return replace(grammar, file=file)


@cache
def _built_in_grammar() -> Grammar:
    return load_grammar(CELEBA)


@cache
def _descriptor() -> FaceDescriptor:
    return load_descriptor()


@lru_cache(maxsize=2)
def _tagger(folder: Path, device: str) -> Tagger:
    return load_tagger(folder, torch.device(device))


@lru_cache(maxsize=2)
def _parser(place: str, device: str) -> Parser:
    return load_parser(place, torch.device(device))
