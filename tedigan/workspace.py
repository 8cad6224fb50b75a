"""What a stage needs to know of its surroundings, and what it says when it is done."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tedigan.captions.grammar_files import GRAMMAR
from tedigan.errors import NumbersError
from tedigan.models.signatures import check_signed
from tedigan.overlay import check_written
from tedigan.params import Params, read_params, write_params
from tedigan.tensors import choose_device


@dataclass(frozen=True)
class Workspace:
    """A folder with a params.yaml, and the places that the stages read and write.

    Every place is absolute. `device` is where networks run.
    """

    root: Path
    params: Params

    @classmethod
    def open(cls, root: Path, *, writes_params: bool = False) -> "Workspace":
        """The workspace whose params.yaml lies in `root`; refused if an overlay there makes another.

        writes_params: write what the overlay makes first. Not where DVC has read it already.
        """
        if writes_params:
            write_params(root)
        check_written(root)
        return cls(root.resolve(), read_params(root / "params.yaml"))

    def at(self, path: str | Path) -> Path:
        """A path of params.yaml, made absolute."""
        return (self.root / path).resolve()

    def given(self, path: str | Path) -> Path:
        """The same of a model that somebody brings, signed by one of `runtime.model_signers` if there are any.

        Raises WeightsError.
        """
        place = self.at(path)
        check_signed(place, [self.at(key) for key in self.params.runtime.model_signers])
        return place

    def at_or_none(self, path: str | Path | None) -> Path | None:
        """The same of a path that may be left out."""
        return None if path is None else self.at(path)

    @property
    def code_lock(self) -> Path:
        """What DVC takes for the code of each stage; see tedigan.code_lock."""
        return self.at(self.params.paths.code)

    @property
    def dataset(self) -> Path:
        """The data set."""
        return self.at(self.params.paths.data) / "dataset"

    @property
    def data_card(self) -> Path:
        """The page about the data set; beside it, so that its look is no input of other stages."""
        return self.dataset.with_suffix(".html")

    @property
    def grammar(self) -> Path:
        """By which the data set's captions were written, and captions are read."""
        return self.dataset / GRAMMAR

    @property
    def codes(self) -> Path:
        """W+ codes of the data set's photographs."""
        return self.at(self.params.paths.data) / "codes"

    @property
    def models(self) -> Path:
        """The models' folders: generator, encoder, text_encoder, guide, latent_tagger, layers, referee, rivals."""
        return self.at(self.params.paths.models)

    def model(self, name: str) -> Path:
        """One of them."""
        return self.models / name

    def result(self, name: str) -> Path:
        """A result's folder: evaluation, edits, generated, manipulated, showcase or report."""
        return self.at(self.params.paths.results) / name

    @property
    def work(self) -> Path:
        """Checkpoints, caches and run records; never tracked by DVC."""
        return self.at(self.params.paths.work)

    @property
    def runs(self) -> Path:
        """The run records (tedigan.provenance)."""
        return self.work / "runs"

    @property
    def turn(self) -> Path:
        """The lock of who runs a stage here: one process at a time (tedigan.turns)."""
        return self.work / "turn"

    @property
    def device(self) -> torch.device:
        """`runtime.device`, where auto takes a GPU if there is one."""
        return choose_device(self.params.runtime.device)


@dataclass(frozen=True)
class Outcome:
    """What a stage did. Goes into the run record and MLflow, never into a DVC output.

    metrics: final numbers, by name; NaN and infinity are a NumbersError.
    curves: file of per-step numbers among the outputs (CSV), if any.
    pictures: files among the outputs that a person would look at.
    resumed_from_step: the checkpoint's step if the stage went on from one, else None.
    num_quarantined: records set aside with a reason.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    curves: Path | None = None
    pictures: list[Path] = field(default_factory=list)
    resumed_from_step: int | None = None
    num_quarantined: int = 0

    def __post_init__(self) -> None:
        for name, value in self.metrics.items():
            if not math.isfinite(value):
                raise NumbersError(
                    f"the stage's {name} is {value}, expected a finite number: its result cannot be used. Look "
                    "at what it trained or measured, and run it again with a lower learning rate."
                )
