"""One thread per test process: two workers with two threads each wait for each other on two cores.

A file's tests run in one process, unless it names a group of files: what its fixtures make is made once. The
longest groups begin first, so that none runs on alone at the end.
"""

import os
from pathlib import Path

import jaxtyping
import pytest
from beartype import BeartypeConf
from beartype.claw import beartype_packages

import tedigan

os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test cuts the power. In what order files are synced is held by tests/store, which put their own here.
os.fsync = lambda _handle: None

WITHOUT_SHAPES = ("captions", "releases", "report", "serving")  # rooms


def check_kinds() -> None:
    """In every test each function of ours is held to the kinds that it names, and to shapes where it names any.

    jaxtyping's hook costs some ten times beartype's a call, so that rooms which hold no arrays have the latter.
    """
    rooms = {path.stem for path in Path(tedigan.__file__).parent.iterdir()} - {*WITHOUT_SHAPES}
    jaxtyping.install_import_hook([f"tedigan.{one}" for one in rooms], "beartype.beartype")
    bare = [f"tedigan.{one}" for one in WITHOUT_SHAPES]
    beartype_packages(bare, conf=BeartypeConf(claw_is_pep526=False))


if "MUTANT_UNDER_TEST" not in os.environ:  # mutmut runs the tests more than once in a process
    check_kinds()
pytest_plugins = ["tests.stages.workspaces"]
# By what `pytest --durations=0` says of them, the longest first; any other is shorter.
LONGEST = ("two doors", "up", "releases", "ray")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist writes the groups into the tests' names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
    items.sort(key=_place)  # stable: what is in no such group keeps its order


def _place(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    assert mark is not None
    (group,) = mark.args
    return LONGEST.index(group) if group in LONGEST else len(LONGEST)
