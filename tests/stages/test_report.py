import re
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from tedigan import provenance
from tedigan.dataset.folder import Dataset
from tedigan.stages import report
from tedigan.store import pictures
from tedigan.store.files import sha256_file, sha256_tree, write_json, write_text
from tedigan.store.tables import write_table
from tests.report.outline import Outline

from .toy import toy_workspace

CHROMIUM = shutil.which("chromium")
FLOW_RUN, MLFLOW_RUN = "0192d7f1-8c3e-7b1a-a0f7-0c1f7e6a2b11", "8f1e0c2b7a934bd2a7f1f2f0b3c4d5e6"
CAPTION = 'She has <bangs> & "big lips"'


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A workspace whose earlier stages' results are toy pictures and numbers, and its page."""
    workspace = toy_workspace(tmp_path_factory.mktemp("report"), num_images=20)
    write_results(workspace)
    with provenance.run_record(
        workspace.work / "runs", stage="evaluate", code="", params={}
    ) as record:
        record.add(ids={"prefect_flow_run_id": FLOW_RUN, "mlflow_run_id": MLFLOW_RUN})
    outcome = report.run(workspace)
    return workspace, outcome.pictures[0]


def write_results(workspace):
    pixels = Dataset.open(workspace.dataset).pixels(list(range(6)))
    pictures.save(workspace.dataset / "examples.png", pictures.grid(pixels, 6))
    generated, manipulated = workspace.result("generated"), workspace.result("manipulated")
    for place in (generated / "a.png", manipulated / "a.png"):
        pictures.save(place, pixels[0])
    write_table(
        generated / "faces.csv",
        ["file", "caption_index", "image_index", "seed", "caption"],
        [["a.png", 0, index, 2, CAPTION] for index in range(3)],
    )
    write_table(
        manipulated / "edits.csv",
        ["before", "inversion", "after", "photograph", "text"],
        [["a.png", "a.png", "a.png", "0", "This person wears a hat"]],
    )
    evaluation = workspace.result("evaluation")
    for kind in ("photograph", "inversion"):
        pictures.save(evaluation / f"reconstructions/0-{kind}.png", pixels[1])
    metric = {"value": 0.7, "n": 40, "better": "up", "protocol": "Measured on toys.", "floor": 0.5}
    metric |= {"ceiling": 0.9, "ci_low": 0.6, "ci_high": 0.8}
    write_json(evaluation / "metrics.json", {"text_fidelity[referee,n=40]": metric})
    write_text(workspace.model("referee") / "log.csv", "step,loss\n0,2\n1,1.5\n2,1\n")
    write_text(workspace.model("referee") / "referee.safetensors", "tensors")


def html_of(reported):
    return reported[1].read_text(encoding="utf-8")


def test_the_page_loads_nothing_from_elsewhere(reported):
    html = html_of(reported)
    assert Outline.of(html).policy.startswith("default-src 'none'; img-src data:;")
    assert not re.findall(r"https?://|<script|@import|url\(", html)
    sources = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert all(source.startswith(("data:", "#")) for source in sources)


def test_captions_cannot_become_markup(reported):
    outline = Outline.of(html_of(reported))
    assert CAPTION in outline.texts
    assert outline.attributes("img", "alt").count(CAPTION) == 3
    assert "<bangs>" not in html_of(reported)


def test_the_page_names_every_run_and_file(reported):
    html = html_of(reported)
    workspace = reported[0]
    digest = sha256_file(workspace.model("referee") / "referee.safetensors")
    assert all(name in html for name in (FLOW_RUN, MLFLOW_RUN, digest))


def test_every_metric_stands_beside_its_floor_and_ceiling(reported):
    html = html_of(reported)
    assert "text_fidelity[referee,n=40]" in html
    assert "Measured on toys." in html
    assert "50% of the way from floor to ceiling" in html


def test_the_tracked_folder_holds_no_run_ids_and_repeats_to_the_byte(reported):
    workspace, _ = reported
    folder = workspace.result("report")
    before = sha256_tree(folder)
    assert FLOW_RUN not in (folder / "summary.json").read_text()
    report.run(workspace)
    assert sha256_tree(folder) == before


def test_the_page_can_be_rendered_again_without_the_stage(reported):
    workspace, place = reported
    place.unlink()
    assert report.render_page(workspace) == place
    assert place.parent == workspace.result("report").parent


@pytest.mark.skipif(
    CHROMIUM is None, reason="needs the browser chromium (apt-get install chromium)"
)
@pytest.mark.parametrize("width", [1200, 390])
def test_a_browser_shows_it_without_complaint(reported, tmp_path, width):
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr", "--v=0",
            f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1400",
            f"--screenshot={picture}", reported[1].as_uri(),
        ],
        capture_output=True, text=True, timeout=200, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    pixels = pictures.load(Path(picture)).float()
    assert pixels.std() > 10
    assert len(torch.unique(pixels.flatten(1), dim=1).T) > 50
