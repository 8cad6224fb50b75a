"""Opens a plan's networks, if they are the plan's to the bit."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from tedigan.annotators.tagger import load_guide
from tedigan.bulk.album import PHOTOGRAPHS, Album
from tedigan.bulk.artists import EditArtist, FaceArtist
from tedigan.bulk.checks import open_checks
from tedigan.bulk.draw import Painter
from tedigan.bulk.plan import Plan
from tedigan.bulk.source_artist import SourceArtist
from tedigan.captions.grammar_files import GRAMMAR
from tedigan.errors import WeightsError
from tedigan.method.inversion import InversionSettings
from tedigan.method.sentence_reader import Reading
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import FaceSettings, StartSettings
from tedigan.method.tuning import TuningSettings
from tedigan.models.makers import (
    MODELS_OF,
    open_composer,
    open_editor,
    open_face_makers,
    open_texts,
)
from tedigan.store.model_folders import model_digests

T = TypeVar("T")
FileOf = Callable[
    [str], Path
]  # one of the job's own files, by its name in the plan -> on this machine


def open_painter(
    plan: Plan,
    models: Path,
    file: FileOf,
    device: torch.device,
    *,
    cache: Path,
    photographs: str | None = None,
) -> Painter:
    """The networks of a plan. models: a folder that holds them; a WeightsError where they are not the plan's.

    photographs: where they, or the sources, lie on this machine; None = where the plan says. cache: for what lies
    elsewhere.
    """
    check_models(plan, models)
    torch.set_num_threads(plan.num_threads)
    if place := plan.photographs or plan.pictures:
        album = Album.read(file(PHOTOGRAPHS), photographs or place, cache)
        album.check()
        opened = _open_edits if plan.photographs else _open_sources
        return opened(plan, models, file, device, album)
    return _open_faces(plan, models, file, device)


def _open_faces(plan: Plan, models: Path, file: FileOf, device: torch.device) -> Painter:
    recipe, way = plan.recipe, plan.recipe["way"]
    generator, texts, reader = open_texts(
        models,
        device,
        [way],
        file(GRAMMAR),
        _numbers(StartSettings, recipe),
        _numbers(SteeringSettings, recipe),
        strength=recipe["strength"],
    )
    settings = FaceSettings(recipe["truncation_psi"], recipe["noise_mode"], plan.batch_size)
    makers, _ = open_face_makers(
        generator,
        texts,
        settings,
        precision=recipe["precision"],
        compilation=recipe["compile"],
    )
    guide = load_guide(models / "guide", device) if "guide" in MODELS_OF[way] else None
    checks = open_checks(plan.files, file, device)
    return Painter(plan, FaceArtist(makers[way]), reader.reading, guide, checks)


def _open_edits(
    plan: Plan, models: Path, file: FileOf, device: torch.device, album: Album
) -> Painter:
    recipe = plan.recipe
    inverter, editor = open_editor(
        models,
        file(GRAMMAR),
        device,
        _numbers(InversionSettings, recipe),
        _numbers(SteeringSettings, recipe),
        region_cells=recipe["region_cells"],
    )
    tuning = _numbers(TuningSettings, recipe)
    artist = EditArtist(inverter, editor, album, tuning, plan.batch_size)
    guide, checks = load_guide(models / "guide", device), open_checks(plan.files, file, device)
    return Painter(plan, artist, editor.read, guide, checks)


def _open_sources(
    plan: Plan, models: Path, file: FileOf, device: torch.device, album: Album
) -> Painter:
    recipe = plan.recipe
    composer, reader = open_composer(
        models,
        file(GRAMMAR),
        device,
        _numbers(StartSettings, recipe),
        _numbers(SteeringSettings, recipe),
    )
    artist = SourceArtist(
        composer, reader, album, recipe["layers"], recipe["weights"], recipe["strength"]
    )
    guide, checks = load_guide(models / "guide", device), open_checks(plan.files, file, device)
    read = composer.read
    assert read is not None, "a composer of a models folder reads sentences"
    return Painter(plan, artist, lambda text: read(text) if text else Reading({}), guide, checks)


def check_models(plan: Plan, models: Path) -> None:
    """Refuse models that are not the plan's, to the bit."""
    folders = sorted({name.partition("/")[0] for name in plan.models})
    found = model_digests(models / folder for folder in folders)
    for name, expected in plan.models.items():
        if found.get(name) != expected:
            raise WeightsError(
                f"{models / name} has sha256 {(found.get(name) or 'missing')[:12]}, and the plan was made for "
                f"{expected[:12]}; another model draws other faces. Name the folder that holds the plan's models, "
                "or plan the job again."
            )


def _numbers(settings: type[T], recipe: Mapping[str, Any]) -> T:
    """The fields of a dataclass, from the recipe's keys of the same names."""
    return settings(**{one.name: recipe[one.name] for one in fields(settings)})  # type: ignore[arg-type]
