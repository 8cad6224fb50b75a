"""The registry of releases in MLflow: one model version a release, with aliases; and the flows' tasks about them.

MLflow gives numbers and shows them; what a release holds lies in the release store, and which is champion is said
by the store's signed promotions. The alias `champion` says it once more, for whoever asks MLflow.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

from tasks import recording
from tasks.tracking import speaking_of
from tedigan.errors import DataError
from tedigan.releases.promotions import Named
from tedigan.releases.registry import CHALLENGER, Registered, Registry
from tedigan.serving.release_files import STAGES_OF_RELEASE
from tedigan.workspace import Workspace

MODEL = "tedigan.release"


@dataclass(frozen=True)
class MlflowRegistry(Registry):
    """The registry that MLFLOW_TRACKING_URI names, or the one in the workspace's work folder."""

    workspace: Workspace

    def add(self, digest: str, place: str, tags: dict[str, str]) -> Registered:
        """Register a release, as the challenger; one that is registered keeps its version.

        tags: what people look for, as text.
        """
        with self._client() as client:
            known = [one for one in _versions(client) if one.tags.get("digest") == digest]
            found = known[0] if known else self._create(client, digest, place, tags)
            client.set_registered_model_alias(MODEL, CHALLENGER, found.version)
            return _registered(found, [CHALLENGER])

    def check(self) -> None:
        """A DataError where a stage's result is not that of these params, this code and these inputs."""
        for name in STAGES_OF_RELEASE:
            if reasons := recording.why_stale(self.workspace, name):
                raise DataError(
                    f"the stage {name} is not up to date ({'; '.join(reasons[:3])}); expected results that "
                    "dvc.lock records. Run the lifecycle first: `python -m flows.lifecycle`."
                )

    def all(self) -> list[Registered]:
        """Every one, in order."""
        with self._client() as client:
            aliases: dict[int, list[str]] = {}
            for alias, version in _aliases(client).items():
                aliases.setdefault(version, []).append(alias)
            found = [
                _registered(one, aliases.get(int(one.version), [])) for one in _versions(client)
            ]
            return sorted(found, key=lambda one: one.named.version)

    def point(self, alias: str, version: int) -> None:
        """Let an alias name a version; the challenger that becomes champion is no challenger any more."""
        with self._client() as client:
            client.set_registered_model_alias(MODEL, alias, str(version))
            if _aliases(client).get(CHALLENGER) == version and alias != CHALLENGER:
                client.delete_registered_model_alias(MODEL, CHALLENGER)

    def note(self, version: int, key: str, value: str) -> None:
        """Tag a version, for people."""
        with self._client() as client:
            client.set_model_version_tag(MODEL, str(version), key, value)

    def _create(self, client: Any, digest: str, place: str, tags: dict[str, str]) -> Any:
        with contextlib.suppress(MlflowException):  # it exists
            client.create_registered_model(MODEL)
        named = {"digest": digest, "place": place, "stage": "release"}
        with mlflow.start_run(run_name=f"release {digest[:12]}", tags=named | tags) as run:
            mlflow.log_dict({"digest": digest, "place": place}, "release.json")
            source = mlflow.get_artifact_uri("release.json")
        version = client.create_model_version(
            MODEL, source, run_id=run.info.run_id, tags=named | tags
        )
        return client.get_model_version(MODEL, version.version)

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        with speaking_of(self.workspace):
            yield mlflow.MlflowClient()


def _versions(client: Any) -> list[Any]:
    return list(client.search_model_versions(f"name = '{MODEL}'", max_results=10_000))


def _aliases(client: Any) -> dict[str, int]:
    """Alias -> version; none where no release was registered."""
    if not client.search_registered_models(f"name = '{MODEL}'", max_results=1):
        return {}
    return {name: int(one) for name, one in client.get_registered_model(MODEL).aliases.items()}


def _registered(version: Any, aliases: list[str]) -> Registered:
    tags = dict(version.tags)
    if "digest" not in tags:
        raise DataError(
            f"version {version.version} of {MODEL} in MLflow has no tag `digest`, expected what `tedigan release "
            "register` writes; somebody made it by hand. Delete it there."
        )
    created = datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
    return Registered(
        Named(int(version.version), tags.pop("digest")),
        tags.pop("place", ""),
        f"{created:%Y-%m-%d %H:%M}",
        sorted(aliases),
        tags,
    )
