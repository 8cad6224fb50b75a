"""code.lock: which code matters to a stage, what changes its digest, and what becomes of a stale one."""

import ast
import shutil
from pathlib import Path

import pytest

from tedigan.__main__ import main
from tedigan.code_lock import (
    LOCK,
    NOT_COUNTED,
    PACKAGE,
    READ_BY,
    check_lock,
    code_of,
    digest_of,
    write_lock,
)
from tedigan.errors import CodeLockError
from tedigan.stages import STAGES
from tests.contracts.closure import CHECKOUT, imported_by

OPS = '''"""Operations."""

GAIN = 1.5


def scaled(x):
    """Scale."""
    return x * GAIN
'''
FILES = {
    "__init__.py": "from tedigan import errors\n",
    "errors.py": "class Wrong(Exception): ...\n",
    "method/losses.py": "WEIGHT = 2\n",
    "generator/__init__.py": "",
    "generator/ops.py": OPS,
    "generator/stylegan2.py": "from tedigan.generator import ops\n\n\ndef draw(x):\n    return ops.scaled(x)\n",
    "captions/grammars/celeba.yaml": "share: 0\nno: [bangs, hat]\n",
    "captions/grammar_files.py": "from tedigan.errors import Wrong\n",
    "stages/train.py": (
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from tedigan.method.losses import WEIGHT\n\n\n"
        "def run():\n    from tedigan.generator.stylegan2 import draw\n\n    return draw(1)\n"
    ),
    "stages/write.py": "import tedigan.captions.grammar_files\n",
}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose `train` imports synthesis in a function, which imports ops; `write` reads a grammar."""
    for name, text in FILES.items():
        path = tmp_path / "tedigan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tedigan"


def changed(package: Path, name: str, old: str, new: str) -> dict[str, bool]:
    """Which stages' digests change when `old` becomes `new` in a file."""
    stages = ("train", "write")
    before = {stage: digest_of(f"tedigan.stages.{stage}", package=package) for stage in stages}
    text = (package / name).read_text()
    assert old in text
    (package / name).write_text(text.replace(old, new, 1))
    after = {stage: digest_of(f"tedigan.stages.{stage}", package=package) for stage in stages}
    return {stage: before[stage] != after[stage] for stage in stages}


NEITHER, TRAIN, WRITE = (
    {"train": train, "write": write} for train, write in [(0, 0), (1, 0), (0, 1)]
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GAIN = 1.5\n", "GAIN = 1.5  # the square of 1.2247\n"),
        ("GAIN = 1.5\n", "\n\n\nGAIN = (\n    1.5\n)\n"),
        ('"""Operations."""', '"""What synthesis is made of."""'),
        ('"""Operations."""\n', ""),
        ('    """Scale."""\n', ""),
        ("def scaled(x):", "def scaled(\n    x,\n):"),
    ],
)
def test_comments_docstrings_and_layout_change_no_digest(package: Path, old: str, new: str) -> None:
    assert changed(package, "generator/ops.py", old, new) == NEITHER


@pytest.mark.parametrize(("old", "new"), [("1.5", "1.25"), ("x * GAIN", "x / GAIN")])
def test_a_changed_constant_or_term_changes_the_digest_of_all_that_come_to_it(
    package: Path, old: str, new: str
) -> None:
    assert changed(package, "generator/ops.py", old, new) == TRAIN


def test_a_function_that_moves_to_another_module_changes_it_once(package: Path) -> None:
    function = OPS.partition("GAIN")[2]
    synthesis = "generator/stylegan2.py"
    assert changed(package, synthesis, "def draw", f"GAIN{function}\n\ndef draw") == TRAIN
    assert changed(package, synthesis, "", "# moved here\n") == NEITHER


def test_a_package_above_an_imported_module_counts_as_importing_runs_it(package: Path) -> None:
    assert (
        changed(package, "generator/__init__.py", "", "from tedigan.method import losses\n")
        == TRAIN
    )
    assert changed(package, "method/losses.py", "2", "3") == TRAIN


def test_an_import_for_the_type_checker_does_not_count(package: Path) -> None:
    assert changed(package, "method/losses.py", "2", "3") == NEITHER
    assert (
        changed(package, "stages/train.py", "method.losses import WEIGHT", "errors import Wrong")
        == NEITHER
    )


def test_what_cannot_change_a_result_is_neither_counted_nor_followed(package: Path) -> None:
    assert changed(package, "errors.py", "...", "pass") == NEITHER
    assert changed(package, "__init__.py", "errors", "losses") == NEITHER


def test_a_grammar_counts_for_who_reads_it_but_its_comments_do_not(package: Path) -> None:
    grammar = "captions/grammars/celeba.yaml"
    assert changed(package, grammar, "share: 0", "# how often\nshare: 0   # of 1") == NEITHER
    assert changed(package, grammar, "share: 0", "share: 1") == WRITE
    assert changed(package, grammar, "no:", "'no':") == WRITE


# Of this package


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_a_stage_is_what_another_program_finds_imported(stage: str) -> None:
    code = {name for name in code_of(f"tedigan.stages.{stage}") if "/" not in name}
    assert code == imported_by(stage)


def test_code_lock_is_of_the_code_that_lies_here(tmp_path: Path) -> None:
    write_lock(tmp_path / "code.lock", STAGES)
    made = (tmp_path / "code.lock").read_text()
    advice = "run `python -m tedigan code lock` and commit code.lock with the change"
    assert LOCK.read_text() == made, advice


def test_a_stage_does_not_run_again_for_another_s_code() -> None:
    """Trainings know nothing of how faces are drawn in bulk, nor a data set of the report's page."""
    training = code_of("tedigan.stages.train_encoder")
    assert not {"tedigan.method.text_to_face", "tedigan.method.control"} & training.keys()
    assert not [name for name in training if "engine" in name or "fast_synthesis" in name]
    assert "report/templates/report_page.html" not in code_of("tedigan.stages.dataset")
    assert "report/templates/dataset_page.html" not in code_of("tedigan.stages.report")


def test_what_does_not_count_exists() -> None:
    for module in NOT_COUNTED:
        path = CHECKOUT.joinpath(*module.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), module


def test_every_file_that_is_no_module_is_read_by_one_that_counts_it() -> None:
    files = {
        path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    known = {path for pattern in READ_BY.values() for path in PACKAGE.glob(pattern)}
    assert {path for path in files if path.suffix != ".py"} == known


@pytest.mark.parametrize("stage", STAGES)
def test_nothing_is_imported_in_a_way_that_a_digest_would_miss(stage: str) -> None:
    """By a computed name, or through the public face; nor is a docstring taken for a value."""
    for name, file in code_of(f"tedigan.stages.{stage}").items():
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
                assert isinstance(node.args[0], ast.Constant), name
                assert not str(node.args[0].value).startswith("tedigan"), name
            if isinstance(node, ast.ImportFrom) and node.module == "tedigan":
                assert all((PACKAGE / f"{alias.name}.py").is_file() for alias in node.names), name
            assert getattr(node, "attr", getattr(node, "id", "")) != "__doc__", name


# Stale


def test_a_lock_of_other_code_is_refused_with_the_stages_and_the_command(tmp_path: Path) -> None:
    lock = tmp_path / "code.lock"
    lock.write_text(LOCK.read_text().replace("invert: ", "invert: x"))
    check_lock(lock, ["dataset"])
    with pytest.raises(CodeLockError, match=r"of: invert\. Run `python -m tedigan code lock /"):
        check_lock(lock, STAGES)


@pytest.mark.parametrize("content", [None, "", "<<<<<<< ours\ndataset: x\n", "a list", b"\xff"])
def test_a_lost_or_damaged_lock_is_stale(tmp_path: Path, content: str | bytes | None) -> None:
    lock = tmp_path / "code.lock"
    if content is not None:
        lock.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CodeLockError, match="of: dataset, train_generator"):
        check_lock(lock, STAGES)


def test_the_command_that_the_message_names_mends_it(tmp_path: Path) -> None:
    lock = str(tmp_path / "code.lock")
    assert main(["code", "check", lock]) == 1
    assert main(["code", "lock", lock]) == 0
    assert main(["code", "check", lock]) == 0


def test_a_stage_refuses_a_stale_lock_before_it_leaves_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    assert main(["invert", "--workspace", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"Run `python -m tedigan code lock {tmp_path / 'code.lock'}`" in line
    assert {path.name for path in tmp_path.iterdir()} == {"params.yaml", "dvc.yaml"}


def test_show_lists_what_a_digest_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", "show", "dataset"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert {"tedigan.stages.dataset", "captions/grammars/celeba.yaml"} <= set(shown)
