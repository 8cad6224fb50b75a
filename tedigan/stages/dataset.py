"""Drawn faces or photographs -> data/dataset (images, captions, sketches and more), and a page about it."""

from pathlib import Path

from tedigan.dataset.annotating import LANDMARKS, Helpers, open_annotators
from tedigan.dataset.build import build_dataset, open_maker
from tedigan.dataset.build_settings import BuildSettings
from tedigan.params import chosen
from tedigan.workspace import Outcome, Workspace


def check(workspace: Workspace) -> None:
    """Refuse a grammar or a model that cannot be used before anything runs."""
    open_annotators(helpers_of(workspace), columns=None, device=workspace.device).origins()


def run(workspace: Workspace) -> Outcome:
    """Write `dataset/` whole or not at all, and dataset.html beside it."""
    section, wanted = workspace.params.dataset, workspace.params.runtime.num_workers
    settings = chosen(section, BuildSettings)
    maker, ids = open_maker(
        section.source,
        settings,
        helpers_of(workspace),
        root=workspace.root,
        cache=workspace.work / "cache",
        device=workspace.device,
    )
    built = build_dataset(
        workspace.dataset,
        workspace.data_card,
        maker,
        ids,
        settings,
        work=workspace.work / "dataset",
        num_workers=None if wanted == "auto" else wanted,
    )
    return Outcome(
        metrics={name: float(value) for name, value in vars(built).items()},
        num_quarantined=built.num_quarantined,
        pictures=[workspace.dataset / "examples.png", workspace.data_card],
    )


def helpers_of(workspace: Workspace) -> Helpers:
    """The models that params name, by their places."""
    section = workspace.params.dataset

    def at(path: str | None) -> Path | None:
        return None if path is None else workspace.at(path)

    folder = None if section.parser in (None, LANDMARKS) else workspace.at(str(section.parser))
    is_folder = folder is not None and folder.is_dir()  # else it is a hub id, or no place at all
    return Helpers(
        grammar=at(section.grammar),
        negatives=section.negatives,
        align=section.align,
        tagger=None if section.tagger is None else workspace.given(section.tagger),
        parser=str(workspace.given(folder)) if folder and is_folder else section.parser,
        matting=at(section.matting),
        simplifier=at(section.simplifier),
    )
