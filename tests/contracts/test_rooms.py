"""What import-linter cannot see of the law of the rooms (docs/rooms.md)."""

import ast
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

import tasks.bulk
from tasks import policy
from tedigan.__main__ import _parser
from tedigan.commands.jobs_actions import SHARDS_LEFT, SOME_FAILED
from tedigan.dataset.splits import MAY_SEE_TEST
from tedigan.stages import STAGES
from tests.contracts.closure import CHECKOUT

TEDIGAN = CHECKOUT / "tedigan"
MATHEMATICS = ["drawn", "encoders", "generator", "method", "vocabulary", "tensors.py"]
FILE_CALLS = {"open", "read_text", "read_bytes", "write_text", "write_bytes", "mkdir", "unlink"}


def _files(*rooms: str) -> list[Path]:
    places = [TEDIGAN / room for room in rooms]
    return [
        file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))
    ]


def _calls(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "id", getattr(node.func, "attr", ""))


@pytest.mark.parametrize(
    "file", _files(*MATHEMATICS), ids=lambda f: f.relative_to(TEDIGAN).as_posix()
)
def test_mathematics_opens_no_file_and_prints_nothing(file: Path) -> None:
    assert not FILE_CALLS & set(_calls(file))
    assert "print" not in set(_calls(file))


@pytest.mark.parametrize("file", _files("report"), ids=lambda f: f.name)
def test_the_pages_room_opens_no_file_and_writes_no_markup(file: Path) -> None:
    """What it reads, it reads through the store; what goes round jinja's escaping would be markup in Python."""
    calls = set(_calls(file))
    assert not (FILE_CALLS | {"Markup", "print"}) & calls
    assert "</" not in file.read_text(encoding="utf-8")


def _functions(folder: str, decorator: str) -> Iterator[ast.FunctionDef]:
    for file in (CHECKOUT / folder).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                getattr(d.func if isinstance(d, ast.Call) else d, "id", "") == decorator
                for d in node.decorator_list
            ):
                yield node


def test_a_task_is_at_most_four_statements() -> None:
    for task in _functions("tasks", "task"):
        without_docstring = task.body[1:]
        assert len(without_docstring) <= 4, task.name


def test_flows_hold_no_numbers_and_only_stage_names_as_text() -> None:
    for flow in _functions("flows", "flow"):
        constants = [
            n.value for n in ast.walk(ast.Module(flow.body[1:], [])) if isinstance(n, ast.Constant)
        ]
        assert all(isinstance(c, str) and "/" not in c for c in constants), flow.name


def test_the_lifecycle_runs_every_stage_once_and_in_order() -> None:
    (flow,) = (one for one in _functions("flows", "flow") if one.name == "lifecycle")
    texts = [
        n.value for n in ast.walk(ast.Module(flow.body[1:], [])) if isinstance(n, ast.Constant)
    ]
    assert texts == list(STAGES)


def test_importing_a_flow_starts_nothing() -> None:
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Expr, ast.If)
    for file in (CHECKOUT / "flows").glob("*.py"):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        assert all(isinstance(node, allowed) for node in body), file.name


def _deployments() -> dict[str, dict[str, Any]]:
    text = (CHECKOUT / "infra" / "prefect.yaml").read_text(encoding="utf-8")
    return {one["name"]: one for one in yaml.safe_load(text)["deployments"]}


def test_deployments_run_as_many_at_once_as_the_policy_says_but_workers_are_free() -> None:
    limits = {name: one.get("concurrency_limit", {}) for name, one in _deployments().items()}
    assert limits.pop("bulk-worker") == {}
    assert {one["limit"] for one in limits.values()} == {policy.FLOWS_AT_ONCE}


@pytest.mark.parametrize("deployment", _deployments().values(), ids=_deployments())
def test_a_deployment_names_a_flow_and_parameters_that_it_has(deployment: dict[str, Any]) -> None:
    file, _, function = deployment["entrypoint"].partition(":")
    (flow,) = (one for one in _functions("flows", "flow") if one.name == function)
    assert f"def {function}(" in (CHECKOUT / file).read_text(encoding="utf-8")
    parameters = {one.arg for one in flow.args.args}
    assert set(deployment.get("parameters", {})) <= parameters


def test_the_worker_of_the_prefect_engine_is_the_deployment_that_it_starts() -> None:
    (flow,) = (one for one in _functions("flows", "flow") if one.name == "draw")
    assert [one.arg for one in flow.args.args] == ["worker", "begin"]
    flow_name, _, deployment = tasks.bulk.DEPLOYMENT.partition("/")
    assert (flow_name, _deployments()[deployment]["entrypoint"]) == ("draw", "flows/bulk.py:draw")


def test_what_the_kubernetes_manifests_run_is_a_command() -> None:
    for file in (CHECKOUT / "infra" / "kubernetes").glob("*.yaml"):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            for container in _containers(manifest):
                if container.get("command", [])[:3] == ["python", "-m", "tedigan"]:
                    arguments = container["command"][3:]
                    assert _parser(arguments).parse_args(arguments)


def test_kubernetes_knows_every_field_of_the_manifests() -> None:
    for file in (CHECKOUT / "infra" / "kubernetes").glob("*.yaml"):
        for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            manifest["metadata"].setdefault("name", "made-by-kubernetes")  # of a generateName
            kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_where_a_workspace_is_mounted_its_sources_are_too() -> None:
    """What the profile of a deployment names outside the image lies on the worker's disk."""
    text = (CHECKOUT / "infra/kubernetes/worker.yaml").read_text(encoding="utf-8")
    (container,) = _containers(next(yaml.safe_load_all(text)))
    mounted = {one["mountPath"] for one in container["volumeMounts"]}
    folders = {
        one["parameters"]["workspace"] for one in _deployments().values() if "parameters" in one
    }
    for folder in folders:
        overlay = yaml.safe_load((CHECKOUT / folder / "overlay.yaml").read_text(encoding="utf-8"))
        places = (overlay["dataset"]["source"], overlay["train_generator"]["init"])
        image = Path("/opt/tedigan") / folder
        needed = {image, *(Path(os.path.normpath(image / place)) for place in places)}
        assert all({str(one), str(one.parent)} & mounted for one in needed)


def test_a_bulk_job_of_kubernetes_ends_at_what_a_restart_does_not_mend() -> None:
    text = (CHECKOUT / "infra" / "kubernetes" / "bulk-job.yaml").read_text(encoding="utf-8")
    spec = yaml.safe_load(text)["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"]
    (ending,) = (one for one in spec["podFailurePolicy"]["rules"] if one["action"] == "FailJob")
    assert ending["onExitCodes"]["values"] == [1, 2, SHARDS_LEFT, SOME_FAILED]


def _containers(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    return pod.get("containers", [])


def test_no_file_is_longer_than_300_lines() -> None:
    files = [
        file
        for room in ("flows", "tasks", "tedigan", "infra")
        for file in (CHECKOUT / room).rglob("*.py")
    ]
    assert {f.name: n for f in files if (n := len(f.read_text().splitlines())) > 300} == {}


def test_a_file_name_says_what_it_is_and_occurs_once() -> None:
    names = [file.name for file in TEDIGAN.rglob("*.py") if file.name != "__init__.py"]
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_a_stage_is_params_in_and_store_out() -> None:
    """At most 80 lines and no loop over pictures; `train_generator` has three ways to begin."""
    files = [file for file in (TEDIGAN / "stages").glob("*.py") if file.name != "__init__.py"]
    lines = {file.stem: len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {name: n for name, n in lines.items() if n > 80} == {}
    loops = {
        file.stem
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.For | ast.While)
    }
    assert loops == set()


def test_only_those_who_may_ask_for_the_test_split() -> None:
    """See `tedigan.dataset.splits`: what chooses a setting does not judge it."""
    asking = {
        ".".join(file.relative_to(CHECKOUT).with_suffix("").parts)
        for file in TEDIGAN.rglob("*.py")
        if any(
            isinstance(node, ast.Constant) and node.value == "test"
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        )
    }
    assert asking - {"tedigan.dataset.splits"} == set(MAY_SEE_TEST)
