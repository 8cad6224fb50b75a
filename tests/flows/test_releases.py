"""A release from its first promotion to its rollback: real networks, MLflow, signatures, flows and commands."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter

import tasks.policy
import tasks.releases
from tedigan.__main__ import main
from tedigan.bulk.ledger import Ledger
from tedigan.bulk.replay import rows_of
from tedigan.errors import DataError, ParamsError, StoreError
from tedigan.releases.policy import read_policy
from tedigan.serving.releasing import Releases
from tedigan.serving.weighing import Weighed
from tedigan.stages import evaluate, evaluate_edits
from tedigan.store.model_folders import read_config
from tedigan.store.signing import make_key
from tedigan.store.sums import write_sums
from tedigan.workspace import Outcome, Workspace
from tests.stages.small import small_workspace, write_models

pytestmark = pytest.mark.xdist_group("releases")
NAMES = ("Arched_Eyebrows", "Bangs", "Big_Nose")  # that the toy faces show
LENIENT = {
    "at_most_worse": {"text_fidelity": 1.0, "edit_reached": 1.0},
    "must_gain": False,
    "floors": {},
    "at_most_slower": 1000,
    "subgroups": {"of": [], "min_prompts": 2, "floor": 0, "at_most_worse": 1},
}


@pytest.fixture(scope="module")
def trained(
    toy_referee: tuple[Workspace, Outcome], tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """Untrained networks, judged by the toy faces' referee; what a release holds besides is there."""
    source = toy_referee[0].model("referee")
    trusted = [name for name in NAMES if name in read_config(source)["reliable"]]
    made = small_workspace(
        tmp_path_factory.mktemp("releases"),
        evaluate_edits={
            "attributes": trusted[:2],
            "num_photographs": 2,
            "num_strips": 1,
            "num_faces": 4,
        },
        evaluate={"num_prompts": 10, "num_images": 6, "batch_size": 4},
    )
    shutil.copytree(source, made.model("referee"))
    (made.root / "dvc.lock").write_text("stages: {}\n")
    if not made.code_lock.is_file():
        made.code_lock.write_text("{}\n")
    (made.root / "params.yaml").write_text(yaml.safe_dump(made.params.model_dump(mode="json")))
    for seed in (1, 0):
        write_models(made, NAMES, seed=seed)
        judge(made)
        shutil.copytree(made.models, made.root / f"models-{seed}")
        shutil.copytree(made.result(""), made.root / f"results-{seed}")
    return made


def judge(workspace: Workspace) -> None:
    evaluate.run(workspace)
    evaluate_edits.run(workspace)


def retrain(workspace: Workspace, *, seed: int) -> None:
    """Other networks in the place of the ones that were there, judged by the same referee."""
    for name, place in (("models", workspace.models), ("results", workspace.result(""))):
        shutil.rmtree(place)
        shutil.copytree(workspace.root / f"{name}-{seed}", place)


@pytest.fixture
def releases(
    trained: Workspace,
    new_mlflow: Callable[[Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Releases:
    """A store, a registry, a key and a lenient policy of this test's own; the first networks are there."""
    retrain(trained, seed=0)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", new_mlflow(tmp_path / "mlflow.db"))
    monkeypatch.setattr(tasks.releases.recording, "why_stale", lambda *_: [])
    public = make_key(tmp_path / "key")
    monkeypatch.setenv("TEDIGAN_RELEASES", str(tmp_path / "store"))
    monkeypatch.setenv("TEDIGAN_SIGNING_KEY", str(tmp_path / "key"))
    monkeypatch.setenv("TEDIGAN_POLICY", str(write_policy(tmp_path, signers=[public.name])))
    return Releases.of(trained)


def write_policy(folder: Path, **changes: object) -> Path:
    base = yaml.safe_load((Path(__file__).resolve().parents[2] / "infra/policy.yaml").read_text())
    (folder / "policy.yaml").write_text(yaml.safe_dump(base | LENIENT | changes))
    return folder / "policy.yaml"


def promoted(releases: Releases) -> Weighed:
    """Register what lies there, and make it champion."""
    weighed = releases.weigh(releases.register().named)
    releases.promote(weighed, by="a person")
    return weighed


def command(
    releases: Releases, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, str]:
    status = main(["release", *arguments, "--workspace", str(releases.workspace.root)])
    said = capsys.readouterr()
    return status, said.out if status in (0, 3) else said.out + said.err


def aliases() -> dict[str, int]:
    found = mlflow.MlflowClient().get_registered_model("tedigan.release").aliases
    return {name: int(version) for name, version in found.items()}


def test_what_a_workspace_made_becomes_a_challenger_and_an_equal_one_the_same(releases) -> None:
    first, again = releases.register(), releases.register()
    assert first.named == again.named
    assert aliases() == {"challenger": 1}
    held = releases.store.release(first.named.digest).files
    assert {
        "models/generator/G_ema.safetensors",
        "evaluation/per_prompt.csv",
        "dvc.lock",
    } <= held.keys()
    assert not [name for name in held if name.endswith((".png", ".webp", ".jpg"))]


def test_a_workspace_that_is_out_of_date_makes_no_release(releases, monkeypatch) -> None:
    monkeypatch.setattr(tasks.releases.recording, "why_stale", lambda *_: ["code modified"])
    with pytest.raises(DataError, match="not up to date"):
        releases.register()
    assert not releases.registry.all()


def test_from_the_first_release_to_a_rollback(
    releases: Releases, trained: Workspace, capsys
) -> None:
    """What is served is named by `champion`, and stays whole and the same while others come and go."""
    with pytest.raises(DataError, match="no champion yet"):
        releases.digest_of("champion")
    first = promoted(releases).candidate
    digest, served = releases.models("champion")
    before = {path: path.read_bytes() for path in served.rglob("*.safetensors")}
    retrain(trained, seed=1)
    second = promoted(releases)
    assert (second.champion, releases.champion()) == (first, second.candidate)
    assert aliases() == {"champion": 2}
    assert {path: path.read_bytes() for path in before} == before
    status, said = command(releases, capsys, "rollback")
    assert (status, said.splitlines()[-1]) == (0, f"champion again: {first}")
    assert releases.digest_of("champion") == digest
    assert aliases() == {"champion": 1}
    status, said = command(releases, capsys, "rollback")
    assert status == 1
    assert "no champion before this one" in said
    status, said = command(releases, capsys, "list")
    assert [line.split()[4] for line in said.splitlines()[-2:]] == ["champion", "-"]
    assert command(releases, capsys, "verify")[0] == 0
    status, said = command(releases, capsys, "show", "champion")
    assert said.count("  models/") == 10
    assert "rollback 3" in said


def test_what_a_rollback_took_back_needs_a_person_to_come_again(releases, trained, capsys) -> None:
    promoted(releases)
    retrain(trained, seed=1)
    taken = promoted(releases).candidate
    releases.roll_back(by="a person")
    assert releases.register().named == taken  # an idle week's retraining
    status, said = command(releases, capsys, "promote", "challenger")
    assert (status, "rollback 3 took it back" in said) == (3, True)
    assert command(releases, capsys, "promote", "challenger", "--approve")[0] == 0


def test_a_rollback_that_is_repeated_in_one_name_goes_back_once(releases, trained) -> None:
    first = promoted(releases).candidate
    retrain(trained, seed=1)
    promoted(releases)
    for _ in range(2):
        assert releases.roll_back(by="flow run x").champion == first


def test_a_rollback_to_what_is_gone_is_refused(releases: Releases, trained: Workspace) -> None:
    first = promoted(releases).candidate
    retrain(trained, seed=1)
    second = promoted(releases).candidate
    shutil.rmtree(releases.cache)
    releases.store.bucket.delete(f"releases/{first.digest}.json")
    with pytest.raises(StoreError):
        releases.roll_back(by="a person")
    assert releases.champion() == second


def test_a_registry_that_is_down_or_new_moves_no_alias_to_another_model(
    releases: Releases, trained: Workspace, tmp_path: Path, new_mlflow, monkeypatch, capsys
) -> None:
    champion = promoted(releases).candidate
    monkeypatch.setenv("MLFLOW_TRACKING_URI", new_mlflow(tmp_path / "new.db"))
    retrain(trained, seed=1)
    other = releases.register().named
    assert other.version == champion.version
    assert command(releases, capsys, "mirror")[0] == 0
    assert "champion" not in aliases()
    assert releases.digest_of("champion") == champion.digest
    assert command(releases, capsys, "verify")[0] == 1


def test_one_damaged_release_does_not_hide_the_others_from_verify(
    releases, trained, capsys
) -> None:
    promoted(releases)
    releases.store.bucket.write("releases/notes.txt", b"a note")
    status, said = command(releases, capsys, "verify")
    assert status == 1
    assert "2 releases and 1 promotions read; 1 problems" in said


def test_a_key_that_may_not_sign_is_refused_before_anything_is_judged(
    releases: Releases, tmp_path: Path, capsys
) -> None:
    releases.register()
    make_key(tmp_path / "stranger")
    status, said = command(
        releases, capsys, "promote", "challenger", "--key", str(tmp_path / "stranger")
    )
    assert status == 1
    assert "signed by none" in said


def test_a_job_of_the_champion_is_drawn_by_it_whatever_is_trained_and_promoted_meanwhile(
    releases: Releases, trained: Workspace, tmp_path: Path, capsys
) -> None:
    promoted(releases)
    here = ["--workspace", str(trained.root)]
    (tmp_path / "prompts.txt").write_text("She is young.\nHe has a beard.\n")
    place = str(tmp_path / "jobs")
    plan = ["jobs", "plan", str(tmp_path / "prompts.txt"), place, "--release", "champion", "--yes"]
    assert main([*plan, "--sample", "4", *here]) == 0
    said = capsys.readouterr().out
    job = said.partition("planned: ")[2].splitlines()[0]
    assert Ledger(job).plan.release == releases.digest_of("champion")
    retrain(trained, seed=1)
    promoted(releases)
    assert main(["jobs", "run", job, *here]) == 0
    capsys.readouterr()
    first = next(rows_of(Ledger(job), tmp_path / "cache"))
    assert main(["replay", first["file_sha256"], job, *here]) == 0
    assert "bit-identical" in capsys.readouterr().out
    status, said = command(releases, capsys, "drift", place)
    assert (status, said) == (
        0,
        "met    enough faces: 0 faces were drawn, fewer than 200, and say nothing\n",
    )
    assert command(releases, capsys, "rollback")[0] == 0  # to whom that job belongs
    write_policy(
        tmp_path,
        signers=["key.pub"],
        drift={"min_prompts": 2, "at_most_prompts": 0.01, "at_most_lacking": 1},
    )
    status, said = command(releases, capsys, "drift", place)
    assert status == 3
    assert said.startswith("FAILED prompts")
    with_today_s = [*here, "--models", str(trained.models)]
    assert main(["replay", first["file_sha256"], job, *with_today_s]) == 1
    assert "the plan" in capsys.readouterr().err


def test_a_worse_release_is_refused_with_its_reason_and_the_champion_stays(
    releases: Releases, trained: Workspace, tmp_path: Path, capsys
) -> None:
    champion = promoted(releases).candidate
    retrain(trained, seed=1)
    write_policy(tmp_path, signers=["key.pub"], floors={"text_fidelity[referee]": 0.999})
    assert command(releases, capsys, "register")[0] == 0
    status, said = command(releases, capsys, "promote", "challenger")
    assert status == 3
    assert "FAILED floor of text_fidelity[referee]" in said
    assert releases.champion() == champion
    (refusal,) = releases.store.bucket.names("refusals/")
    assert json.loads(releases.store.bucket.read(refusal))["signatures"]
    refused = releases.registry.all()[1]
    assert refused.tags["refused"].startswith("floor of text_fidelity[referee]")
    assert refused.aliases == ["challenger"]


def test_a_promotion_decided_beside_another_champion_is_not_made(releases, trained) -> None:
    promoted(releases)
    retrain(trained, seed=1)
    candidate = releases.register().named
    weighed = releases.weigh(candidate)
    releases.promote(weighed, by="somebody quicker")
    with pytest.raises(StoreError, match="Decide again"):
        releases.promote(weighed, by="a person")


def test_where_policy_asks_for_a_person_none_but_a_person_promotes(
    releases: Releases, tmp_path: Path, capsys
) -> None:
    releases.register()
    write_policy(tmp_path, signers=["key.pub"], approval="required")
    status, said = command(releases, capsys, "promote", "challenger")
    assert status == 3
    assert "asks for a person" in said
    assert releases.champion() is None
    assert command(releases, capsys, "promote", "challenger", "--approve")[0] == 0
    (promotion,) = releases.promotions.all()
    assert promotion.by != "policy"


def test_without_a_key_nothing_is_promoted(releases, monkeypatch, capsys) -> None:
    releases.register()
    monkeypatch.delenv("TEDIGAN_SIGNING_KEY")
    status, said = command(releases, capsys, "promote", "challenger")
    assert status == 1
    assert "tedigan release key" in said


def test_an_alias_that_a_stray_hand_moved_serves_nothing_and_is_mended(
    releases, trained, capsys
) -> None:
    """Or that a process, which died between the record and the alias, never moved."""
    first = promoted(releases).candidate
    retrain(trained, seed=1)
    releases.register()
    releases.registry.point("champion", 2)
    assert releases.digest_of("champion") == first.digest
    assert "warning: the registry's alias" in command(releases, capsys, "list")[1]
    assert command(releases, capsys, "verify")[0] == 1
    status, said = command(releases, capsys, "mirror")
    assert (status, said.splitlines()[-1]) == (0, f"champion: {first}")
    assert aliases()["champion"] == 1
    assert command(releases, capsys, "verify")[0] == 0


def test_a_champion_that_another_referee_judged_is_judged_again(
    releases: Releases, trained: Workspace, tmp_path: Path
) -> None:
    """On the candidate's captions, by its referee, which here finds everything everywhere."""
    champion = promoted(releases)
    retrain(trained, seed=1)
    config = trained.model("referee") / "config.json"
    content = json.loads(config.read_text())
    for one in content["attributes"].values():
        one["threshold"] = -1e6
    config.write_text(json.dumps(content))
    write_sums(config.parent)
    judge(trained)
    weighed = releases.weigh(releases.register().named)
    assert weighed.champion == champion.candidate
    (compared,) = [one for one in weighed.decision.reasons if one.rule == "no worse: text fidelity"]
    assert compared.said.startswith("+0.000 [+0.000, +0.000] over ")


def test_the_flow_promotes_what_was_registered_and_then_has_nothing_to_do(
    releases: Releases, prefect_server: None
) -> None:
    from flows.releases import promote, register, rollback

    folder = releases.workspace.root
    version = register(folder)
    assert promote(folder) is True
    assert releases.champion().version == version
    assert promote(folder) is False
    with pytest.raises(DataError, match="no champion before"):
        rollback(folder)


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_paused_promotion_goes_on_in_the_name_of_who_answers(
    releases: Releases, prefect_server: None, tmp_path: Path, monkeypatch, is_approved: bool
) -> None:
    from flows.releases import promote

    monkeypatch.setattr(tasks.policy, "APPROVAL_POLL_S", 1)
    write_policy(tmp_path, signers=["key.pub"], approval="required")
    releases.register()
    answer = {"by": "Ada", "is_approved": is_approved}
    person = threading.Thread(target=answer_when_asked, args=(answer,))
    person.start()
    assert promote(releases.workspace.root) is is_approved
    person.join()
    assert [one.by for one in releases.promotions.all()] == ["Ada"] * is_approved


def answer_when_asked(answer: dict[str, object]) -> None:
    """What a person does in Prefect's page: resume the paused run, with an answer."""
    paused = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
    with get_client(sync_client=True) as client:
        for _ in range(120):
            for run in client.read_flow_runs(flow_run_filter=paused):
                client.resume_flow_run(run.id, run_input=answer)
                return
            time.sleep(0.5)


def test_names_of_releases_that_are_none_are_refused(releases: Releases) -> None:
    releases.register()
    for name in ("7", "main", "champion", "0" * 12):
        with pytest.raises(DataError, match="expected"):
            releases.resolve(name)


def test_a_policy_that_names_a_missing_signer_is_refused(releases, tmp_path: Path) -> None:
    promoted(releases)
    write_policy(tmp_path, signers=["absent.pub"])
    assert read_policy(tmp_path / "policy.yaml").signers == (tmp_path / "absent.pub",)
    with pytest.raises(ParamsError, match="no public key"):
        Releases.of(releases.workspace).champion()
