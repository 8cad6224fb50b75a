"""The training and synthesis stages on tiny networks, in their order.

That equal params give equal bytes is for tests/flows/test_two_doors.py to say, which runs every stage twice.
"""

import json
import signal
import subprocess
import sys
import time

import pytest
import torch

from tedigan import code_lock
from tedigan.dataset.folder import Dataset
from tedigan.errors import CaptionError, DataError, NumbersError, ParamsError, WeightsError
from tedigan.jobs.source_list import read_sources
from tedigan.jobs.source_pictures import SourcePictures
from tedigan.method.drawing_fit import FittingEncoder
from tedigan.models.drawing_encoders import open_drawing_encoder
from tedigan.models.opening import load_generator
from tedigan.stages import (
    analyse_layers,
    compose,
    generate,
    invert,
    manipulate,
    train_encoder,
    train_generator,
    train_guide,
    train_label_encoder,
    train_latent_tagger,
    train_sketch_encoder,
    train_text_encoder,
    train_text_mapper,
)
from tedigan.stages.resuming import open_loop
from tedigan.store.files import sha256_tree
from tedigan.store.model_folders import load_tensors
from tedigan.store.sums import write_sums
from tests.stages.small import small_workspace
from tests.stages.toy import SIZE

CHAIN = [
    train_generator,
    train_encoder,
    invert,
    train_sketch_encoder,
    train_label_encoder,
    train_text_encoder,
    train_guide,
    train_latent_tagger,
    analyse_layers,
    train_text_mapper,
    generate,
    compose,
    manipulate,
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workspace = small_workspace(tmp_path_factory.mktemp("lifecycle"))
    return workspace, [stage.run(workspace) for stage in CHAIN]


def test_every_photograph_has_a_code(finished):
    workspace, _ = finished
    codes = load_tensors(workspace.codes / "codes.safetensors")
    assert codes["ids"].tolist() == list(range(40))
    assert codes["ws"].shape == (40, 8, 16)


def test_every_caption_has_its_faces(finished):
    workspace, outcomes = finished
    assert len(list((workspace.result("generated") / "faces").iterdir())) == 4
    assert outcomes[CHAIN.index(generate)].metrics == {"num_captions": 2.0, "num_faces": 4.0}


def test_every_row_of_sources_has_its_faces_and_its_report(finished):
    workspace, outcomes = finished
    folder = workspace.result("composed")
    assert outcomes[CHAIN.index(compose)].metrics == {"num_rows": 2.0, "num_faces": 4.0}
    names = {path.name for path in (folder / "faces").iterdir()}
    assert names == {f"00000-00{n}.png" for n in range(3)} | {"00001-000.png"}
    first, second = json.loads((folder / "reports.json").read_text())
    assert all((folder / place).is_file() for place in first["given"].values())
    assert any("the sketch" in line for line in first["report"])
    assert any("the sentence: " in line for line in second["report"])


@pytest.mark.parametrize("kind", ["sketch", "label"])
def test_an_encoder_of_drawings_brings_what_fits_its_codes_to_them(finished, kind):
    workspace, _ = finished
    folder = workspace.model(f"{kind}_encoder")
    generator = load_generator(workspace.model("generator"), torch.device("cpu"))
    opened = open_drawing_encoder(folder, generator, kind)
    assert isinstance(opened.encoder, FittingEncoder)
    assert opened.encoder.settings.num_fit_steps == 2
    assert "fitted to its drawing in 2 steps" in (folder / "README.md").read_text()
    inputs = torch.ones(1, opened.encoder.input_channels, SIZE, SIZE)
    assert not torch.equal(opened.encoder(inputs), opened.encoder.encoder(inputs))


def test_every_photograph_is_edited(finished):
    workspace, _ = finished
    folder = workspace.result("manipulated")
    counts = {name: len(list((folder / name).iterdir())) for name in ("before", "after")}
    assert counts == {"before": 2, "after": 2}


def test_recipes_name_the_models_digests(finished):
    workspace, _ = finished
    recipe = json.loads((workspace.result("manipulated") / "recipe.json").read_text())
    assert "encoder/encoder.safetensors" in recipe["models"]


def test_checkpoints_are_gone_when_the_outputs_stand(finished):
    workspace, _ = finished
    assert list((workspace.work / "checkpoints").rglob("*.pt")) == []


def test_a_killed_training_resumes_to_the_same_bytes(finished, tmp_path):
    """SIGKILL after the first checkpoint; the second run says where it went on from."""
    workspace, _ = finished
    again = small_workspace(tmp_path)
    command = [sys.executable, "-m", "tedigan", "train_generator", "--workspace", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / ".work/checkpoints/train_generator"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("*.pt")) and time.monotonic() < deadline:
        assert process.poll() is None, "the stage ended before its first checkpoint"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not again.model("generator").exists()
    outcome = train_generator.run(again)
    assert outcome.resumed_from_step
    assert sha256_tree(again.model("generator")) == sha256_tree(workspace.model("generator"))


def test_a_guides_training_is_known_by_its_stage_and_looked_at_closely(tmp_path):
    workspace = small_workspace(
        tmp_path, train_guide={"num_steps": 8, "checkpoint_every": 8}, runtime={"profile": 2}
    )
    train_guide.run(workspace)
    assert [path.name for path in (workspace.work / "stats").iterdir()] == ["train_guide.jsonl"]
    assert (workspace.work / "profiles/train_guide-0.json").is_file()


def test_a_checkpoint_of_other_code_is_not_resumed(tmp_path, monkeypatch):
    workspace = small_workspace(tmp_path)

    def checkpoint():
        return open_loop(workspace, "train_encoder", []).checkpoint

    checkpoint().save({"step": 1})
    assert checkpoint().load() == {"step": 1}
    monkeypatch.setattr(code_lock, "_digest", lambda _: "other")
    assert checkpoint().load() is None


def test_a_ready_made_generator_is_adopted_as_it_is(finished, tmp_path):
    workspace, _ = finished
    init = {"init": str(workspace.model("generator")), "total_nimg": 0}
    other = small_workspace(tmp_path, train_generator=init)
    train_generator.run(other)
    for name in ("G_ema", "G", "D"):
        ours, theirs = (
            load_tensors(place.model("generator") / f"{name}.safetensors")
            for place in (other, workspace)
        )
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


def test_nothing_to_adopt_and_nothing_to_train_is_refused(tmp_path):
    workspace = small_workspace(tmp_path, train_generator={"total_nimg": 0})
    with pytest.raises(ParamsError, match="set total_nimg"):
        train_generator.run(workspace)


@pytest.mark.parametrize("has_init", [False, True])
def test_fp16_without_a_gpu_is_refused_before_anything_is_trained(finished, tmp_path, has_init):
    workspace, _ = finished
    init = {"init": str(workspace.model("generator"))} if has_init else {}
    changes = {"train_generator": {"precision": "fp16"} | init, "dataset": {"resolution": 32}}
    other = small_workspace(tmp_path, **changes)
    with pytest.raises(ParamsError, match="precision is fp16, which CPUs emulate"):
        train_generator.check(other)


def test_a_generator_of_another_size_is_refused(finished, tmp_path):
    workspace, _ = finished
    config = workspace.model("generator") / "config.json"
    init = tmp_path / "init"
    init.mkdir()
    text = config.read_text().replace('"img_resolution": 32', '"img_resolution": 64')
    text = text.replace('"num_ws": 8', '"num_ws": 10')
    (init / "config.json").write_text(text)
    write_sums(init)
    (tmp_path / "w").mkdir()
    other = small_workspace(tmp_path / "w", train_generator={"init": str(init)})
    with pytest.raises(WeightsError, match="makes 64 px, but the data set has 32 px"):
        train_generator.run(other)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("captions.txt", "She smiles.\n\nHe smiles.\n", "line 2 holds no words"),
        ("captions.txt", "a " * 5000, "Shorten"),
        ("captions.txt", "", "empty"),
        ("edits.csv", "photo,text\n", "photograph,text"),
        ("edits.csv", "photograph,text\n*\n", "1 cells; expected 2"),
        ("sources.csv", "sketch,mood\na.png,gay\n", "the column 'mood'"),
        ("sources.csv", "text,sketch\n,\n", "names no sources"),
        ("sources.csv", "sketch,n\na.png,0\n", "n is '0'"),
        ("sources.csv", "sketch\n", "names no sources"),
    ],
)
def test_bad_prompts_are_refused_before_any_network_is_loaded(tmp_path, name, content, match):
    workspace = small_workspace(tmp_path)
    (tmp_path / name).write_text(content)
    stage = {"captions.txt": generate, "edits.csv": manipulate, "sources.csv": compose}[name]
    with pytest.raises(CaptionError, match=match):
        stage.check(workspace)
    with pytest.raises(CaptionError, match=match):
        stage.run(
            workspace
        )  # no model exists here: a WeightsError would mean that it was looked for


def test_a_source_that_the_data_set_lacks_is_refused_or_left_out(finished):
    workspace, _ = finished
    data = Dataset.open(workspace.dataset)
    sources = SourcePictures(data, workspace.root)
    with pytest.raises(DataError, match="'test:99' is no photograph of the test split"):
        sources.picture("sketch", "test:99")
    rows = read_sources(workspace.root / "sources.csv")
    del data.kinds["label"]
    assert sources.there(rows) == rows[:1]


def test_an_edit_of_an_unknown_photograph_is_refused(finished):
    workspace, _ = finished
    (workspace.root / "edits.csv").write_text("photograph,text\n9999,She has blond hair.\n")
    with pytest.raises(DataError, match="'9999'"):
        manipulate.run(workspace)


def test_a_learning_rate_that_diverges_writes_no_model(tmp_path):
    workspace = small_workspace(tmp_path, train_generator={"learning_rate": 1e30})
    with pytest.raises(
        NumbersError, match=r"Lower its learning rate.*train_generator\.learning_rate"
    ):
        train_generator.run(workspace)
    assert not workspace.model("generator").exists()
