"""Pods have what they need and no more: rights, ways, secrets, probes, GPUs."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, get_args

import kubernetes_validate
import pytest
import yaml

from infra.parts import DATABASES
from tedigan.in_ranks import SHUTDOWN_S
from tedigan.sections import TrainingStage
from tests.infra.manifests import (
    KUBERNETES,
    POOL,
    containers,
    environments,
    manifests,
    pool_job,
    templates,
)

CLIENTS = {"gpu-worker", "pool-worker", "flow", "bulk", "lifecycle"}
APPS = CLIENTS | {"prefect", "mlflow", "postgres", "backup", "training"}
PORTS = {"prefect": 4200, "mlflow": 5000, "postgres": 5432, "training": 29400}
EACH_OTHER = {("training", "training"): {1024}}  # and all above
WAYS = {(one, server) for one in CLIENTS for server in ("prefect", "mlflow")} | {
    (one, "postgres") for one in ("prefect", "mlflow", "backup")
}
S3, ITSELF = {443, 8333}, {443, 6443}
OUTSIDE = dict.fromkeys(APPS, S3) | {"prefect": set(), "postgres": set(), "pool-worker": ITSELF}
OUTSIDE["training"] = set()
FROM_ELSEWHERE = {"gpu-data"}  # the claim with photographs and weights


def labels(app: str) -> dict[str, str]:
    found: dict[str, str] = templates()[app]["metadata"]["labels"]
    return found


def selects(selector: Mapping[str, Any], pod: Mapping[str, str]) -> bool:
    if any(pod.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(
        (pod.get(one["key"]) in one["values"]) == (one["operator"] == "In")
        for one in selector.get("matchExpressions", [])
    )


def rules(way: str, pod: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of all policies that hold for a pod; way: ingress or egress."""
    return [
        rule
        for policy in manifests("NetworkPolicy")
        if selects(policy["spec"]["podSelector"], pod)
        for rule in policy["spec"].get(way, [])
    ]


def ports(way: str, pod: Mapping[str, str], peer: Mapping[str, str]) -> set[int]:
    """On which a pod may speak to another (egress), or be spoken to (ingress)."""
    return {
        one["port"]
        for rule in rules(way, pod)
        for other in rule["to" if way == "egress" else "from"]
        if "podSelector" in other and selects(other["podSelector"], peer)
        for one in rule["ports"]
    }


def test_every_pod_is_known_here() -> None:
    assert set(templates()) == APPS


def test_a_pod_reaches_whom_it_needs_and_nobody_else() -> None:
    open_ports = {
        (one, other): ports("egress", labels(one), labels(other))
        & ports("ingress", labels(other), labels(one))
        for one in APPS
        for other in APPS
    }
    assert {way: found for way, found in open_ports.items() if found} == {
        (one, other): {PORTS[other]} for one, other in WAYS
    } | EACH_OTHER


def test_what_no_policy_names_is_refused() -> None:
    (policy,) = (
        one["spec"] for one in manifests("NetworkPolicy") if not one["spec"]["podSelector"]
        and set(one["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    )  # fmt: skip
    assert "ingress" not in policy
    assert "egress" not in policy


def test_outside_the_cluster_there_are_s3_and_kubernetes_alone() -> None:
    for app, ports in OUTSIDE.items():
        found = {
            port["port"]
            for rule in rules("egress", labels(app))
            for other in rule["to"]
            if "ipBlock" in other
            for port in rule["ports"]
        }
        assert found == ports, app


def test_a_server_that_is_named_is_a_service_whose_pods_listen_there() -> None:
    services = {one["metadata"]["name"]: one["spec"] for one in manifests("Service")}
    assert {name: one["ports"][0]["port"] for name, one in services.items()} == PORTS
    for name, one in services.items():
        assert selects({"matchLabels": one["selector"]}, labels(name))
        (container,) = containers(templates()[name])
        assert container["ports"] == [{"containerPort": PORTS[name]}]
    for where, environment in environments():
        for value in filter(None, environment.values()):
            for host, port in re.findall(r"//(?:[^/@]*@)?([a-z]+):?(\d*)/?", value):
                if not value.startswith("s3:") and host != "localhost":
                    assert not port or int(port) == PORTS[host], where
                    assert host in services, where


def test_nobody_but_the_pools_worker_may_ask_kubernetes_for_anything() -> None:
    accounts = {one["metadata"]["name"] for one in manifests("ServiceAccount")}
    for app, template in templates().items():
        spec = template["spec"]
        may_ask = spec.get("automountServiceAccountToken", False)
        assert (spec["serviceAccountName"], may_ask) == (
            ("pool-worker", True) if app == "pool-worker" else ("nobody", False)
        )
        assert spec["serviceAccountName"] in accounts
    assert not any(one["automountServiceAccountToken"] for one in manifests("ServiceAccount"))
    (binding,) = manifests("RoleBinding")
    assert [one["name"] for one in binding["subjects"]] == ["pool-worker"]
    (role,) = manifests("Role")
    changing = {"create", "delete", "patch", "update", "*"}
    assert {
        (resource, verb)
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in set(rule["verbs"]) & changing
    } == {("jobs", "create"), ("jobs", "delete")}
    assert not manifests("ClusterRole") + manifests("ClusterRoleBinding")


def test_no_service_sets_a_variable_of_a_pod() -> None:
    """MLflow reads MLFLOW_PORT, and a service `mlflow` sets it to an address."""
    assert all(one["spec"]["enableServiceLinks"] is False for one in templates().values())


def test_no_pod_is_root_and_each_says_what_it_takes() -> None:
    for app, template in templates().items():
        assert template["spec"]["securityContext"]["runAsNonRoot"], app
        for container in template["spec"]["containers"]:
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}, app
            assert "memory" in container["resources"]["limits"], app


def test_what_runs_for_good_is_probed() -> None:
    for kind in ("Deployment", "StatefulSet"):
        for one in manifests(kind):
            for container in one["spec"]["template"]["spec"]["containers"]:
                assert "livenessProbe" in container
                assert ("readinessProbe" in container) == (one["metadata"]["name"] in PORTS)


def test_secrets_are_named_with_their_keys_and_without_a_value() -> None:
    example = {
        one["metadata"]["name"]: one["stringData"]
        for one in yaml.safe_load_all((KUBERNETES / "secrets.example").read_text())
    }
    assert not any(value for keys in example.values() for value in keys.values())
    assert not manifests("Secret")
    used = re.findall(r"secretKeyRef: \{name: ([\w-]+), key: (\w+)\}", everything())
    assert set(used) == {("tedigan-postgres", "password")}
    assert "password" in example["tedigan-postgres"]
    whole = re.findall(r"(?:secretRef: \{name: |secretName: )([\w-]+)", everything())
    assert set(whole) | {"tedigan-postgres"} == set(example)


def everything() -> str:
    return "\n".join(file.read_text(encoding="utf-8") for file in KUBERNETES.glob("*.yaml"))


def test_claims_and_settings_that_are_mounted_are_there() -> None:
    claims = {one["metadata"]["name"] for one in manifests("PersistentVolumeClaim")}
    maps = {one["metadata"]["name"] for one in manifests("ConfigMap")}
    for template in templates().values():
        for volume in template["spec"].get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims | FROM_ELSEWHERE
            if "configMap" in volume:
                assert volume["configMap"]["name"] in maps
        for container in containers(template):
            for one in container.get("envFrom", []):
                assert one.get("configMapRef", {"name": "tedigan"})["name"] in maps


def test_both_databases_are_made_and_dumped() -> None:
    made = [environment.get("POSTGRES_DB") for _, environment in environments()]
    assert set(DATABASES) == {"mlflow", *filter(None, made)}
    assert "CREATE DATABASE mlflow;" in everything()
    assert containers(templates()["backup"])[0]["command"][:3] == ["python", "-m", "infra.dumps"]


def test_the_pods_of_a_training_find_the_first_one_and_each_other() -> None:
    (job,) = (one for one in manifests("Job") if one["metadata"].get("name") == "training")
    spec = job["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    words = container["command"]
    given = dict(pairwise(words))
    assert words[:3] == ["python", "-m", "torch.distributed.run"]
    assert int(given["--nnodes"]) == job["spec"]["completions"] == job["spec"]["parallelism"]
    assert given["--nproc-per-node"] == container["resources"]["limits"]["nvidia.com/gpu"]
    assert given["--rdzv-endpoint"] == f"training-0.{spec['subdomain']}:{PORTS['training']}"
    assert int(given["--shutdown-timeout"]) == SHUTDOWN_S < spec["terminationGracePeriodSeconds"]
    assert words[words.index("tedigan") + 1] in get_args(TrainingStage)
    (service,) = (one for one in manifests("Service") if one["metadata"]["name"] == "training")
    assert (service["spec"]["clusterIP"], spec["subdomain"]) == ("None", "training")


def test_who_trains_has_memory_between_its_gpus_and_time_for_a_checkpoint() -> None:
    """A pod has 64 MiB of shared memory otherwise; torchrun waits SHUTDOWN_S for its processes."""
    for app in ("gpu-worker", "lifecycle", "training"):
        spec = templates()[app]["spec"]
        (container,) = spec["containers"]
        places = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
        volumes = {one["name"]: one for one in spec["volumes"]}
        assert volumes[places["/dev/shm"]]["emptyDir"]["medium"] == "Memory", app
        assert spec["terminationGracePeriodSeconds"] > SHUTDOWN_S, app


def test_a_flow_run_of_the_pool_is_a_job_with_a_gpu() -> None:
    job = pool_job()
    kubernetes_validate.validate(
        job | {"metadata": job["metadata"] | {"name": "made-by-kubernetes"}}, "1.34", strict=True
    )
    (container,) = containers(job["spec"]["template"])
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "{{" not in str(job)
    assert job["spec"]["backoffLimit"] == 0  # Prefect's automations queue it again


def test_prefects_own_classes_read_the_pool() -> None:
    """With the extra `kubernetes`; a deployment may ask for more GPUs, or another image."""
    worker = pytest.importorskip("prefect_kubernetes.worker")
    import asyncio
    from uuid import uuid4

    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun

    asked = worker.KubernetesWorkerJobConfiguration.from_template_and_values(
        POOL,
        {"gpus": 2, "image": "other:1", "env": {"OMP_NUM_THREADS": "4"}},
        client=PrefectClient(
            "http://127.0.0.1:9/api"
        ),  # has nothing to look up, so it is not asked
    )
    configuration = asyncio.run(asked)
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid4(), name="quiet-lynx"))
    pod = configuration.job_manifest["spec"]["template"]
    (container,) = containers(pod)
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 2
    assert container["image"] == "other:1"
    assert {"name": "OMP_NUM_THREADS", "value": "4"} in container["env"]
    assert "flow-run" in " ".join(container["args"])
    assert pod["metadata"]["labels"].items() >= labels("flow").items()
    job = configuration.job_manifest
    for name in ("parallelism", "completions"):
        del pod["spec"][name]
    job["metadata"]["name"] = "made-by-kubernetes"
    kubernetes_validate.validate(job, "1.34", strict=True)
