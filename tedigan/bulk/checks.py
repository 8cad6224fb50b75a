"""What is looked at in each picture of a job beside its prompt: is it a face, and whose photograph is it near?

    checks/parser/                      a parser's folder: a face is found where it sees the parts of one
    checks/training/training.safetensors    what is kept of the training photographs, and how near is too near

A check that the plan does not have measures nothing: its columns are null.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from tedigan.annotators.face_parts import has_face, shares_of
from tedigan.annotators.parser import load_parser
from tedigan.annotators.parser_network import Parser
from tedigan.evaluation.training_photographs import TrainingPhotographs
from tedigan.tensors import to_images

PARSER, TRAINING = "checks/parser", "checks/training"
FACE = ("skin", "nose", "mouth", "u_lip", "l_lip", "l_eye", "r_eye", "eye_g", "l_brow", "r_brow")
NO_FACE, COPY = "no face found", "near a training photograph"


@dataclass(frozen=True)
class Checked:
    """Of one picture. measured: column of the job's table -> value."""

    faults: tuple[str, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Checks:
    """None = it is not looked at."""

    parser: Parser | None = None
    training: TrainingPhotographs | None = None

    def look(self, pixels: UInt8[Tensor, "n 3 r r"]) -> list[Checked]:
        """Each picture of a batch."""
        faults: list[list[str]] = [[] for _ in pixels]
        measured: list[dict[str, Any]] = [{} for _ in pixels]
        if self.parser is not None:
            labels = self.parser.parse(to_images(pixels))
            for row, shares in enumerate(map(shares_of, labels)):
                measured[row]["face_share"] = sum(shares[name] for name in FACE)
                if not has_face(shares):
                    faults[row].append(NO_FACE)
        if self.training is not None:
            for row, (name, similarity) in enumerate(self.training.nearest(pixels)):
                measured[row] |= {"nearest": name, "nearest_similarity": similarity}
                if similarity > self.training.limit:
                    faults[row].append(f"{COPY} ({name})")
        return [Checked(tuple(a), b) for a, b in zip(faults, measured, strict=True)]


def open_checks(
    names: Collection[str], file: Callable[[str], Path], device: torch.device
) -> Checks:
    """Of the files of a plan."""
    parser, training = _folder(names, PARSER, file), _folder(names, TRAINING, file)
    return Checks(
        None if parser is None else load_parser(str(parser), device),
        None if training is None else TrainingPhotographs.load(training),
    )


def _folder(names: Collection[str], folder: str, file: Callable[[str], Path]) -> Path | None:
    """Where a check's files lie here, all of them; None where the plan has none."""
    found: Sequence[Path] = [file(name) for name in names if name.startswith(f"{folder}/")]
    return found[0].parent if found else None
