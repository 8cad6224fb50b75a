"""params.yaml -> frozen, typed `Params`. The only parser; unknown keys are errors.

A stage sees its own section and `Paths`; mathematics sees plain keyword arguments.
"""

import difflib
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from tedigan.errors import ParamsError
from tedigan.overlay import (
    OVERLAY,
    PARAMS,
    PIPELINE,
    base_of,
    is_written,
    merge,
    read_sections,
    write_dvc_home,
)
from tedigan.sections import (
    AnalyseLayers,
    Compose,
    Dataset,
    Evaluate,
    EvaluateEdits,
    EvaluateSources,
    Generate,
    Invert,
    Manipulate,
    Paths,
    Report,
    Runtime,
    Section,
    Showcase,
)
from tedigan.store.files import write_text
from tedigan.training_sections import (
    TrainEncoder,
    TrainGenerator,
    TrainGuide,
    TrainLabelEncoder,
    TrainLatentTagger,
    TrainReferee,
    TrainRivals,
    TrainSketchEncoder,
    TrainTextEncoder,
    TrainTextMapper,
)

T = TypeVar("T")
S = TypeVar("S", bound=Section)


class Params(Section):
    """The whole of params.yaml."""

    paths: Paths
    dataset: Dataset
    train_generator: TrainGenerator
    train_encoder: TrainEncoder
    invert: Invert
    train_sketch_encoder: TrainSketchEncoder
    train_label_encoder: TrainLabelEncoder
    train_text_encoder: TrainTextEncoder
    train_guide: TrainGuide
    train_latent_tagger: TrainLatentTagger
    analyse_layers: AnalyseLayers
    train_text_mapper: TrainTextMapper
    train_referee: TrainReferee
    train_rivals: TrainRivals
    evaluate: Evaluate
    evaluate_edits: EvaluateEdits
    evaluate_sources: EvaluateSources
    generate: Generate
    compose: Compose
    manipulate: Manipulate
    showcase: Showcase
    report: Report
    runtime: Runtime


def read_params(path: Path) -> Params:
    """Parse and check a params.yaml; relative paths in it are relative to its folder.

    Raises ParamsError with every problem at once, each with its key and what was expected.
    """
    return _checked(read_sections(path), str(path))


def write_params(folder: Path) -> None:
    """Write the whole params.yaml of a folder with an overlay, and link dvc.yaml; without one, do nothing.

    Where the whole is not usable, nothing is written.
    """
    if not (folder / OVERLAY).is_file():
        return
    whole, base = merge(folder), os.path.relpath(base_of(folder), folder)
    _checked(whole, f"{folder / OVERLAY} over {base}/{PARAMS}")
    if not is_written(folder):
        head = f"# Of {OVERLAY} and {base}/{PARAMS}, by `python -m tedigan params write`; change those.\n"
        write_text(folder / PARAMS, head + yaml.safe_dump(whole, sort_keys=False))
    write_dvc_home(folder, folder / base)
    if not (folder / PIPELINE).exists():
        (folder / PIPELINE).unlink(missing_ok=True)  # a link that leads nowhere
        (folder / PIPELINE).symlink_to(Path(base) / PIPELINE)


def _checked(raw: dict[str, Any], place: str) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        lines = "\n".join(f"  {_explain(problem)}" for problem in error.errors())
        raise ParamsError(f"{place} is not usable:\n{lines}") from error


def chosen(section: Section, settings: type[T]) -> T:
    """The fields of a dataclass, taken from the keys of the same names."""
    names = [field.name for field in fields(settings)]  # type: ignore[arg-type]
    return settings(**{name: getattr(section, name) for name in names})


def told(section: S, given: Mapping[str, Any], *, name: str) -> S:
    """A section with what somebody gave over it; None is not given. Raises ParamsError as `read_params` does.

    name: of the section, for the message.
    """
    values = {key: value for key, value in given.items() if value is not None}
    try:
        return type(section).model_validate(section.model_dump() | values)
    except ValidationError as error:
        lines = "\n".join(f"  {name}.{_explain(problem)}" for problem in error.errors())
        raise ParamsError(f"what was given is not usable:\n{lines}") from error


def _explain(problem: Any) -> str:
    """One line for one pydantic problem: key, what was wrong, what came, what to do."""
    place = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = _keys_beside(problem["loc"])
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known keys: {', '.join(known)}."
        return f"{place}: unknown key; {hint}"
    if problem["type"] == "missing":
        return f"{place}: missing; add it (see params.yaml of the project for its meaning)."
    return f"{place}: {problem['msg']} (got {problem['input']!r})."


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that params.yaml may have at this place."""
    model: Any = Params
    for part in location[:-1]:
        model = model.model_fields[str(part)].annotation
    return list(model.model_fields)
