"""What a stage's module imports, directly or not, found by another program than the one under test."""

from functools import cache
from pathlib import Path

import grimp

from tedigan.code_lock import NOT_COUNTED

CHECKOUT = Path(__file__).resolve().parents[2]


@cache
def _graph() -> grimp.ImportGraph:
    graph = grimp.build_graph("tedigan", cache_dir=None, exclude_type_checking_imports=True)
    for module in NOT_COUNTED:
        for imported in graph.find_modules_directly_imported_by(module):
            graph.remove_import(importer=module, imported=imported)
    return graph


def imported_by(stage: str) -> set[str]:
    """The stage's module, all that it imports, and the packages above each, which an import runs too."""
    module = f"tedigan.stages.{stage}"
    found = {module, *_graph().find_upstream_modules(module)}
    while above := {name.rpartition(".")[0] for name in found} - found - {""}:
        found |= above | {one for name in above for one in _graph().find_upstream_modules(name)}
    return found - NOT_COUNTED.keys()
