"""Workspaces with a DVC repository of their own, and one Prefect server for the whole session."""

import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local import offline_environment
from tedigan.workspace import Workspace
from tests.stages.small import SMALL, write_models

CHECKOUT = Path(__file__).resolve().parents[2]
TINY: dict[str, dict[str, Any]] = (
    SMALL
    | {
        "dataset": {"num_images": 60, "resolution": 32, "captions_per_image": 2},
        "train_referee": {"num_views": 1, "hidden_dim": 4, "num_steps": 4, "batch_size": 8},
        "evaluate": {"num_prompts": 4, "num_images": 4, "batch_size": 4},
        "runtime": {"device": "cpu", "num_workers": 1},
    }
    | {
        name: SMALL[name] | fewer
        for name, fewer in {
            "train_generator": {"total_nimg": 16, "sheet_faces": 4},
            "train_sketch_encoder": {"num_pairs": 16},
            "train_label_encoder": {"num_pairs": 16},
            "evaluate_edits": {"num_photographs": 2, "num_strips": 1, "num_faces": 4},
        }.items()
    }
)


@pytest.fixture(scope="session", autouse=True)
def _tools_at_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Prefect, MLflow and DVC keep their state in a folder of this session and call nobody."""
    with pytest.MonkeyPatch.context() as patch:
        work = tmp_path_factory.mktemp("work")
        for name, value in offline_environment(work).items():
            patch.setenv(name, value)
        patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        yield


@pytest.fixture(scope="session")
def new_mlflow(
    _tools_at_home: None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path], str]:
    """Makes an MLflow that holds nothing at a path, and says its URI. Its tables are made once, in a second."""
    import mlflow

    made = tmp_path_factory.mktemp("mlflow") / "new.db"
    client = mlflow.MlflowClient(f"sqlite:///{made}", f"sqlite:///{made}")
    client.search_experiments()
    client.search_registered_models()

    def copied(path: Path) -> str:
        shutil.copyfile(made, path)
        return f"sqlite:///{path}"

    return copied


@pytest.fixture(scope="session")
def prefect_server(_tools_at_home: None) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        from prefect.testing.utilities import prefect_test_harness

        with prefect_test_harness(server_startup_timeout=180):
            yield


def dvc(folder: Path, *arguments: str, **environment: str) -> str:
    """Run `dvc` in a folder; what it prints."""
    done = try_dvc(folder, *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def try_dvc(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `dvc` in a folder, whether or not it succeeds."""
    return subprocess.run(
        ["dvc", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def make_repository(folder: Path, pipeline: str, params: dict[str, Any]) -> Path:
    """A DVC repository with a remote in a folder beside it."""
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc" / "config").write_text(
        "[core]\n    no_scm = True\n    analytics = false\n    remote = near\n"
        f'[remote "near"]\n    url = {folder.parent / (folder.name + "-remote")}\n'
    )
    shutil.copy(CHECKOUT / ".dvcignore", folder)
    (folder / "dvc.yaml").write_text(pipeline)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return folder


def tiny_params() -> dict[str, Any]:
    """The project's params, small enough for seconds."""
    params: dict[str, Any] = yaml.safe_load((CHECKOUT / "params.yaml").read_text())
    for name, values in TINY.items():
        params[name] |= values
    return params


def tiny_checkout(folder: Path) -> Path:
    """The project's pipeline and code, with params small enough for seconds, and models to show beside it."""
    params = tiny_params()
    params["showcase"] |= {"models": "../shown/models"}
    make_repository(folder, (CHECKOUT / "dvc.yaml").read_text(), params)
    shutil.copy(CHECKOUT / "code.lock", folder)
    shutil.copytree(CHECKOUT / "tedigan", folder / "tedigan")  # compiled modules too
    (folder / "captions.txt").write_text("She is young.\nThe man has a beard.\n")
    (folder / "edits.csv").write_text("photograph,text\n*,She has blond hair.\n")
    (folder / "sources.csv").write_text("text,sketch,label\nShe is young.,test:0,test:0\n")
    write_models(Workspace(folder.parent / "shown", Workspace.open(folder).params))
    return folder
