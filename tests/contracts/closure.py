"""What a stage's module imports, directly or not, as files below tedigan/."""

from functools import cache
from pathlib import Path

import grimp

CHECKOUT = Path(__file__).resolve().parents[2]
# Their content cannot change a stage's result: names, messages, records, and how params.yaml is parsed.
HARMLESS = {
    "__init__.py",
    "allocator.py",
    "errors.py",
    "params.py",
    "provenance.py",
    "stages/__init__.py",
    "stages/outcome.py",
    "torchvision_cure.py",
}
# Files of the package that a module reads though it does not import them.
READ_BY = {
    "report/rendering.py": "report/templates",
    "store/grammars.py": "data/grammars/celeba.yaml",
}


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("tedigan", cache_dir=None, exclude_type_checking_imports=True)


def code_of(stage: str) -> set[str]:
    """Files that decide the stage's result, such as `generator/ops.py`."""
    module = f"tedigan.stages.{stage}"
    found = {_file(name) for name in {module, *_graph().find_upstream_modules(module)}}
    return (found | {READ_BY[file] for file in found & READ_BY.keys()}) - HARMLESS - {""}


def _file(module: str) -> str:
    """Empty packages hold no code."""
    path = CHECKOUT / Path(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    is_empty = path.is_dir() and "import" not in file.read_text(encoding="utf-8")
    return "" if is_empty else file.relative_to(CHECKOUT / "tedigan").as_posix()
