"""Why an image of a job is marked, as the tables of its shards say it.

Columns are read by name, as tables of earlier jobs have fewer.
"""

import re
from collections.abc import Mapping
from typing import Any

LACKING = "lacks something of its prompt"
_PARTICULARS = re.compile(r"\s*(?:\(|\d).*", re.DOTALL)


def lacks_of(row: Mapping[str, Any]) -> list[str]:
    """What the prompt names and the guide does not see, in words: "Smiling", "not Bald"."""
    return row["lacks"].split(", ") if row["lacks"] else []


def faults_of(row: Mapping[str, Any]) -> list[str]:
    """Its other faults, in words."""
    return [*(row.get("faults") or [])]


def is_marked(row: Mapping[str, Any]) -> bool:
    """Whether anything is wrong with it."""
    return bool(lacks_of(row) or faults_of(row))


def kind_of(reason: str) -> str:
    """A reason without its particulars: "near training photograph 12 (0.03)" is a near training photograph."""
    return _PARTICULARS.sub("", reason) or reason
