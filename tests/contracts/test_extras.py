"""The base install makes faces and edits; every other room says by its extra what it needs besides."""

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tedigan.errors import MissingExtraError
from tedigan.extras import EXTRA_OF, advised, require
from tests.contracts.absent import run_without
from tests.contracts.closure import CHECKOUT

PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
COMES_WITH = {"botocore": "boto3"}
ALSO_BRINGS = {"flows": {"fastapi", "uvicorn"}}  # Prefect's server is made of them

# Which extra a room's imports need; a longer name says more. The rest is in the base install.
NEEDS = {
    "flows": "flows",
    "tasks": "flows",
    "tedigan.annotators.landmark_labels": "data",
    "tedigan.bulk": "data",
    "tedigan.bulk.ray_engine": "ray",
    "tedigan.commands.dataset_actions": "data",
    "tedigan.comparison": "data",
    "tedigan.dataset": "data",
    "tedigan.evaluation": "data",
    "tedigan.jobs.invert_photographs": "data",
    "tedigan.jobs.source_pictures": "data",
    "tedigan.page": "data",
    "tedigan.page.app": "page",
    "tedigan.page.loopback": "page",
    "tedigan.report": "data",
    "tedigan.rivals": "data",
    "tedigan.serving.watching": "data",
    "tedigan.stages": "data",
    "tedigan.stages.generate": "",
    "tedigan.store.s3": "data",
    "tedigan.store.s3_errors": "data",
    "tedigan.training": "data",
}
USES = {
    "": """
        import tedigan
        assert tedigan.load().faces("a woman with black hair")[0].size == (64, 64)
    """,
    "drawn": """
        from tedigan.drawn.face import draw_face
        from tedigan.store.pictures import rasterise
        assert rasterise(draw_face(0, 0).svg, 64).shape == (3, 64, 64)
    """,
    "evaluate": """
        import torch
        from tedigan.evaluation.feature_nets import EfficientNetLite0
        from tedigan.evaluation.perceptual_distance import PerceptualDistance
        from tedigan.store.packaged_weights import EFFICIENTNET, STLPIPS_ALEX, load_packaged
        images, cpu = torch.zeros(1, 3, 64, 64), torch.device("cpu")
        assert PerceptualDistance.stlpips_alex(load_packaged(STLPIPS_ALEX))(images, images) == 0
        assert EfficientNetLite0.build(load_packaged(EFFICIENTNET), cpu)(images).shape == (1, 1280)
    """,
}


def distributions(lines: list[str]) -> set[str]:
    """The packages that requirement lines name, this one's other extras left out."""
    names = {re.split(r"[\[<>=;, ]", line)[0].lower() for line in lines}
    return names - {"tedigan"}


def with_extras(extra: str) -> set[str]:
    """An extra and those that it brings."""
    inner = re.findall(r"tedigan\[([\w,]+)\]", " ".join(EXTRAS.get(extra, [])))
    return {extra}.union(*(with_extras(one) for names in inner for one in names.split(",")))


def absent(extra: str) -> set[str]:
    """What is not installed where the base and this extra are."""
    there = with_extras(extra)
    also = {name for one in there for name in ALSO_BRINGS.get(one, ())}
    return {name for name, one in EXTRA_OF.items() if one not in there} - also | {"sklearn"}


def need_of(module: str) -> str:
    parts = module.split(".")
    above = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((NEEDS[name] for name in above if name in NEEDS), "")


def modules_of(extra: str) -> list[str]:
    files = [
        file for room in ("tedigan", "tasks", "flows") for file in (CHECKOUT / room).rglob("*.py")
    ]
    names = [".".join(file.relative_to(CHECKOUT).with_suffix("").parts) for file in files]
    names = [name.removesuffix(".__init__") for name in names]
    return sorted(name for name in names if need_of(name) == extra)


@pytest.mark.parametrize("extra", ["", "data", "flows", "page", "ray"])
def test_a_room_imports_with_its_extra_and_no_other(extra: str) -> None:
    code = "".join(f"import {name}\n" for name in modules_of(extra))
    done = run_without(absent(extra), code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("extra", USES)
def test_an_extra_is_enough_for_what_it_is_for(extra: str) -> None:
    lines = [line.strip() for line in USES[extra].splitlines()]
    done = run_without(absent(extra), "\n".join(lines))
    assert done.returncode == 0, done.stderr


def test_the_table_of_extras_is_that_of_pyproject() -> None:
    for module, extra in EXTRA_OF.items():
        brought = {COMES_WITH.get(name, name) for name in bringing(module)}
        assert not brought or brought & distributions(EXTRAS[extra]), module


def test_every_package_that_is_imported_is_named() -> None:
    base = distributions(PROJECT["dependencies"])
    for module in third_parties():
        assert module in EXTRA_OF or bringing(module) & base, module


@cache
def _installed() -> Mapping[str, list[str]]:
    return packages_distributions()


def bringing(module: str) -> set[str]:
    """The packages that install a module; none where it is not installed here."""
    return {name.lower().replace("_", "-") for name in _installed().get(module, [])}


def third_parties() -> set[str]:
    """What the code imports, at its top or inside a function, and is neither Python's nor ours."""
    rooms = ("tedigan", "tasks", "flows", "infra")
    names: set[str] = set()
    for file in [file for room in rooms for file in (CHECKOUT / room).rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - set(rooms)


def test_the_door_says_which_extra_is_missing() -> None:
    code = "from tedigan.__main__ import main; raise SystemExit(main(['dataset', 'show', 'x']))"
    done = run_without({"pyarrow"}, code)
    assert done.returncode == 1
    assert "pip install 'tedigan[data]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_flows_say_which_extra_is_missing() -> None:
    done = run_without({"prefect"}, "import flows.lifecycle")
    assert "MissingExtraError: prefect is not installed" in done.stderr
    assert "tedigan[flows]" in done.stderr


def test_a_module_of_no_extra_stays_what_it_is() -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere"), advised():
        import nowhere_to_be_found  # type: ignore[import-not-found]  # noqa: F401
    with pytest.raises(MissingExtraError, match=r"tedigan\[evaluate\]"), advised():
        raise ModuleNotFoundError("No module named 'lpips'", name="lpips.trainer")
    require("torch")
