"""Whether Prefect, MLflow and the run records tell one story of every run of a walk."""

from collections import Counter
from typing import Any

from benchmarks.walk.platform import Platform, WalkError

SAME = {"finished": "FINISHED", "failed": "FAILED", "killed": "KILLED"}  # record -> MLflow
FLOW = {"COMPLETED": "FINISHED", "FAILED": "FAILED"}  # Prefect -> MLflow; another end is KILLED


def compare_states(platform: Platform) -> str:
    """Each stage's record beside its MLflow run, each flow's run in MLflow beside Prefect's."""
    runs = _mlflow_runs(platform)
    flows = {one["id"]: one["state"]["type"] for one in platform.flow_runs()}
    differences, counts = list[str](), Counter[str]()
    for record in platform.records():
        run_id, state = record["ids"]["mlflow_run_id"], record.get("state", "running")
        there = runs[run_id].info.status
        counts[f"stage {state}"] += 1
        if there != SAME.get(state):
            differences.append(f"{record['stage']} is {state}, in MLflow {there}")
    for run in runs.values():
        tags = run.data.tags
        if tags.get("stage") == "flow":
            state = flows[tags["prefect.flow_run_id"]]
            counts[f"flow {state.lower()}"] += 1
            if run.info.status != FLOW.get(state, "KILLED"):
                differences.append(f"a flow is {state}, in MLflow {run.info.status}")
    if differences:
        raise WalkError("; ".join(differences))
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items())) + ": equal in all three"


def done_twice(platform: Platform) -> str:
    """That no stage finished twice on equal inputs, code and params."""
    seen = Counter(
        (one["stage"], one["code"], one["params_sha256"], str(sorted(one["dvc"]["inputs"].items())))
        for one in platform.records()
        if one.get("state") == "finished" and one["ids"]["dvc_lock_sha256"]
    )
    twice = [key[0] for key, count in seen.items() if count > 1]
    if twice:
        raise WalkError(f"finished twice on equal inputs: {', '.join(twice)}")
    return f"{len(seen)} stages finished, none twice on equal inputs, code and params"


def _mlflow_runs(platform: Platform) -> dict[str, Any]:
    import mlflow

    mlflow.set_tracking_uri(f"http://127.0.0.1:{platform.machine.ports['mlflow']}")
    found = mlflow.search_runs(experiment_names=["tedigan"], output_format="list")
    return {run.info.run_id: run for run in found}
