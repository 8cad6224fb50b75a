"""A candidate beside the champion: judged by one referee, drawn in turn, and decided by the policy."""

import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

from tedigan.errors import DataError
from tedigan.params import read_params
from tedigan.progress import note
from tedigan.releases.decision import Decision, decide
from tedigan.releases.evidence import JUDGING, Evidence, judge_of, read_evidence
from tedigan.releases.policy import Policy
from tedigan.releases.promotions import Named
from tedigan.releases.release import EVALUATION, MODELS, SHORT, Release
from tedigan.releases.release_store import ReleaseStore
from tedigan.stages.making_faces import open_makers
from tedigan.store.files import finished_folder, read_json
from tedigan.workspace import Workspace

SPEED_FACES, SPEED_ROUNDS = 32, 3


@dataclass(frozen=True)
class Weighed:
    """A candidate, the champion that it was compared with, a digest of who judged them, and what comes of it."""

    candidate: Named
    champion: Named | None
    judge: str
    decision: Decision

    def lines(self) -> list[str]:
        """For people."""
        return [f"{self.candidate} beside {self.champion or 'nothing'}", *self.decision.lines()]


def weigh(
    workspace: Workspace,
    store: ReleaseStore,
    cache: Path,
    candidate: Named,
    champion: Named | None,
    policy: Policy,
) -> Weighed:
    """Compare two releases: judged by one referee on the same prompts and edits, and drawn here in turn.

    Where others judged the champion, it is judged again in this workspace, whose data set must be the candidate's.
    """
    folder, release = store.fetch(candidate.digest, cache), store.release(candidate.digest)
    ours = read_evidence(release, folder)
    if champion is None:
        return Weighed(candidate, None, ours.judge, decide(ours, None, policy))
    other, before = store.fetch(champion.digest, cache), store.release(champion.digest)
    theirs = read_evidence(before, other)
    if ours.judge != theirs.judge:
        theirs = _judged_again(workspace, folder, release, other, before)
    first, second = _seconds_per_face(workspace, folder, other)
    decision = decide(
        replace(ours, seconds_per_face=first), replace(theirs, seconds_per_face=second), policy
    )
    return Weighed(candidate, champion, ours.judge, decision)


def _judged_again(
    workspace: Workspace, folder: Path, release: Release, other: Path, before: Release
) -> Evidence:
    """The champion's evidence, by the candidate's referee, on this workspace's data set."""
    from tedigan.stages import evaluate, evaluate_edits  # with all that measures

    _check_same_data(workspace, folder)
    judge = judge_of(release, folder)
    results = workspace.work / "judged-again" / f"{before.digest[:SHORT]}-by-{judge[:SHORT]}"
    if not results.is_dir():
        note(f"the champion {before.digest[:SHORT]} is judged again, by the candidate's referee")
        with finished_folder(results) as fresh:
            models = fresh / MODELS
            for path in sorted((other / MODELS).iterdir()):
                source = folder if path.name == "referee" else other
                _link(models / path.name, source / MODELS / path.name)
            there = _as_judged(_elsewhere(workspace, models, fresh / "results"), folder)
            evaluate.run(there)
            evaluate_edits.run(there)
    there = _elsewhere(workspace, results / MODELS, results / "results")
    _check_same_prompts(there, folder)
    return read_evidence(before, results / "results", judge=judge)


def _elsewhere(workspace: Workspace, models: Path, results: Path) -> Workspace:
    """The workspace, with other models and a place of its own for results."""
    paths = workspace.params.paths.model_copy(update={"models": models, "results": results})
    return Workspace(workspace.root, workspace.params.model_copy(update={"paths": paths}))


def _as_judged(there: Workspace, folder: Path) -> Workspace:
    """With the numbers by which the candidate was judged."""
    candidate = read_params(folder / "params.yaml")
    sections = {name: getattr(candidate, name) for name in JUDGING}
    return Workspace(there.root, there.params.model_copy(update=sections))


def _link(path: Path, target: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target.resolve(), target_is_directory=True)


def _check_same_data(workspace: Workspace, folder: Path) -> None:
    here, there = workspace.dataset / "dataset.json", folder / "dataset/dataset.json"
    if not here.is_file() or here.read_bytes() != there.read_bytes():
        raise DataError(
            f"{workspace.dataset} is not the data set of the candidate, which the champion is to be judged on "
            "again; expected the very same. Promote from the workspace that made the candidate."
        )


def _check_same_prompts(there: Workspace, folder: Path) -> None:
    ours, theirs = (
        read_json(one / "subjects.json") for one in (folder / EVALUATION, there.result(EVALUATION))
    )
    if ours != theirs:
        raise DataError(
            "the champion was judged again on other captions than the candidate; expected the same. `evaluate` in "
            "params.yaml was changed since: run the lifecycle, and register its result."
        )


def _seconds_per_face(workspace: Workspace, *releases: Path) -> list[float]:
    """Of each release, drawn in turn on this machine: the median of a few rounds after one to warm up."""
    captions = read_json(releases[0] / EVALUATION / "subjects.json")["captions"][:SPEED_FACES]
    makers = []
    for folder in releases:
        there = _elsewhere(workspace, folder / MODELS, workspace.work)
        made, _, _ = open_makers(there, [workspace.params.generate.way])
        makers.append(made[workspace.params.generate.way])
    times: list[list[float]] = [[] for _ in makers]
    for _ in range(SPEED_ROUNDS + 1):
        for maker, found in zip(makers, times, strict=True):
            started = time.perf_counter()
            for _ in maker.faces(captions, seed=0):
                pass
            found.append((time.perf_counter() - started) / len(captions))
    return [statistics.median(found[1:]) for found in times]
