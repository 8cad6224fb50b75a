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
from tedigan.store.sums import write_sums
from tedigan.store.tables import write_table
from tedigan.workspace import Workspace
from tests.report.outline import Outline

from .toy import toy_workspace

CHROMIUM = shutil.which("chromium")
FLOW_RUN, MLFLOW_RUN = "0192d7f1-8c3e-7b1a-a0f7-0c1f7e6a2b11", "8f1e0c2b7a934bd2a7f1f2f0b3c4d5e6"
SCORES = ["edit_reached", "edit_kept", "edit_same_person"]
TERMS = "for research <only>"
CAPTION = 'She has <bangs> & "big lips"'


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A workspace whose earlier stages' results are toy pictures and numbers, and its page."""
    workspace = toy_workspace(tmp_path_factory.mktemp("report"), num_images=20)
    write_results(workspace)
    ids = {"prefect_flow_run_id": FLOW_RUN, "mlflow_run_id": MLFLOW_RUN}
    with provenance.run_record(workspace.runs, stage="evaluate", code="", params={}, ids=ids):
        pass
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
        ["file", "caption_index", "image_index", "seed", "caption", "understood"],
        [
            ["a.png", 0, 0, 2, CAPTION, "Bangs, Big_Lips"],
            ["a.png", 0, 1, 2, CAPTION, "Bangs, Big_Lips"],
            ["a.png", 0, 2, 2, CAPTION, "Bangs, Big_Lips"],
            ["a.png", 1, 3, 2, "A good day.", ""],
        ],
    )
    write_table(
        generated / "variants.csv",
        ["file", "caption_index", "image_index", "seed", "caption", "understood", "variant"],
        [["a.png", 0, 0, 2, CAPTION, "Bangs, Big_Lips", number] for number in range(2)],
    )
    write_table(
        manipulated / "edits.csv",
        ["before", "inversion", "after", "strip", "photograph", "text"],
        [
            ["a.png", "a.png", "a.png", "strip.png", "0", "This person wears a hat"],
            ["a.png", "a.png", "a.png", "", "0", "This person smiles"],
        ],
    )
    pictures.save(manipulated / "strip.png", pictures.grid(pixels, 6))
    write_judged(workspace.result("edits"), pixels)
    write_showcase(workspace.result("showcase"), pixels)
    write_composed(workspace.result("composed"), workspace.result("sources"), pixels)
    gains = {"gain": [0.5, 0.01, -0.1], "layers": [0], "is_drawn": True}
    nothing = {"gain": [0.0, 0.02, 0.0], "layers": [0, 1, 2], "is_drawn": False}
    table = {"Wearing_Hat": gains, "Bald": nothing}
    write_json(workspace.model("layers") / "layers.json", {"attributes": table})
    write_sums(workspace.model("layers"))
    evaluation = workspace.result("evaluation")
    for kind in ("photograph", "inversion"):
        pictures.save(evaluation / f"reconstructions/0-{kind}.png", pixels[1])
    metric = {"value": 0.7, "n": 40, "better": "up", "protocol": "Measured on toys.", "floor": 0.5}
    metric |= {"ceiling": 0.9, "ci_low": 0.6, "ci_high": 0.8}
    write_json(evaluation / "metrics.json", {"text_fidelity[referee,n=40]": metric})
    write_text(workspace.model("referee") / "log.csv", "step,loss\n0,2\n1,1.5\n2,1\n")
    write_text(workspace.model("referee") / "referee.safetensors", "tensors")


def write_showcase(folder, pixels):
    """One face of one sentence, and two strips of one edit, by models with terms of their own."""
    pictures.save(folder / "generated/a.png", pixels[0])
    pictures.save(folder / "edited/strip.png", pictures.grid(pixels, 6))
    columns = ["file", "caption_index", "caption", "understood"]
    write_table(folder / "generated/faces.csv", columns, [["a.png", 0, CAPTION, "Bangs"]])
    columns = ["strip", "text_index", "text", "understood"]
    strip = ["strip.png", 0, "This person wears a hat", "Wearing_Hat"]
    write_table(folder / "edited/edits.csv", columns, [strip, strip])
    digests = {"generator/G_ema.safetensors": "4f2a"}
    write_json(folder / "recipe.json", {"models": digests, "licence": TERMS})


def write_composed(folder, judged, pixels):
    """A face of a sketch and a sentence; two ways that were measured, of which one holds a sketch."""
    for name in ("faces/a.png", "given/a.png"):
        pictures.save(folder / name, pixels[0])
    write_table(folder / "faces.csv", ["file", "row"], [["faces/a.png", 0]])
    report = ["layer 0-4: the sketch (1)", "the sentence: Bangs"]
    told = {"row": 0, "text": "Drawn.", "given": {"sketch": "given/a.png"}, "report": report}
    write_json(folder / "reports.json", [told])
    holds = {"edge_f1/sketch+text": 0.78, "text_fidelity/sketch+text": 0.93, "variety/text": 0.8}
    write_json(judged / "metrics.json", {name: {"value": value} for name, value in holds.items()})


def write_judged(folder, pixels):
    """Two edits of one attribute by every way, the first reached and the second missed."""
    shares = ["True", 0.4, 0.5]
    write_table(
        folder / "per_attribute.csv",
        ["attribute", "way", "is_drawn", "unconditional", "photographs", *SCORES, "edit_monotone"],
        [
            ["Wearing_Hat", "ours", *shares, 0.625, 0.97, "", 1],
            ["Wearing_Hat", "linear", *shares, 0.375, 0.91, "", ""],
            ["Bald", "ours", "False", 0.01, 0.1, 0.125, 0.99, "", 0.5],
            ["Bald", "linear", "False", 0.01, 0.1, 0, 0.98, "", ""],
        ],
    )
    write_table(
        folder / "per_edit.csv",
        ["photograph", "edit", "face", "attribute", "wanted", "way", *SCORES],
        [
            [7, 0, 0, "Wearing_Hat", "True", "ours", 1, 1, ""],
            [9, 1, 1, "Wearing_Hat", "False", "ours", 0, 1, ""],
            [7, 0, 0, "Wearing_Hat", "True", "linear", 0, 1, ""],
        ],
    )
    for index in range(2):
        pictures.save(folder / f"pictures/face-{index}.png", pixels[index])
        pictures.save(folder / f"pictures/edit-{index}.png", pixels[index + 2])
    names = ["name", "pixel_mse", "perceptual_distance", "descriptor_distance", "edit_return_mse"]
    write_table(folder / "inversions.csv", names, [["mean face", 0.15, 0.3, "", 0.117]])
    metric = {"value": 0.625, "n": 8, "better": "up", "protocol": "Judged on toys.", "floor": 0.1}
    metric |= {"ceiling": 1.0, "ci_low": 0.5, "ci_high": 0.75}
    rival = metric | {"value": 0.375}
    names = [f"edit_reached[referee,{way}]" for way in ("linear", "nothing", "ours")]
    pooled = dict(zip(names, [rival, metric | {"value": 0.0}, metric], strict=True))
    write_json(folder / "metrics.json", {"pooled": pooled, "drawn": {}, "not_drawn": {}})


def section_of(html, name):
    return Outline.of(html.partition(f'<section id="{name}">')[2].partition("</section>")[0])


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
    assert outline.attributes("img", "alt").count(CAPTION) == 3 + 1
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


def test_a_sentence_stands_beside_what_was_understood_of_it(reported):
    texts = Outline.of(html_of(reported)).texts
    assert "understood: bangs, big lips" in texts
    assert "names nothing that is known: any face" in texts


def test_a_sentence_s_first_face_stands_there_with_other_noise(reported):
    outline = Outline.of(html_of(reported))
    shown = outline.attributes("img", "alt")
    assert shown.count("the first with other noise") == 2
    assert shown.index("the first with other noise") == shown.index(CAPTION) + 3
    texts = outline.texts
    assert sum(text.startswith("the first with other noise") for text in texts) == 1


def test_without_variants_the_page_says_nothing_of_noise(reported):
    workspace, _ = reported
    before, table = html_of(reported), workspace.result("generated") / "variants.csv"
    rows = table.read_text()
    table.unlink()
    report.run(workspace)
    assert "other noise" not in html_of(reported)
    table.write_text(rows)
    report.run(workspace)
    assert html_of(reported) == before


def test_an_edit_shows_its_strip_where_it_has_one(reported):
    section = section_of(html_of(reported), "edits")
    assert section.attributes("img", "alt").count("strengths") == 1
    strip = pictures.load(reported[0].result("report") / "pictures/edit-0-strip.webp")
    assert strip.shape == (3, 32, 6 * 34 - 2)


def test_faces_of_drawings_stand_beside_what_was_given_and_what_each_source_holds(reported):
    section = section_of(html_of(reported), "sources")
    assert "layer 0-4: the sketch (1)" in section.texts
    assert len([tag for tag in section.tags if tag == "img"]) == 2
    rows = section.texts.index("sketch + text"), section.texts.index("text")
    assert section.texts[rows[0] + 1] == "0.78"
    assert section.texts[rows[1] + 1] == "-"


def test_the_showcase_follows_the_own_edits_and_names_its_licence(reported):
    html = html_of(reported)
    places = [html.index(f'<section id="{name}">') for name in ("edits", "showcase", "judged")]
    assert places == sorted(places)
    section = section_of(html, "showcase")
    assert TERMS in section.texts
    assert section.attributes("img", "alt") == [CAPTION, "strengths", "strengths"]
    assert "showcase/generator/G_ema.safetensors" in html


def test_without_models_in_the_showcase_the_page_leaves_it_out(reported, tmp_path):
    workspace = Workspace(tmp_path / "copy", reported[0].params)
    shutil.copytree(reported[0].root, workspace.root)
    shutil.rmtree(workspace.result("showcase"))
    nothing = {"models": {}, "licence": None}
    write_json(workspace.result("showcase") / "recipe.json", nothing)
    report.run(workspace)
    html = workspace.result("report").with_suffix(".html").read_text(encoding="utf-8")
    assert "showcase" not in html
    assert '<section id="edits">' in html
    names = [path.name for path in (workspace.result("report") / "pictures").iterdir()]
    assert not [name for name in names if "showcase" in name]


def test_misses_are_shown_beside_hits(reported):
    outline = Outline.of(html_of(reported))
    classes = [found.get("class") or "" for tag, found in outline.elements if tag == "figure"]
    figures = [one for one in classes if one.startswith("hit")]
    assert figures == ["hit", "hit missed"]
    assert {"on", "off: missed", "1 of these 2 reached"} <= set(outline.texts)


def test_what_the_generator_hardly_draws_has_a_table_of_its_own(reported):
    texts = Outline.of(html_of(reported)).texts
    apart = next(i for i, text in enumerate(texts) if text.startswith("What the generator hardly"))
    assert texts.index("0.97") < apart < texts.index("0.125")


def test_who_does_nothing_is_told_by_floors_alone(reported):
    html = html_of(reported)
    assert "edit_reached[referee,linear]" in html
    assert "edit_reached[referee,nothing]" not in html


def test_the_cards_show_the_platform_s_own_edits_and_not_a_rival_s(reported):
    texts = Outline.of(html_of(reported)).texts
    assert texts[texts.index("Edits that reach their target") - 1] == "0.625"


def test_the_layer_map_outlines_what_acts_and_names_each_px(reported):
    outline = Outline.of(html_of(reported))
    cells = [found for tag, found in outline.elements if tag == "rect"]
    assert [cell["class"] for cell in cells] == ["gain acts", *["gain"] * 5]
    assert [float(cell["fill-opacity"]) for cell in cells[:3]] == [1.0, 0.059, 0.04]
    words = outline.texts[outline.texts.index("Which layer draws what") :]
    places = [words.index(word) for word in ("4 px", "8 px", "Wearing Hat", "Bald")]
    assert places == sorted(places)
    assert "layer 2, 8 px: gain -0.10" in words


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
