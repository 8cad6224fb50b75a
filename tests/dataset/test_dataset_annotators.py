"""What the source lacks is made by models and a grammar, and says so."""

import importlib.util
from pathlib import Path

import pytest
import torch

from tedigan.__main__ import main
from tedigan.annotators.landmark_labels import labels_of_landmarks
from tedigan.annotators.mended_labels import RULES
from tedigan.annotators.parser import load_parser
from tedigan.annotators.parser_network import FaceParser, ParserConfig
from tedigan.annotators.tagger_network import FaceTagger, TaggerConfig
from tedigan.captions.grammar_files import load_grammar
from tedigan.dataset import annotating as annotators
from tedigan.dataset.folder import Dataset
from tedigan.errors import CaptionError, DataError, ParamsError, WeightsError
from tedigan.stages import dataset, train_referee
from tedigan.stages.evaluate import instruments_of
from tedigan.store.files import sha256_file, sha256_tree
from tedigan.store.model_folders import save_model
from tedigan.tensors import to_images
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import LABEL_NAMES
from tedigan.workspace import Workspace
from tests.annotators.test_landmark_labels import landmarks, paint
from tests.dataset.datasets_made import SHARED, run, workspace
from tests.dataset.sources_made import put, write_celebamask, write_masks, write_pictures

KINDS = ["text", "sketch", "label", "cutout"]
HAS_DLIB = all(map(importlib.util.find_spec, ("dlib", "face_recognition_models")))
GRAMMAR = """
extends: celeba
attributes:
  freckles: {group: has, says: [freckles], denies: [no freckles]}
"""


def write_parser(folder: Path) -> Path:
    """A random parser, of a seed that calls about a third of noise a person."""
    torch.manual_seed(10)
    network = FaceParser(ParserConfig(input_px=16, base_channels=2))
    save_model(folder, {"parser": network}, network.config.to_json(), "A parser.\n")
    return folder


def write_tagger(
    folder: Path, proposed: set[str], taught: tuple[str, ...] = ATTRIBUTE_NAMES
) -> Path:
    """A tagger that proposes these attributes of every face."""
    torch.manual_seed(0)
    network = FaceTagger(TaggerConfig(16, 2, taught))
    attributes = {name: {"threshold": -1e9, "is_proposed": name in proposed} for name in taught}
    config = network.config.to_json() | {"attributes": attributes}
    save_model(folder, {"tagger": network}, config, "A tagger.\n")
    return folder


@pytest.fixture
def pictures_alone(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "source", ["0.png", "1.png", "2.png", "3.png", "4.png"])


def test_pictures_alone_become_every_kind_with_its_origin(
    tmp_path: Path, pictures_alone: Path
) -> None:
    tagger = write_tagger(tmp_path / "tagger", {"Smiling", "Male"})
    parser = write_parser(tmp_path / "parser")
    data, outcome = run(
        tmp_path / "w",
        source=str(pictures_alone),
        kinds=KINDS,
        tagger=str(tagger),
        parser=str(parser),
    )
    assert outcome.num_quarantined == 0
    tagged = f"predicted by tagger {sha256_file(tagger / 'tagger.safetensors')[:12]}"
    assert data.description["origin"] == {
        "attributes": tagged,
        "cutout": "cut out along the label map",
        "image": "source",
        "label": f"predicted by parser {sha256_file(parser / 'parser.safetensors')[:12]}",
        "sketch": "made from the image",
        "text": f"written from the attributes, which are {tagged}",
    }
    assert data.attribute_names == ["Male", "Smiling"]
    assert data.attributes(data.ids).all()
    said = " ".join(caption for id in data.ids for caption in data.captions(id))
    assert "smiling" in said
    assert "woman" not in said


def test_a_table_of_the_source_goes_before_the_tagger(tmp_path: Path) -> None:
    source = write_masks(write_celebamask(tmp_path / "source"))
    data, _ = run(
        tmp_path / "w",
        source=str(source),
        tagger=str(write_tagger(tmp_path / "tagger", {"Smiling"})),
        parser=str(write_parser(tmp_path / "parser")),
    )
    assert data.description["origin"]["attributes"] == "source"
    assert data.description["origin"]["label"] == "source"
    assert data.labels([0]).unique().tolist() == [1, 2]


def test_maps_of_a_parser_say_nothing_that_the_sources_attributes_rule_out(tmp_path: Path) -> None:
    """The random parser sees hats and glasses everywhere; the table says who wears any."""
    source, parser = write_celebamask(tmp_path / "source"), write_parser(tmp_path / "parser")
    data, _ = run(tmp_path / "w", source=str(source), kinds=["label"], parser=str(parser))
    names, labels = data.attribute_names, data.labels(data.ids)
    raw = load_parser(str(parser), torch.device("cpu")).parse(to_images(data.pixels(data.ids)))
    ruled_out = 0
    for rule in RULES:
        has = data.attributes(data.ids)[:, names.index(rule.attribute)].bool()
        number = LABEL_NAMES.index(rule.ruled_out)
        assert not (labels[has == rule.value] == number).any()
        ruled_out += int((raw[has == rule.value] == number).sum())
    assert ruled_out > 0
    assert data.description["origin"]["label"].endswith(", mended by the attributes")


def test_what_a_model_cannot_make_is_set_aside_every_time(
    tmp_path: Path, pictures_alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser that sees nobody on photograph 2 leaves nothing to cut out."""
    from tedigan.annotators import parser as parsers

    parse = parsers.OwnParser.parse

    def blind(self, images):
        labels = parse(self, images)
        labels[:, :16], labels[:, 16:] = 1, 0
        is_two = abs(float(images[0, 0, 0, 0]) - first_of_two) < 1e-4
        return torch.zeros_like(labels) if is_two else labels

    data, _ = run(tmp_path / "a", source=str(pictures_alone), kinds=[], resolution=32)
    first_of_two = float(data.pixels([2])[0, 0, 0, 0] / 127.5 - 1)
    monkeypatch.setattr(parsers.OwnParser, "parse", blind)
    parser = write_parser(tmp_path / "parser")
    changes = {"source": str(pictures_alone), "kinds": ["cutout"], "parser": str(parser)}
    for folder in ("w", "w", "again"):
        data, outcome = run(tmp_path / folder, **changes)
        assert data.ids == [0, 1, 3, 4]
        assert outcome.num_quarantined == 1
        assert "2.png" in (data.folder / "quarantine.csv").read_text()
    place = "data/dataset"
    assert sha256_tree(tmp_path / "w" / place) == sha256_tree(tmp_path / "again" / place)


def test_another_model_makes_all_shards_again(tmp_path: Path, pictures_alone: Path) -> None:
    """Even if only what it is trusted with differs."""
    changes = {"source": str(pictures_alone), "kinds": ["text"]}
    first = write_tagger(tmp_path / "first", {"Smiling"})
    second = write_tagger(tmp_path / "second", {"Chubby"})
    _, outcome = run(tmp_path / "w", tagger=str(first), **changes)
    assert outcome.metrics["num_shards_made"] == 2
    other, outcome = run(tmp_path / "w", tagger=str(second), **changes)
    assert outcome.metrics["num_shards_made"] == 2
    assert "smiling" not in " ".join(other.captions(0))


@pytest.mark.parametrize("name", ["", "2.png"])
def test_one_command_makes_it_of_a_folder_or_of_one_photograph(
    tmp_path: Path, pictures_alone: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tagger = write_tagger(tmp_path / "tagger", {"Smiling"})
    parser = write_parser(tmp_path / "parser")
    source, folder = str(pictures_alone / name), tmp_path / "made"
    models = ["--tagger", str(tagger), "--parser", str(parser), "--resolution", "16"]
    models += ["--faceless", "keep"]
    licence = ["--licence", "Mine alone."]
    assert main(["dataset", "make", source, str(folder), *models, *licence]) == 0
    said = capsys.readouterr().out
    assert "faces: 1 at 16 px" in said or not name
    assert str(folder / "dataset.html") in said
    data = Dataset.open(folder / "dataset")
    assert data.index.source_names == [name] if name else len(data.ids) == 5
    assert list(data.kinds) == ["image", *KINDS]
    assert data.licence == "Mine alone."


def test_landmarks_and_a_matte_make_label_maps(
    pictures_alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, truth = paint()
    monkeypatch.setattr(annotators, "find_landmarks", lambda _: landmarks())
    monkeypatch.setattr(annotators.Annotators, "alpha", lambda *_: (truth > 0).float())
    one = annotators.Annotators(load_grammar(), parser="landmarks", matting=Path("isnet.onnx"))
    (labels,) = one.labels(pixels)
    assert torch.equal(labels, labels_of_landmarks(pixels, landmarks(), (truth > 0).float()))


def test_landmarks_alone_are_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"rembg in dataset\.matting"):
        dataset.check(workspace(tmp_path / "w", parser="landmarks"))


# The grammar


def test_a_grammar_of_ones_own_speaks_of_own_attributes(
    tmp_path: Path, pictures_alone: Path
) -> None:
    put(pictures_alone / "t.csv", "file,freckles,Male\n0,1,1\n1,1,1\n2,1,0\n3,0,0\n4,0,0\n")
    put(tmp_path / "w/own.yaml", GRAMMAR)
    changes = {"source": str(pictures_alone), "captions_per_image": 8, "kinds": ["text"]}
    data, _ = run(tmp_path / "w", grammar="own.yaml", negatives=1.0, **changes)
    assert any("freckles" in caption for caption in data.captions(0))
    assert any("no freckles" in caption for caption in data.captions(3))
    assert not any("no freckles" in caption for caption in data.captions(0))
    assert not any("woman" in caption for caption in data.captions(0))


def test_a_grammar_of_own_attributes_passes_the_preflight(tmp_path: Path) -> None:
    put(tmp_path / "w/own.yaml", GRAMMAR)
    dataset.check(workspace(tmp_path / "w", grammar="own.yaml"))


def test_own_attributes_reach_the_referee_and_the_reader_of_captions(tmp_path: Path) -> None:
    pictures = write_pictures(tmp_path / "source", [f"{i}.png" for i in range(12)])
    rows = [f"{i},{i % 2},{i % 3 % 2}" for i in range(12)]
    put(pictures / "t.csv", "\n".join(["file,freckles,Male", *rows, ""]))
    put(tmp_path / "w/own.yaml", GRAMMAR)
    splits = {"val_fraction": 0.3, "test_fraction": 0.3}
    run(tmp_path / "w", source=str(pictures), grammar="own.yaml", **splits)
    place = workspace(tmp_path / "w", grammar="own.yaml")
    params = place.params.model_copy(
        update={
            "train_referee": place.params.train_referee.model_copy(
                update={"num_views": 1, "num_steps": 2, "batch_size": 2}
            )
        }
    )
    place = Workspace(place.root, params)
    train_referee.run(place)
    tools = instruments_of(place)
    assert tools.referee.names == ("freckles", "Male")
    assert tools.reader.read("The man has no freckles") == {"Male": True, "freckles": False}


def test_a_tagger_speaks_of_own_attributes_too(tmp_path: Path, pictures_alone: Path) -> None:
    tagger = write_tagger(tmp_path / "tagger", {"freckles"}, taught=("Male", "freckles"))
    put(tmp_path / "w/own.yaml", GRAMMAR)
    changes = {"source": str(pictures_alone), "captions_per_image": 4, "kinds": ["text"]}
    data, _ = run(tmp_path / "w", grammar="own.yaml", tagger=str(tagger), **changes)
    assert data.attribute_names == ["freckles"]
    assert any("freckles" in caption for caption in data.captions(0))


def test_a_tagger_that_learnt_nothing_is_refused(tmp_path: Path) -> None:
    tagger = write_tagger(tmp_path / "tagger", set())
    with pytest.raises(WeightsError, match="none of its 40 attributes"):
        dataset.check(workspace(tmp_path / "w", tagger=str(tagger)))


def test_attributes_that_no_caption_speaks_of_are_refused(
    tmp_path: Path, pictures_alone: Path
) -> None:
    put(pictures_alone / "t.csv", "file,freckles\n0,1\n1,1\n2,1\n3,0\n4,0\n")
    with pytest.raises(DataError, match=r"Set dataset\.grammar"):
        run(tmp_path / "w", source=str(pictures_alone))


def test_half_of_celebas_attributes_leave_the_rest_open(
    tmp_path: Path, pictures_alone: Path
) -> None:
    put(pictures_alone / "t.csv", "file,Smiling\n0,1\n1,1\n2,1\n3,1\n4,0\n")
    data, _ = run(tmp_path / "w", source=str(pictures_alone), captions_per_image=10)
    said = " ".join(data.captions(0))
    assert "smiling" in said
    assert "woman" not in said
    assert " man" not in said


def test_another_grammar_makes_all_shards_again(tmp_path: Path) -> None:
    changes = {"source": "drawn", "num_images": 4}
    run(tmp_path / "w", **changes)
    _, outcome = run(tmp_path / "w", negatives=0.5, **changes)
    assert outcome.metrics["num_shards_made"] == 1


@pytest.mark.parametrize(
    ("key", "value", "error", "advice"),
    [
        ("grammar", "own.yaml", CaptionError, "own.yaml"),
        ("tagger", "nowhere", WeightsError, "nowhere"),
        ("parser", "nowhere", WeightsError, "nowhere"),
        ("matting", "u2net.pth", WeightsError, "onnx"),
        ("simplifier", "sketch_gan.t7", WeightsError, "onnx"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_runs(
    tmp_path: Path, key: str, value: str, error: type[Exception], advice: str
) -> None:
    put(tmp_path / "w/own.yaml", "extends: celeba\nattributes: {Smiling: {says: [a a]}}\n")
    with pytest.raises(error, match=advice):
        dataset.check(workspace(tmp_path / "w", **{key: value}))


# Alignment


def test_alignment_and_own_masks_exclude_each_other(tmp_path: Path) -> None:
    source = write_masks(write_celebamask(tmp_path / "source"))
    if not HAS_DLIB:
        with pytest.raises(WeightsError, match=r"tedigan\[align\]|label"):
            dataset.check(workspace(tmp_path / "w", align=True))
    with pytest.raises(DataError, match="would not move along"):
        run(tmp_path / "w", source=str(source), align=True)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared photographs are not on this machine")
@pytest.mark.skipif(not HAS_DLIB, reason="the extra `align` is not installed")
def test_photographs_are_aligned_and_those_without_a_face_set_aside(tmp_path: Path) -> None:
    from tedigan.store.shelves import TarShelf

    shelf = TarShelf(SHARED / "celebahq-256-val/CelebA-HQ-img.tar")
    for name in ("00029.jpg", "07391.jpg"):
        put(tmp_path / "source" / name, shelf.read(name))
    write_pictures(tmp_path / "source", ["3.png"])
    data, _ = run(
        tmp_path / "w", source=str(tmp_path / "source"), align=True, resolution=128, kinds=[]
    )
    assert data.ids == [29, 7391]
    assert data.description["quarantined"] == {"no face": 1}
    assert data.description["origin"]["image"].startswith("source, aligned by ")
