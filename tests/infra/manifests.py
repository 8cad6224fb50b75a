"""What infra/kubernetes and infra/compose.yaml say, as the tests read it."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

from infra.local import CHECKOUT

KUBERNETES = CHECKOUT / "infra/kubernetes"
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "infra/compose.yaml").read_text())
POOL: dict[str, Any] = json.loads((KUBERNETES / "work-pool.json").read_text())


def manifests(kind: str = "") -> list[dict[str, Any]]:
    """Of every file, and the Job that the pool makes."""
    return [one for one in [*_read(), pool_job()] if kind in ("", one["kind"])]


@cache
def _read() -> list[dict[str, Any]]:
    return [
        one
        for file in sorted(KUBERNETES.glob("*.yaml"))
        for one in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    ]


def templates() -> dict[str, dict[str, Any]]:
    """The pod template of each that makes pods, by its label `app`."""
    found = {}
    for one in manifests():
        spec = one.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found[template["metadata"]["labels"]["app"]] = template
    return found


def containers(template: Mapping[str, Any]) -> list[dict[str, Any]]:
    """With those that run before."""
    return [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]


def pool_job() -> dict[str, Any]:
    """The Job of a flow run, each variable as the pool has it by default."""
    given = {"name": "quiet-lynx", "command": "prefect flow-run execute", "env": {}}
    values = {
        name: given.get(name, about.get("default", {}))
        for name, about in POOL["variables"]["properties"].items()
    }
    job: dict[str, Any] = filled(POOL["job_configuration"]["job_manifest"], values)
    container = job["spec"]["template"]["spec"]["containers"][0]
    container |= {"env": [], "args": container["args"].split()}  # as Prefect does
    for name in (
        "parallelism",
        "completions",
    ):  # Prefect wants them in the pod, Kubernetes passes over them
        del job["spec"]["template"]["spec"][name]
    return job


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """With the value for each `{{ name }}`, which is text within a text."""
    if isinstance(template, dict):
        return {key: filled(one, values) for key, one in template.items()}
    if isinstance(template, list):
        return [filled(one, values) for one in template]
    for name, value in values.items():
        if template == (mark := f"{{{{ {name} }}}}"):
            return value
        if isinstance(template, str) and mark in template:
            template = template.replace(mark, str(value))
    return template


def environments() -> Iterator[tuple[str, dict[str, Any]]]:
    """Where and what: each container's own variables, and each ConfigMap's."""
    for app, template in templates().items():
        for one in containers(template):
            yield app, {about["name"]: about.get("value") for about in one.get("env", [])}
    for one in manifests("ConfigMap"):
        yield one["metadata"]["name"], one["data"]
