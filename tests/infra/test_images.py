"""One Dockerfile, two images, and one name for each wherever it is used."""

import re
import tomllib

from infra.local import CHECKOUT
from infra.retention import read_retention
from tests.infra.manifests import COMPOSE, containers, environments, templates

VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
WITH_CUDA, WITHOUT = f"tedigan:{VERSION}", f"tedigan:{VERSION}-cpu"
DOCKERFILE = (CHECKOUT / "infra/Dockerfile").read_text()
SERVERS = {"prefect", "mlflow", "backup", "pool-worker"}  # they neither train nor draw


def test_torch_comes_from_the_index_that_is_asked_for_at_the_locked_version() -> None:
    lock = (CHECKOUT / "requirements.lock").read_text()
    (pattern,) = re.findall(r"grep -E '([^']+)' requirements\.lock", DOCKERFILE)
    lines = [line for line in lock.splitlines() if re.search(pattern, line)]
    assert [re.sub(r"==\d[\d.]*$", "", line) for line in lines] == ["torch", "torchvision"]
    assert DOCKERFILE.index('--index-url "$TORCH_INDEX"') < DOCKERFILE.index("--requirement")


def test_compose_builds_both_images_by_one_argument() -> None:
    arguments = set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))
    built = {one["image"]: one["build"] for one in COMPOSE["services"].values() if "build" in one}
    assert set(built) == {WITH_CUDA, WITHOUT}
    assert all(set(one["args"]) == arguments for one in built.values())
    assert built[WITHOUT]["args"]["TORCH_INDEX"].endswith("/cpu")
    (default,) = re.findall(r"^ARG TORCH_INDEX=(\S+)", DOCKERFILE, re.MULTILINE)
    assert built[WITH_CUDA]["args"]["TORCH_INDEX"] == f"${{TORCH_INDEX:-{default}}}"
    for name, image in ((WITH_CUDA, r"-t (\S+:[\d.]+) \.$"), (WITHOUT, r"/cpu -t (\S+) \.$")):
        assert re.findall(image, DOCKERFILE, re.MULTILINE) == [name]


def test_a_pod_has_the_image_with_cuda_exactly_if_it_computes() -> None:
    for app, template in templates().items():
        if app != "postgres":
            expected = WITHOUT if app in SERVERS else WITH_CUDA
            assert {one["image"] for one in containers(template)} == {expected}, app
    images = {name: one["image"] for name, one in COMPOSE["services"].items()}
    assert [images[name] for name in ("prefect", "mlflow", "worker")] == [
        WITHOUT,
        WITHOUT,
        WITH_CUDA,
    ]
    assert images["postgres"] == containers(templates()["postgres"])[0]["image"]


def test_prefects_server_forgets_when_retention_says_wherever_it_runs() -> None:
    wanted = read_retention().of_prefect
    (in_cluster,) = (
        one for _, one in environments() if "PREFECT_API_DATABASE_CONNECTION_URL" in one
    )
    for environment in (in_cluster, COMPOSE["services"]["prefect"]["environment"]):
        assert {name: str(environment.get(name)) for name in wanted} == wanted
