"""Who gives releases their numbers and shows them to people: a registry, found by name.

The platform's is MLflow's (tasks/releases.py); an installed package may offer another, as an entry point of the
group `tedigan.registries`: a function of the workspace.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from tedigan.errors import ParamsError
from tedigan.extras import advised
from tedigan.releases.promotions import Named

GROUP = "tedigan.registries"
OWN = {"mlflow": EntryPoint("mlflow", "tasks.releases:MlflowRegistry", GROUP)}
CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Registered:
    """A release as the registry knows it. created: UTC. tags: what was noted of it, for people."""

    named: Named
    place: str
    created: str
    aliases: Sequence[str]
    tags: Mapping[str, str]


class Registry(ABC):
    """Numbers and aliases."""

    @abstractmethod
    def check(self) -> None:
        """A DataError where the workspace's results are not those of its params, code and inputs."""

    @abstractmethod
    def add(self, digest: str, place: str, tags: dict[str, str]) -> Registered:
        """Register a release as the challenger; one that is registered keeps its version."""

    @abstractmethod
    def all(self) -> list[Registered]:
        """Every one, in order."""

    @abstractmethod
    def point(self, alias: str, version: int) -> None:
        """Let an alias name a version."""

    @abstractmethod
    def note(self, version: int, key: str, value: str) -> None:
        """Tag a version, for people."""


def open_registry(name: str, workspace: Any) -> Registry:
    """A registry of the workspace's; a ParamsError for a name that nothing installed offers."""
    found = OWN | {one.name: one for one in entry_points(group=GROUP)}
    if name not in found:
        raise ParamsError(
            f"no registry {name!r} is installed; expected one of {', '.join(sorted(found))}. Name one of these."
        )
    with advised():
        registry: Registry = found[name].load()(workspace)
    return registry
