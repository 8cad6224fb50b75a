"""DVC sees every effective value of a profile, and runs nothing by values that are no longer those."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tasks import recording
from tasks.stages import preflight
from tedigan.params import write_params
from tedigan.workspace import Workspace
from tests.flows.conftest import CHECKOUT, dvc, make_repository, tiny_params, try_dvc

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("recording")]
PIPELINE = """
stages:
  check:
    cmd: python -m tedigan params check
    always_changed: true
  invert:
    cmd: mkdir -p ${paths.data}/codes && cp params.yaml ${paths.data}/codes
    params: [invert, generate]
    outs: ["${paths.data}/codes"]
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A folder below a checkout, with another `generate.seed` and without a params.yaml."""
    root = make_repository(tmp_path / "repo", PIPELINE, tiny_params())
    folder = root / "profiles" / "mine"
    folder.mkdir(parents=True)
    overlay = {"paths": {"code": "../../code.lock"}, "generate": {"seed": 7}}
    (folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    return folder


def change_root(profile: Path) -> None:
    params = tiny_params()
    params["invert"]["batch_size"] = 3
    (profile / "../../params.yaml").write_text(yaml.safe_dump(params))


def test_a_checkout_whose_profiles_nobody_opened_is_whole_to_dvc(profile: Path) -> None:
    root = profile.parents[1]
    assert "Running stage 'invert'" in dvc(root, "repro")
    assert "profiles" not in dvc(root, "status")


def test_dvc_records_the_values_of_the_root_and_of_the_overlay(profile: Path) -> None:
    write_params(profile)
    dvc(profile, "repro")
    locked = yaml.safe_load((profile / "dvc.lock").read_text())["stages"]["invert"]["params"]
    whole = yaml.safe_load((profile / "params.yaml").read_text())
    assert locked["params.yaml"] == {name: whole[name] for name in ("invert", "generate")}
    assert whole["generate"]["seed"] == 7


def test_a_changed_root_ends_repro_until_it_is_written_and_is_named_by_the_flow(
    profile: Path,
) -> None:
    write_params(profile)
    dvc(profile, "repro")
    change_root(profile)
    done = try_dvc(profile, "repro")
    assert done.returncode != 0
    assert "Run `python -m tedigan params write .`" in done.stderr
    workspace = Workspace.open(profile, writes_params=True)
    assert recording.why_stale(workspace, "invert") == ["invert.batch_size 16 -> 3"]
    assert "Running stage 'invert'" in dvc(profile, "repro")


def test_the_checkout_s_dvc_knows_nothing_of_a_profile_that_was_opened(profile: Path) -> None:
    root = profile.parents[1]
    write_params(profile)
    assert "profiles" not in dvc(root, "status")
    dvc(root, "repro")
    assert not (profile / "data").exists()
    dvc(profile, "repro")
    assert sorted(path.name for path in (root / "data/codes").iterdir()) == ["params.yaml"]


def test_a_profile_shares_the_checkout_s_cache_and_remote(profile: Path) -> None:
    root = profile.parents[1]
    write_params(profile)
    dvc(profile, "repro")
    assert list((root / ".dvc/cache").rglob("*.dir"))
    assert not (profile / ".dvc/cache").exists()
    dvc(profile, "push")
    assert list((root.parent / f"{root.name}-remote").rglob("*.dir"))
    shutil.rmtree(root / ".dvc/cache")
    shutil.rmtree(profile / "data")
    dvc(profile, "pull")
    assert (profile / "data/codes/params.yaml").is_file()


def test_relative_places_of_the_checkout_s_dvc_lead_there_from_a_profile(profile: Path) -> None:
    root = profile.parents[1]
    (root / ".dvc/config").write_text(
        '[core]\n    remote = near\n[remote "near"]\n    url = ../../store\n'
        "[cache]\n    dir = ../../cache\n"
    )
    write_params(profile)
    config = configparser.ConfigParser()
    config.read(profile / ".dvc/config")
    for section, key, place in (
        ('remote "near"', "url", root.parent / "store"),
        ("cache", "dir", root.parent / "cache"),
    ):
        assert (profile / ".dvc" / config[section][key]).resolve() == place.resolve()


def test_in_a_checkout_with_git_dvc_compares_params_and_shows_metrics(tmp_path: Path) -> None:
    pipeline = PIPELINE + 'metrics: ["${paths.results}/evaluation/values.json"]\n'
    root = make_repository(tmp_path / "repo", pipeline, tiny_params())
    (root / ".dvc/config").write_text((CHECKOUT / ".dvc/config").read_text())
    (root / ".gitignore").write_text("/results/\n/data/\n")
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "--quiet", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    (root / "results/evaluation").mkdir(parents=True)
    (root / "results/evaluation/values.json").write_text('{"text_fidelity[referee,n=2]": 0.5}')
    assert "0.5" in dvc(root, "metrics", "show")
    params = tiny_params()
    params["invert"]["batch_size"] = 3
    (root / "params.yaml").write_text(yaml.safe_dump(params))
    assert "invert.batch_size" in dvc(root, "params", "diff")
    assert "0.5" in dvc(root, "metrics", "diff")
    dvc(root, "exp", "run")
    assert (root / "data/codes/params.yaml").is_file()
    assert "invert.batch_size" in dvc(root, "exp", "show", "--md")


def test_preflight_writes_the_params_before_dvc_reads_them(profile: Path) -> None:
    shutil.copy(CHECKOUT / "code.lock", profile.parents[1])
    (profile / "captions.txt").write_text("She is young.\n")
    (profile / "edits.csv").write_text("photograph,text\n*,She has blond hair.\n")
    (profile / "sources.csv").write_text("text,sketch\n,test:0\n")
    assert preflight.fn(profile).params.generate.seed == 7
    change_root(profile)
    assert preflight.fn(profile).params.invert.batch_size == 3


def run_stage(folder: Path, *arguments: str) -> str:
    """What `python -m tedigan invert` complains of, with the code of this checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "tedigan", "invert", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_a_stage_by_hand_writes_the_params_of_its_profile_but_dvcs_command_refuses_them(
    profile: Path,
) -> None:
    root = profile.parents[1]
    shutil.copytree(CHECKOUT / "tedigan", root / "tedigan")
    place = root / "infra" / "profiles"
    place.parent.mkdir()
    shutil.move(profile.parent, place)
    (place / "mine" / "overlay.yaml").write_text("paths: {code: ../../../code.lock}\n")
    assert "params write" in run_stage(root, "--workspace", str(place / "mine"))
    assert not (place / "mine" / "params.yaml").exists()
    assert "code lock" in run_stage(root, "--profile", "mine")
    assert (place / "mine" / "params.yaml").exists()
