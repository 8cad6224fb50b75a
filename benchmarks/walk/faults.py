"""What dies in the middle of a retraining, what is left, and what the next run does."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress

from benchmarks.walk.platform import Platform, WalkError, kill, wait
from benchmarks.walk.story import expect

STAGE = "train_latent_tagger"  # during which it happens: a training with checkpoints, half a minute long
AWAY_S = 12.0
FULL_S = 240.0  # at most
LEFT_BYTES = 200_000  # on a disk that is as good as full


def s3_away(platform: Platform) -> str:
    """Its server stops in mid-run, and comes back after the stage's result could not be pushed."""
    run_id = _at_work(platform)
    platform.machine.control("stop", "s3")
    platform.say("# S3 stopped")
    wait(lambda: platform.running_stage() != STAGE, 900, "the end of the training")
    time.sleep(AWAY_S)
    platform.machine.control("start", "s3")
    platform.say("# S3 started")
    return f"flow run {platform.ended(run_id)}; {_tries(platform, run_id)}"


def prefect_restarted(platform: Platform) -> str:
    """Prefect's server is started again in mid-run."""
    run_id = _at_work(platform)
    platform.machine.control("restart", "prefect")
    platform.say("# Prefect's server restarted")
    state = platform.ended(run_id)
    expect(state, "COMPLETED")
    return f"flow run {state}; {_tries(platform, run_id)}"


def worker_killed(platform: Platform) -> str:
    """The worker alone: the flow run is a process of its own."""
    run_id = _at_work(platform)
    kill(platform.processes_of("worker")[:1])
    platform.say("# worker killed")
    state = platform.ended(run_id)
    expect(state, "COMPLETED")
    wait(lambda: platform.machine.has_worker, 180, "another worker")
    return f"flow run {state}; another worker is there; {_tries(platform, run_id)}"


def flow_killed(platform: Platform) -> str:
    """The process of the flow: it crashed, is queued again, and the training goes on from its checkpoint."""
    run_id = _at_work(platform, wait_for_checkpoint=True)
    kill(platform.processes_of("worker")[1:][::-1])
    platform.say("# flow killed")
    wait(lambda: platform.state_of(run_id) != "RUNNING", 300, "somebody who notices")
    state = platform.ended(run_id)
    expect(state, "COMPLETED")
    return f"flow run {state}; {_tries(platform, run_id)}"


def disk_full(platform: Platform) -> str:
    """Nothing can be written from mid-run on; then there is room, and the retraining is asked for again."""
    run_id = _at_work(platform)
    ballast = platform.root / "ballast"
    free = shutil.disk_usage(platform.root).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(free - LEFT_BYTES, 1))
    platform.say(f"# {free / 1e9:.1f} GB taken: the disk is full")
    try:
        with suppress(WalkError):  # its end may be what cannot be written
            wait(lambda: platform.running_stage() != STAGE, FULL_S, "the end of the training")
        time.sleep(AWAY_S)
    finally:
        ballast.unlink()
        platform.say("# there is room again")
    platform.run("python -m infra up")
    first = platform.ended(run_id)
    again = platform.start("retrain/weekly")
    expect(platform.ended(again), "COMPLETED")
    said = [line for line in platform.said_by(run_id) if "No space left" in line or "disk" in line]
    return f"flow run {first}: {said[-1][:200] if said else 'nothing was said'}; the next COMPLETED"


def two_at_once(platform: Platform) -> str:
    """A flow beside the retraining in the same workspace waits, and says for whom."""
    run_id = _at_work(platform)
    said = platform.inside("python -m flows.lifecycle dataset")
    expect(platform.ended(run_id), "COMPLETED")
    found = [line for line in said.splitlines() if "waits for" in line]
    if not found:
        raise WalkError("it did not wait")
    return found[0].strip()


def _at_work(platform: Platform, *, wait_for_checkpoint: bool = False) -> str:
    """A retraining that has something to do, and does it now."""
    seed = len(platform.records())
    platform.change(STAGE, seed=seed, num_steps=400)
    run_id = platform.start("retrain/weekly")
    platform.wait_for_stage(STAGE)
    if wait_for_checkpoint:
        folder = platform.root / ".work/checkpoints"
        wait(lambda: any(folder.rglob(f"*{STAGE}*")), 300, "a checkpoint")
    return run_id


def _tries(platform: Platform, run_id: str) -> str:
    """How often the stage was begun by this run, how each ended, and where one went on."""
    mine = [
        one
        for one in platform.records()
        if one["ids"]["prefect_flow_run_id"] == run_id and one["stage"] == STAGE
    ]
    ended = " then ".join(one.get("state", "running") for one in mine)
    steps = [(one.get("outcome") or {}).get("resumed_from_step") for one in mine]
    resumed = "".join(f" from its step {step}" for step in steps if step)
    return f"{STAGE} {ended}{resumed}"


FAULTS: dict[str, Callable[[Platform], str]] = {
    "two flows at once": two_at_once,
    "S3 stopped and started": s3_away,
    "Prefect restarted": prefect_restarted,
    "the worker killed": worker_killed,
    "the flow killed": flow_killed,
    "a full disk": disk_full,
}
