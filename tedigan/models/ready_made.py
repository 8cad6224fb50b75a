"""Models folders that somebody brings: what must lie in them, and on which terms they are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tedigan.errors import WeightsError

NO_LICENCE = "not recorded; as of the source."


def check_holds(place: Path, names: Sequence[str], *, advice: str) -> None:
    """Refuse a models folder that lacks one of the named folders. advice: what to do about it."""
    if missing := [name for name in names if not (place / name).is_dir()]:
        raise WeightsError(
            f"{place} has no folder {missing[0]}; expected {', '.join(names)}, as the stages of a workspace "
            f"write them into its models/. {advice}"
        )


def licence_of(config: Mapping[str, Any]) -> str:
    """What a model's config.json says of its training, or else of itself."""
    training = config.get("training") or {}
    return str(training.get("licence") or config.get("licence") or NO_LICENCE)
