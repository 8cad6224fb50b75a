"""The stage that draws the same captions and edits by models that come along, on tiny networks."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tedigan.errors import WeightsError
from tedigan.generator.stylegan import Generator
from tedigan.method.steering import SteeringSettings
from tedigan.method.text_to_face import StartSettings, SteeredText, random_ws
from tedigan.models.opening import load_generator
from tedigan.models.ready_made import licence_of
from tedigan.params import chosen
from tedigan.stages import showcase
from tedigan.stages.making_showcase import HELD, open_showcase
from tedigan.store import pictures
from tedigan.store.files import read_json, sha256_file, sha256_tree, write_json
from tedigan.store.sums import write_sums
from tedigan.tensors import to_pixels
from tedigan.workspace import Outcome, Workspace
from tests.stages.small import small_workspace, write_models

NAMES = (
    "Male",
    "Smiling",
    "Young",
)  # that the shown models know; the workspace's know Blond_Hair too
EDITS = ["This person has blond hair.", "The man is smiling.", "She is young."]
TERMS = "for research only"
STRENGTHS = [-1.0, 0.0, 1.0]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """With untrained models of its own and, in shown/, others."""
    made = small_workspace(tmp_path_factory.mktemp("showcase"), showcase={"models": "shown/models"})
    lines = [f"{name},{text}" for text in EDITS for name in ("0", "*")]
    (made.root / "edits.csv").write_text("\n".join(["photograph,text", *lines]) + "\n")
    write_models(made)
    others = Workspace(made.root / "shown", made.params)
    write_models(others, NAMES, seed=1)
    config = others.model("generator") / "config.json"
    write_json(config, read_json(config) | {"licence": TERMS})
    write_sums(config.parent)
    return made


@pytest.fixture(scope="module")
def shown(workspace: Workspace) -> tuple[Path, Outcome]:
    """The stage's folder and its outcome."""
    outcome = showcase.run(workspace)
    return workspace.result("showcase"), outcome


def changed(workspace: Workspace, root: Path, **values: object) -> Workspace:
    """The same with other params of the stage, whose results go elsewhere."""
    shutil.copytree(workspace.root, root, ignore=shutil.ignore_patterns("results"))
    section = workspace.params.showcase.model_copy(update=values)
    return Workspace(root, workspace.params.model_copy(update={"showcase": section}))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_equal_seeds_give_equal_bytes_and_another_seed_gives_other_faces(
    workspace: Workspace, shown: tuple[Path, Outcome], tmp_path: Path
) -> None:
    again, other = changed(workspace, tmp_path / "1"), changed(workspace, tmp_path / "2", seed=9)
    for one in (again, other):
        showcase.run(one)
    assert sha256_tree(again.result("showcase")) == sha256_tree(shown[0])
    for sheet in ("generated/grid.png", "edited/grid.png"):
        assert sha256_file(other.result("showcase") / sheet) != sha256_file(shown[0] / sheet)


def test_the_first_captions_have_faces_and_each_edit_is_shown_once(
    workspace: Workspace, tmp_path: Path
) -> None:
    one = changed(workspace, tmp_path / "1", max_captions=2, max_edits=2)
    outcome = showcase.run(one)
    folder = one.result("showcase")
    faces, strips = (rows_of(folder / name) for name in ("generated/faces.csv", "edited/edits.csv"))
    captions = (one.root / "captions.txt").read_text().splitlines()
    assert [row["caption"] for row in faces] == [text for text in captions for _ in range(2)]
    assert [row["text"] for row in strips] == [text for text in EDITS[:2] for _ in range(2)]
    assert all((folder / "generated" / row["file"]).is_file() for row in faces)
    assert outcome.metrics == {"num_faces": 4.0, "num_strips": 4.0}
    assert all(sheet.is_file() for sheet in outcome.pictures)


def strips_of(folder: Path) -> list[tuple[str, int, Tensor]]:
    """Text, face and frames `[strengths, 3, r, r]` of each, as float."""
    shown = []
    for row in rows_of(folder / "edited/edits.csv"):
        strip = pictures.load(folder / "edited" / row["strip"]).float()
        frames = torch.nn.functional.pad(strip, (0, 2)).unflatten(2, (len(STRENGTHS), -1))
        shown.append((row["text"], int(row["face_index"]), frames[..., :-2].permute(2, 0, 1, 3)))
    return shown


def random_faces(workspace: Workspace, generator: Generator) -> Tensor:
    """Codes of the faces that are edited."""
    seed, psi = workspace.params.showcase.seed, workspace.params.generate.truncation_psi
    return random_ws(generator, range(2), seed=seed, truncation_psi=psi)


def test_at_strength_nothing_a_strip_shows_a_random_face_of_the_shown_generator(
    workspace: Workspace, shown: tuple[Path, Outcome]
) -> None:
    generator = load_generator(workspace.root / "shown/models/generator", workspace.device)
    with torch.no_grad():
        images = generator.synthesis(random_faces(workspace, generator), noise_mode="const")
    for _, face, frames in strips_of(shown[0]):
        change = frames[STRENGTHS.index(0)] - to_pixels(images)[face].float()
        assert change.abs().max() <= 1  # level, as its batch was another


def test_a_strip_goes_from_the_contrary_of_its_text_to_what_it_says(
    workspace: Workspace, shown: tuple[Path, Outcome]
) -> None:
    _, editor, _ = open_showcase(workspace, workspace.root / "shown/models")
    ws = random_faces(workspace, editor.steering.generator)
    for text, face, frames in strips_of(shown[0]):
        start = ws[[face] * len(STRENGTHS)]
        edited = editor.edit(start, [text] * len(STRENGTHS), STRENGTHS)
        change = frames - to_pixels(editor.draw(start, edited)).float()
        assert change.abs().max() <= 1
        assert torch.equal(frames[0], frames[2]) == (text == EDITS[0])  # of which they know nothing


def test_a_text_is_read_for_what_the_shown_models_know(shown: tuple[Path, Outcome]) -> None:
    understood = {row["text"]: row["understood"] for row in rows_of(shown[0] / "edited/edits.csv")}
    assert understood[EDITS[0]] == "names nothing; not known here: Blond_Hair"
    assert understood[EDITS[2]] == "Young, not Male"


def test_the_recipe_names_the_shown_models_and_their_licence(
    workspace: Workspace, shown: tuple[Path, Outcome]
) -> None:
    recipe = json.loads((shown[0] / "recipe.json").read_text())
    place = workspace.root / "shown/models"
    files = [file for name in HELD for file in (place / name).glob("*.safetensors")]
    files.append(place / "layers/layers.json")
    assert (
        recipe["models"].items()
        >= {file.relative_to(place).as_posix(): sha256_file(file) for file in files}.items()
    )
    assert recipe["licence"] == TERMS
    assert recipe["params"]["models"] == "shown/models"
    assert recipe["generate"]["bank_size"] == workspace.params.generate.bank_size


@pytest.mark.parametrize(
    ("config", "licence"),
    [
        ({"licence": "own", "training": {"licence": "of the training"}}, "of the training"),
        ({"licence": "own", "training": {"licence": None}}, "own"),
        ({"licence": "own"}, "own"),
        ({"training": {}}, "not recorded; as of the source."),
    ],
)
def test_a_licence_is_that_of_the_training_or_else_the_models_own(
    config: dict[str, object], licence: str
) -> None:
    assert licence_of(config) == licence


def test_null_models_leave_a_record_that_names_none(workspace: Workspace, tmp_path: Path) -> None:
    one = changed(workspace, tmp_path / "1", models=None)
    showcase.check(one)
    outcome = showcase.run(one)
    folder = one.result("showcase")
    assert [path.name for path in folder.iterdir()] == ["recipe.json"]
    recipe = json.loads((folder / "recipe.json").read_text())
    assert recipe["models"] == {}
    assert recipe["licence"] is None
    assert outcome == Outcome(metrics={"num_faces": 0.0, "num_strips": 0.0})


@pytest.mark.parametrize("missing", ["generator", "guide", "latent_tagger", "layers"])
def test_models_that_lack_a_folder_are_refused_before_anything_is_drawn(
    workspace: Workspace, tmp_path: Path, missing: str
) -> None:
    one = changed(workspace, tmp_path / "1")
    shutil.rmtree(one.root / "shown/models" / missing)
    for refuses in (showcase.check, showcase.run):
        with pytest.raises(
            WeightsError,
            match=rf"shown/models has no folder {missing}; expected generator, guide, latent_tagger, layers"
            r".*Set showcase\.models to such a folder, or to null\.",
        ):
            refuses(one)
    assert not one.result("showcase").exists()


def test_some_numbers_are_the_showcases_own_and_the_rest_generates_and_manipulates(
    workspace: Workspace,
) -> None:
    params = workspace.params
    own = params.showcase.model_copy(
        update={"bank_size": 48, "num_search_steps": 3, "margin": 0.7, "weight_distance": 0.2}
    )
    changed = replace(workspace, params=params.model_copy(update={"showcase": own}))
    maker, editor, _ = open_showcase(changed, workspace.root / "shown/models")
    assert isinstance(maker.text, SteeredText)
    start = chosen(params.generate, StartSettings)
    assert maker.text.start.settings == replace(start, bank_size=48)
    faces = chosen(params.generate, SteeringSettings)
    assert maker.text.steering.settings == replace(faces, margin=0.7, weight_distance=0.2)
    numbers = chosen(params.manipulate, SteeringSettings)
    assert editor.steering.settings == replace(numbers, num_search_steps=3)
