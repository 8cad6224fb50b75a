"""What the tables of a job's shards say of an image: what it was to show, what it lacks, why it is marked.

Columns are read by name, as tables of earlier jobs have fewer.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LACKING = "lacks something of its prompt"
NOTHING = "names nothing"
_NUMBER = re.compile(r"(?<![-\w])\d[\d,.]*")


@lru_cache(4096)
def wishes_of(understood: str) -> Mapping[str, bool]:
    """Attribute -> whether the prompt wants it, from the words of a `Reading`."""
    named = understood.partition("; ")[0]
    words = [] if named in ("", NOTHING) else named.split(", ")
    return {word.removeprefix("not "): not word.startswith("not ") for word in words}


def lacks_of(row: Mapping[str, Any]) -> list[str]:
    """What the prompt names and the guide does not see, in words: "Smiling", "not Bald"."""
    return row["lacks"].split(", ") if row.get("lacks") else []


def faults_of(row: Mapping[str, Any]) -> list[str]:
    """Its other faults, in words."""
    return [*(row.get("faults") or [])]


def is_marked(row: Mapping[str, Any]) -> bool:
    """Whether anything is wrong with it."""
    return bool(lacks_of(row) or faults_of(row))


def kind_of(reason: str) -> str:
    """A reason without its particulars: "near training photograph 12 (0.03)" is a near training photograph."""
    said = re.split(r";|: | \(", reason, maxsplit=1)[0]
    return _NUMBER.sub("…", said).removesuffix(" …")
