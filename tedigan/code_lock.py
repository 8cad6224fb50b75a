"""Which code matters to a stage: code.lock holds one digest a stage, and DVC compares it as a parameter.

    dataset: "5d1f..."

A digest is over the syntax trees of the stage's module and of all that it imports of this package, directly or
not, at its top or inside a function; and over the files that those modules read as code is read. A tree holds no
comment, docstring, blank line or line break, so that none of them makes a stage run again.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tedigan.errors import CodeLockError
from tedigan.store.files import sha256_file, sha256_value, write_text

PACKAGE = Path(__file__).parent
LOCK = PACKAGE.parent / "code.lock"
HEADER = "# sha256 of the code that each stage's result depends on; `python -m tedigan code lock` writes it.\n"

# Neither counted nor followed, as their text cannot change a result.
NOT_COUNTED = {
    "tedigan": "prepares the process and names the public face; who uses a room imports the room",
    "tedigan.allocator": "where blocks of memory come from, not what is in them",
    "tedigan.code_lock": "digests of code",
    "tedigan.errors": "names of errors",
    "tedigan.extras": "which package is missing",
    "tedigan.overlay": "how params.yaml is made; DVC compares the values",
    "tedigan.params": "how params.yaml is read; DVC compares the values",
    "tedigan.sections": "which values params.yaml may have; DVC compares the values",
    "tedigan.training_sections": "the same",
    "tedigan.provenance": "the run record, of which an output holds nothing",
    "tedigan.stages": "the table, and the door that runs a stage by its name",
    "tedigan.workspace": "where things lie, and what is said about a run",
    "tedigan.progress": "bars",
    "tedigan.evaluation.generator_watch": "what is seen of a generator while it trains",
    "tedigan.training.meter": "what is said of a training's speed",
    "tedigan.training.profiling": "a close look at it",
    "tedigan.torchvision_cure": "makes torchvision importable",
}
# Files of the package that a module reads as it would import code.
READ_BY = {
    "tedigan.captions.grammar_files": "captions/grammars/*.yaml",
    "tedigan.captions.wordings": "captions/*.yaml",
    "tedigan.page.app": "page/static/*",
    "tedigan.report.rendering": "report/templates/[cfps]*",  # charts, frame, parts, style.css
    "tedigan.report.report_page": "report/templates/report_page.html",
    "tedigan.report.dataset_page": "report/templates/dataset_page.html",
    "tedigan.report.job_page": "report/templates/job_page.html",
}

# libyaml's, where this build has it: the same events, a tenth of the time.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TYPES_ALONE = ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def digest_of_stage(stage: str) -> str:
    """sha256 of the code that decides what a stage makes of its params and inputs."""
    return digest_of(f"tedigan.stages.{stage}")


def digest_of(*modules: str, package: Path = PACKAGE) -> str:
    """sha256 of the code that decides what these modules do."""
    files = code_of(*modules, package=package)
    return sha256_value({name: _digest(file) for name, file in files.items()})


def code_of(*modules: str, package: Path = PACKAGE) -> dict[str, Path]:
    """Name -> file of these modules, of all that they import of the package, and of what those read."""
    found: dict[str, Path] = {}
    seen = set(NOT_COUNTED)
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        file = _file_of(name, package)
        if file is None:
            continue
        found[name] = file
        waiting += _parsed(file.read_bytes())[1]
        if name in READ_BY:
            read = package.glob(READ_BY[name])
            found |= {path.relative_to(package).as_posix(): path for path in read}
    assert found.keys() >= set(modules), f"of {modules}, some are no modules to be counted"
    return found


def write_lock(path: Path, stages: Iterable[str]) -> None:
    """Write the digests of the code that runs."""
    lines = [f'{stage}: "{digest_of_stage(stage)}"\n' for stage in stages]
    write_text(path, HEADER + "".join(lines))


def check_lock(path: Path, stages: Iterable[str]) -> None:
    """A CodeLockError unless code.lock speaks of the code that runs: DVC would record other code."""
    locked = _read_lock(path)
    stale = [stage for stage in stages if locked.get(stage) != digest_of_stage(stage)]
    if stale:
        raise CodeLockError(
            f"{path} does not hold the digests of the code that runs here, of: {', '.join(stale)}. "
            f"Run `python -m tedigan code lock {path}`, after which these stages run again."
        )


def _read_lock(path: Path) -> dict[str, Any]:
    """Empty where it is missing or damaged, as it can be written again."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return content if isinstance(content, dict) else {}


def _file_of(module: str, package: Path) -> Path | None:
    """None for what is no module of the package: another's, or a name within a module."""
    if module.partition(".")[0] != package.name:
        return None
    path = package.parent.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in candidates if file.is_file()), None)


def _digest(file: Path) -> str:
    if file.suffix == ".py":
        return _parsed(file.read_bytes())[0]
    return _digest_of_yaml(file.read_bytes()) if file.suffix == ".yaml" else sha256_file(file)


@cache
def _parsed(source: bytes) -> tuple[str, tuple[str, ...]]:
    """The digest of a module's tree, and the names that it imports."""
    tree = _Bare().visit(ast.parse(source))
    names = dict.fromkeys(_imported(tree))
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(names)


def _digest_of_yaml(content: bytes) -> str:
    """Of what a YAML reader sees, which is neither comments nor indentation."""
    facts = ("anchor", "tag", "implicit", "value")
    return sha256_value(
        [
            [type(event).__name__, *(getattr(event, fact, None) for fact in facts)]
            for event in yaml.parse(content, Loader=LOADER)
        ]
    )


class _Bare(ast.NodeTransformer):
    """Takes out what does nothing: docstrings, and imports for the type checker alone."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node

    def visit_If(self, node: ast.If) -> Any:
        bare = self.generic_visit(node)
        is_name = isinstance(node.test, ast.Name | ast.Attribute)
        is_for_types = is_name and ast.unparse(node.test) in TYPES_ALONE
        return node.orelse if is_for_types else bare


def _imported(tree: ast.AST) -> Iterator[str]:
    """Every name that may be a module: importing one also runs the packages above it."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the law of this package: an import names its module in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: i + 1]) for i in range(len(parts)))
