"""The life of a release, in the commands of docs/operations.md; each step says what came of it."""

import json
import time

from benchmarks.walk.platform import Platform, WalkError, wait

POLICY = "infra/policy.yaml"
KEY = "../.work/up/signing-key.pub"  # beside the policy


def scheduled(platform: Platform) -> str:
    """A retraining that nobody asked for: its schedule did. The id of its flow run."""
    known = {one["id"] for one in platform.flow_runs("retrain")}
    schedule = (
        "prefect deployment schedule create retrain/weekly --interval 60 --replace --accept-yes"
    )
    platform.inside(schedule)

    def begun() -> list[str]:
        return [
            one["id"]
            for one in platform.flow_runs("retrain")
            if one["auto_scheduled"] and one["id"] not in known and one["start_time"]
        ]

    wait(begun, 300, "a scheduled run")
    run_id = begun()[0]
    platform.inside("prefect deployment schedule clear retrain/weekly --accept-yes")
    return run_id


def retrained(platform: Platform) -> str:
    """The scheduled run ended well; the challenger that it made."""
    run_id = scheduled(platform)
    expect(platform.ended(run_id), "COMPLETED")
    return challenger(platform)


def challenger(platform: Platform) -> str:
    """The line of the list that names it."""
    return _listed(platform, "challenger")


def champion(platform: Platform) -> str:
    """The digest of what is served."""
    return _listed(platform, "champion").split()[1]


def _listed(platform: Platform, alias: str) -> str:
    lines = platform.inside("tedigan release list").splitlines()
    found = [line.strip() for line in lines if alias in line.replace(",", " ").split()]
    if not found:
        raise WalkError(f"no release is {alias}")
    return found[0]


def first_release(platform: Platform) -> str:
    """A workspace's first retraining, and what it made is promoted: there is no champion to be better than."""
    made = retrained(platform)
    expect(platform.ended(platform.start("promote/promote")), "COMPLETED")
    platform.inside("tedigan release verify")
    return f"{made} -> champion {champion(platform)}"


def better(platform: Platform) -> str:
    """More steps of what reads attributes off a code."""
    before, run_id = _challenged(platform, num_steps=800)
    return f"champion {before} -> {_another(platform, before, run_id)}"


def worse(platform: Platform) -> str:
    """Hardly any."""
    before, run_id = _challenged(platform, num_steps=4)
    expect(champion(platform), before)
    return f"champion {before} stays: {reasons(platform, run_id)}"


def rolled_back(platform: Platform) -> str:
    """To the champion before, and how long it takes."""
    before = champion(platform)
    begun = time.monotonic()
    platform.inside("tedigan release rollback --key .work/up/signing-key")
    took = time.monotonic() - begun
    after = _another(platform, before)
    return f"champion {before} -> {after}, {took:.1f} s with the start of the command"


def approved(platform: Platform) -> str:
    """What a rollback took back comes again by a person, who answers the flow run that waits."""
    before = champion(platform)
    run_id = platform.start("promote/promote", release="2")
    wait(lambda: platform.state_of(run_id) == "PAUSED", 300, "the question")
    platform.say(f"# flow run {run_id} waits for a person")
    answer = {"by": "a person", "is_approved": True}
    platform.machine.prefect(f"flow_runs/{run_id}/resume", run_input=answer)
    expect(platform.ended(run_id), "COMPLETED")
    after = _another(platform, before, run_id)
    platform.inside("tedigan release verify")
    return f"champion {before} -> {after} by {json.dumps(answer)}"


def _challenged(platform: Platform, *, num_steps: int) -> tuple[str, str]:
    """The champion before a scheduled retraining with other params, and the flow run that decided on it."""
    before = champion(platform)
    platform.change("train_latent_tagger", num_steps=num_steps)
    retrained(platform)
    run_id = platform.start("promote/promote")
    expect(platform.ended(run_id), "COMPLETED")
    return before, run_id


def _another(platform: Platform, before: str, run_id: str | None = None) -> str:
    """The champion, which is another now; or why not."""
    if (after := champion(platform)) == before:
        why = reasons(platform, run_id) if run_id else "nothing moved"
        raise WalkError(f"{before} is champion still: {why}")
    return after


def reasons(platform: Platform, run_id: str) -> str:
    """The rules that a promotion said were not met."""
    said = [line for line in platform.said_by(run_id) if line.startswith("weigh ")]
    failed = [line.partition("FAILED ")[2] for line in said if "FAILED " in line]
    return "; ".join(failed or said)[:600]


def expect(found: str, expected: str) -> None:
    """Or a WalkError."""
    if found != expected:
        raise WalkError(f"{found}, expected {expected}")


STORY = {
    "a first release": first_release,
    "a scheduled retraining that is better": better,
    "a scheduled retraining that is worse": worse,
    "a rollback": rolled_back,
    "an approval": approved,
}
