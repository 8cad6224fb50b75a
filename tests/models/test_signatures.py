"""A signature upon a model folder: whose it is, of which state, and where a policy asks for it."""

import json
from pathlib import Path

import pytest
import yaml

import tedigan
from tedigan.__main__ import main
from tedigan.errors import ParamsError, WeightsError
from tedigan.models.signatures import SIGNATURE, check_signed, sign_folder
from tedigan.store.signing import make_key, sign
from tedigan.store.sums import read_sums, write_sums
from tedigan.workspace import Workspace
from tests.models.hostile_folders import whole_model

DEFAULTS = yaml.safe_load((Path(__file__).parents[2] / "params.yaml").read_text())


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public half."""
    return tmp_path / "key", make_key(tmp_path / "key")


def test_a_signed_folder_is_that_of_its_signer_and_of_no_other(tmp_path, keys, capsys):
    folder, other = whole_model(tmp_path / "model"), make_key(tmp_path / "other")
    key, public = keys
    verify = ["models", "verify", str(folder), "--signers"]
    assert main([*verify, str(public)]) == 1
    assert "is not signed" in capsys.readouterr().err
    assert main(["models", "sign", str(folder), "--key", str(key)]) == 0
    assert main([*verify, str(other), str(public)]) == 0
    assert "whole (the recorded sha256) and signed" in capsys.readouterr().out
    assert main([*verify, str(other)]) == 1
    assert "signed by none of" in capsys.readouterr().err
    assert main([*verify, str(tmp_path / "none.pub")]) == 1
    assert main(["models", "verify", str(folder)]) == 0


def test_a_folder_that_was_sealed_anew_is_no_longer_the_signed_one(tmp_path, keys):
    folder, (key, public) = whole_model(tmp_path / "model"), keys
    sign_folder(folder, key)
    check_signed(folder, [public])
    (folder / "README.md").write_text("another")
    with pytest.raises(WeightsError, match=r"README\.md: sha256"):
        sign_folder(folder, key)
    write_sums(folder)
    with pytest.raises(WeightsError, match="another state"):
        check_signed(folder, [public])


@pytest.mark.parametrize("predicate", [True, False])
def test_a_statement_of_something_else_by_the_same_key_is_no_signature(tmp_path, keys, predicate):
    folder, (key, public) = whole_model(tmp_path / "model"), keys
    files = read_sums(folder) if predicate else {"G_ema.safetensors": "0" * 64}
    kind = "urn:tedigan:promotion:v1" if predicate else "urn:tedigan:model-folder:v1"
    (folder / SIGNATURE).write_bytes(sign(files, kind, {}, key))
    with pytest.raises(WeightsError, match="another state"):
        check_signed(folder, [public])


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[" * 100_000, b'{"payload": 1}', b"\xff" * 400_000]
)
def test_what_is_no_signature_is_one_refusal(tmp_path, keys, content):
    folder = whole_model(tmp_path / "model")
    (folder / SIGNATURE).write_bytes(content)
    with pytest.raises(WeightsError):
        check_signed(folder, [keys[1]])


def test_every_folder_that_may_be_opened_at_a_place_must_be_signed(tmp_path, keys):
    root, (key, public) = whole_model(tmp_path / "models"), keys
    sign_folder(root, key)
    check_signed(root, [public])
    whole_model(root / "generator")  # which is opened before what lies beside it
    with pytest.raises(WeightsError, match="models/generator is not signed"):
        check_signed(root, [public])


def test_models_are_loaded_of_signers_alone_where_these_are_named(tmp_path, keys):
    folder, (key, public) = whole_model(tmp_path / "model"), keys
    with pytest.raises(WeightsError, match="is not signed"):
        tedigan.load(folder, signers=[public])
    sign_folder(folder, key)
    assert tedigan.load(folder, signers=[str(public)]).generator.num_ws == 6
    (tmp_path / "theirs.pkl").write_bytes(b"?")
    with pytest.raises(WeightsError, match="is a file, expected a model folder"):
        tedigan.load(tmp_path / "theirs.pkl", signers=[public])
    with pytest.raises(ParamsError, match="is no public key"):
        tedigan.load(folder, signers=[folder / "config.json"])


def test_a_workspace_adopts_what_its_signers_signed(tmp_path, keys):
    key, public = keys
    root = tmp_path / "w"
    root.mkdir()
    sections = DEFAULTS | {"runtime": DEFAULTS["runtime"] | {"model_signers": [str(public)]}}
    (root / "params.yaml").write_text(yaml.safe_dump(sections))
    workspace = Workspace.open(root)
    folder = whole_model(workspace.root / "init")
    with pytest.raises(WeightsError, match="is not signed"):
        workspace.given("init")
    sign_folder(folder, key)
    assert workspace.given("init") == folder
    assert json.loads((folder / SIGNATURE).read_text())["payloadType"].endswith("in-toto+json")
