"""From photographs to the page that a person reads, as one flow; and each part of it as a flow of its own."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.ending import ENDING
from tasks.stages import finish, preflight, push, run_stage


@flow(name="dataset", **ENDING)
def dataset(workspace: Path) -> None:
    """Photographs (or drawn faces) become a data set."""
    ready = preflight(workspace)
    run_stage("dataset", ready)
    push(ready)


@flow(name="inversion", **ENDING)
def inversion(workspace: Path) -> None:
    """A generator, its inverse, the W+ code of every photograph (A1), and the encoders of drawings (A5)."""
    ready = preflight(workspace)
    run_stage("train_generator", ready)
    run_stage("train_encoder", ready)
    run_stage("invert", ready)
    run_stage("train_sketch_encoder", ready)
    run_stage("train_label_encoder", ready)
    push(ready)


@flow(name="alignment", **ENDING)
def alignment(workspace: Path) -> None:
    """Captions find their place in W+ (A2), and attributes their layers."""
    ready = preflight(workspace)
    run_stage("train_text_encoder", ready)
    run_stage("train_guide", ready)
    run_stage("train_latent_tagger", ready)
    run_stage("analyse_layers", ready)
    run_stage("train_text_mapper", ready)
    push(ready)


@flow(name="evaluate", **ENDING)
def evaluate(workspace: Path) -> None:
    """An independent referee is trained, and rivals where they are named; then it judges."""
    ready = preflight(workspace)
    run_stage("train_referee", ready)
    run_stage("train_rivals", ready)
    run_stage("evaluate", ready)
    run_stage("evaluate_edits", ready)
    run_stage("evaluate_sources", ready)
    push(ready)


@flow(name="generate", **ENDING)
def generate(workspace: Path) -> None:
    """Captions become faces, and so do drawings and other sources."""
    ready = preflight(workspace)
    run_stage("generate", ready)
    run_stage("compose", ready)
    push(ready)


@flow(name="manipulate", **ENDING)
def manipulate(workspace: Path) -> None:
    """Photographs and texts become edited photographs."""
    ready = preflight(workspace)
    run_stage("manipulate", ready)
    push(ready)


@flow(name="lifecycle", **ENDING)
def lifecycle(workspace: Path) -> None:
    """From photographs to the page that a person reads: every stage, in order."""
    ready = preflight(workspace)
    run_stage("dataset", ready)
    run_stage("train_generator", ready)
    run_stage("train_encoder", ready)
    run_stage("invert", ready)
    run_stage("train_sketch_encoder", ready)
    run_stage("train_label_encoder", ready)
    run_stage("train_text_encoder", ready)
    run_stage("train_guide", ready)
    run_stage("train_latent_tagger", ready)
    run_stage("analyse_layers", ready)
    run_stage("train_text_mapper", ready)
    run_stage("train_referee", ready)
    run_stage("train_rivals", ready)
    run_stage("evaluate", ready)
    run_stage("evaluate_edits", ready)
    run_stage("evaluate_sources", ready)
    run_stage("generate", ready)
    run_stage("compose", ready)
    run_stage("manipulate", ready)
    run_stage("showcase", ready)
    run_stage("report", ready)
    finish(ready)


if __name__ == "__main__":
    raise SystemExit(
        run_flow(lifecycle, dataset, inversion, alignment, evaluate, generate, manipulate)
    )
