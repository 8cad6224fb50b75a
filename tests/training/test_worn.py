"""What is worn is taught by a table and by drawn faces."""

import math
from pathlib import Path

import pytest
import torch

from tedigan.dataset.folder import Dataset
from tedigan.errors import DataError
from tedigan.training.worn import WORN, Wardrobe, draw_both, shares_seen, wearers_loss, who_wears
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import LABEL_NAMES
from tests.dataset.datasets_made import run

GLASSES, SKIN = LABEL_NAMES.index("eye_g"), LABEL_NAMES.index("skin")
EVEN = torch.ones(19)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("drawn")
    return run(folder, source="drawn", num_images=30, resolution=64, kinds=["label"])[0]


def surely(classes: torch.Tensor, by: float = 12.0) -> torch.Tensor:
    """Logits of a parser that sees these classes."""
    logits = torch.nn.functional.one_hot(classes.long(), 19).permute(0, 3, 1, 2).float()
    return by * logits


def skin(num: int = 1) -> torch.Tensor:
    return torch.full((num, 64, 64), SKIN, dtype=torch.uint8)


def with_glasses() -> torch.Tensor:
    seen = skin()
    seen[:, 26:34, 12:52] = GLASSES
    return seen


def wears(*names: str) -> torch.Tensor:
    return torch.tensor([[name in names for name in WORN]])


def test_every_second_face_is_dressed_and_only_where_something_is_worn(drawn: Dataset) -> None:
    wardrobe = Wardrobe.open(drawn, 64)
    pixels, labels = torch.full((6, 3, 64, 64), 100, dtype=torch.uint8), skin(6)
    dressed, maps = wardrobe.dress(pixels, labels, torch.Generator().manual_seed(0))
    is_changed = (maps != labels).flatten(1).any(1)
    assert is_changed.tolist() == [True, False] * 3
    assert {LABEL_NAMES[i] for i in maps.unique()} <= {"skin", *WORN}
    assert torch.equal(dressed[:, :, :, :].amax(1)[maps == SKIN], pixels.amax(1)[maps == SKIN])
    assert (dressed[maps[:, None].expand(-1, 3, -1, -1) != SKIN] != 100).float().mean() > 0.5


def test_a_wearer_in_whom_nothing_is_seen_costs_more_than_one_in_whom_it_is() -> None:
    unseen = wearers_loss(surely(skin()), skin(), wears("eye_g"), EVEN)
    seen = wearers_loss(surely(with_glasses()), skin(), wears("eye_g"), EVEN)
    assert unseen > 1
    assert seen < 0.01  # the map that says skin is not believed


def test_what_is_seen_outside_of_its_window_does_not_count() -> None:
    below = skin()
    below[:, 54:62] = GLASSES
    assert wearers_loss(surely(below), skin(), wears("eye_g"), EVEN) > 1


def test_of_who_wears_nothing_the_map_is_believed() -> None:
    loss = wearers_loss(surely(with_glasses()), skin(), wears(), EVEN)
    wrong = float((with_glasses() == GLASSES).float().mean())
    assert float(loss) == pytest.approx(12 * wrong, rel=0.01)
    assert float(wearers_loss(surely(skin()), skin(), wears(), EVEN)) < 0.01


def test_somewhere_is_the_log_of_the_mean_of_the_most_likely_pixels() -> None:
    logits = torch.zeros(1, 19, 64, 64)
    loss = wearers_loss(logits, skin(), wears("hat"), EVEN)
    assert float(loss) == pytest.approx(math.log(19) + 0.15 / 0.7 * math.log(19), rel=0.01)


def test_half_are_bare_and_of_the_others_each_class_is_as_frequent() -> None:
    table = torch.zeros(1000, 4, dtype=torch.bool)
    table[:10, 0] = True  # ten pairs of glasses, five hundred necklaces
    table[10:510, 3] = True
    bare, wearers = draw_both(table, 400, torch.Generator().manual_seed(0))
    assert len(bare) == len(wearers) == 200
    assert not table[bare].any()
    assert 0.4 < table[wearers, 0].float().mean() < 0.6
    assert len(wearers.unique()) > 60


def test_who_wears_what_is_read_from_the_table(drawn: Dataset) -> None:
    found = who_wears(drawn, drawn.ids)
    column = ATTRIBUTE_NAMES.index("Wearing_Hat")
    assert torch.equal(found[:, 1], drawn.attributes(drawn.ids)[:, column].bool())


def test_a_table_that_does_not_say_is_refused(drawn: Dataset, tmp_path: Path) -> None:
    data, _ = run(tmp_path, source="drawn", num_images=3, resolution=32, kinds=["label"])
    data.attribute_names = ["Smiling"]
    with pytest.raises(DataError, match="does not say who has Eyeglasses"):
        who_wears(data, data.ids)
    bare = [id for id in drawn.ids if not who_wears(drawn, drawn.ids)[drawn.ids.index(id)].any()]
    with pytest.raises(DataError, match="expected some of both"):
        who_wears(drawn, bare)


def test_what_is_seen_is_counted_of_wearers_and_of_others() -> None:
    maps = torch.cat([with_glasses(), skin(), with_glasses(), skin(3)])
    table = torch.cat([wears("eye_g"), wears("eye_g"), *[wears()] * 4])
    found = shares_seen(maps, table)
    assert found["eye_g"] == {"wearers": 0.5, "others": 0.25}
    assert found["hat"] == {"wearers": None, "others": 0.0}
