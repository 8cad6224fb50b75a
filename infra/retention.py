"""The numbers of infra/retention.yaml."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from infra.local import CHECKOUT
from tedigan.errors import ParamsError

DAY_S = 86400


@dataclass(frozen=True)
class Retention:
    """See infra/retention.yaml."""

    backups: int
    flow_runs_days: int
    mlflow_deleted_days: int
    unfinished_jobs_days: int
    job_places: list[str]

    @property
    def of_prefect(self) -> dict[str, str]:
        """What Prefect's server reads."""
        return {
            "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
            "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(self.flow_runs_days * DAY_S),
        }


def read_retention(path: Path = CHECKOUT / "infra/retention.yaml") -> Retention:
    """A ParamsError where a key is missing or unknown, or a number is below 1."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    names = set(Retention.__annotations__)
    numbers = [value for name, value in content.items() if name != "job_places"]
    if set(content) != names or not all(type(one) is int and one > 0 for one in numbers):
        raise ParamsError(
            f"{path} has {content}; expected {', '.join(sorted(names))}, each number 1 or more. Mend it."
        )
    return Retention(**content)
