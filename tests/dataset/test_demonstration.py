"""A data set says which of its parts no person made."""

from pathlib import Path

import pytest

from tedigan.__main__ import main
from tedigan.dataset.card import facts_of
from tedigan.dataset.demonstration import demonstrations
from tedigan.dataset.folder import Dataset
from tests.dataset.datasets_made import run
from tests.dataset.sources_made import write_celebamask, write_masks
from tests.dataset.test_dataset_annotators import write_parser

KINDS = ["text", "sketch", "label", "cutout"]


def said_of(data: Dataset) -> dict[str, str]:
    return demonstrations(data.description)


def test_of_drawn_faces_the_image_and_our_sketches_are_a_demonstration(tmp_path: Path) -> None:
    data, _ = run(tmp_path, source="drawn", num_images=3, resolution=32, kinds=KINDS)
    assert said_of(data).keys() == {"image", "sketch"}
    assert "no photograph" in said_of(data)["image"]


def test_of_a_source_with_masks_only_our_sketches_are(tmp_path: Path) -> None:
    source = write_masks(write_celebamask(tmp_path / "source"))
    data, _ = run(tmp_path / "w", source=str(source), kinds=["text", "sketch", "label"])
    assert said_of(data).keys() == {"sketch"}


def test_predicted_maps_and_what_is_cut_along_them_are_and_name_the_parser(tmp_path: Path) -> None:
    source, parser = write_celebamask(tmp_path / "source"), write_parser(tmp_path / "parser")
    data, _ = run(tmp_path / "w", source=str(source), kinds=KINDS, parser=str(parser))
    said = said_of(data)
    assert said.keys() == {"sketch", "label", "cutout"}
    assert said["label"].startswith("predicted by parser ")
    assert "mended by the attributes" in said["label"]
    assert "label maps predicted by parser " in said["cutout"]
    assert facts_of(data)["demonstration, label"] == said["label"]


def test_the_command_that_makes_a_data_set_and_its_page_say_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source, parser = write_celebamask(tmp_path / "source"), write_parser(tmp_path / "parser")
    words = ["dataset", "make", str(source), str(tmp_path / "made"), "--resolution", "32"]
    assert main([*words, "--parser", str(parser)]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "demonstration" in line]
    assert [line.split(":")[0] for line in lines] == [
        f"demonstration, {kind}" for kind in ("cutout", "label", "sketch")
    ]
    page = (tmp_path / "made" / "dataset.html").read_text()
    assert "our own sketcher" in page
