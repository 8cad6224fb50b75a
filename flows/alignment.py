"""Captions find their place in W+ (A2)."""

from pathlib import Path

from prefect import flow

from flows.command_line import run_flow
from tasks.stages import preflight, run_stage


@flow(name="alignment")
def alignment(workspace: Path) -> None:
    """Captions find their place in W+ (A2)."""
    ready = preflight(workspace)
    run_stage("train_text_encoder", ready)


if __name__ == "__main__":
    raise SystemExit(run_flow(alignment))
