"""Predicted label maps say nothing that the attributes rule out."""

import pytest
import torch

from tedigan.annotators.mended_labels import ISLAND, RULES, mend_labels, without_islands
from tedigan.vocabulary.attributes import ATTRIBUTE_NAMES
from tedigan.vocabulary.labels import LABEL_NAMES


def number(name: str) -> int:
    return LABEL_NAMES.index(name)


def rows(*names: str) -> torch.Tensor:
    """A map of level bands, two pixels high."""
    return torch.tensor([[[number(name)] * 4] * 2 for name in names], dtype=torch.uint8).reshape(
        1, -1, 4
    )


def test_a_closed_mouth_has_no_inside_and_its_lips_meet() -> None:
    seen = rows("skin", "u_lip", "mouth", "l_lip", "skin")
    mended = mend_labels(seen, {"Mouth_Slightly_Open": False})
    assert mended[0, :, 0].tolist() == [1, 1, 11, 11, 11, 12, 12, 12, 1, 1]


def test_a_bald_head_has_skin_and_no_hair() -> None:
    mended = mend_labels(rows("background", "hair", "skin"), {"Bald": True})
    assert torch.equal(mended, rows("background", "skin", "skin"))


def test_what_is_worn_stays_where_somebody_wears_it_and_goes_where_nobody_does() -> None:
    seen = rows("background", "hat", "hair", "eye_g", "skin", "neck_l", "neck")
    worn = {"Wearing_Hat": True, "Eyeglasses": True, "Wearing_Necklace": True}
    assert torch.equal(mend_labels(seen, worn), seen)
    bare = mend_labels(seen, dict.fromkeys(worn, False))
    assert not torch.isin(bare, torch.tensor([number(n) for n in ("hat", "eye_g", "neck_l")])).any()
    assert torch.equal(bare[:, -2:], seen[:, -2:])


def test_attributes_that_nobody_knows_rule_out_nothing() -> None:
    seen = torch.arange(19, dtype=torch.uint8).reshape(1, 1, 19)
    assert torch.equal(mend_labels(seen, {}), seen)
    assert torch.equal(mend_labels(seen, {"Bald": False, "Mouth_Slightly_Open": True}), seen)


def test_the_map_that_is_given_is_not_changed() -> None:
    seen = rows("hair")
    assert torch.equal(mend_labels(seen, {"Bald": True}), rows("skin"))
    assert torch.equal(seen, rows("hair"))


@pytest.mark.parametrize("rule", RULES)
def test_rules_speak_of_known_attributes_and_classes(rule) -> None:  # type: ignore[no-untyped-def]
    assert rule.attribute in ATTRIBUTE_NAMES
    assert {rule.ruled_out, *rule.instead} <= set(LABEL_NAMES)


def test_small_islands_go_and_small_holes_are_filled_with_what_is_near() -> None:
    seen = torch.zeros(1, 100, 100, dtype=torch.uint8)
    seen[0, 20:80, 20:80] = number("skin")
    seen[0, 40:80, 20:80] = number("hair")
    clean = seen.clone()
    seen[0, 2:10, 2:10] = number("cloth")
    seen[0, 25:30, 40:50] = 0
    assert torch.equal(without_islands(seen), clean)


def test_large_pieces_and_wide_gaps_stay() -> None:
    seen = torch.zeros(1, 100, 100, dtype=torch.uint8)
    seen[0, 40:, :] = number("hair")
    seen[0, 60:80, 40:60] = 0  # between hair and neck
    seen[0, :20, :20] = number("cloth")
    seen[0, 90:, :5] = 0  # background that the picture's edge cuts
    assert ISLAND * seen.numel() < 400
    assert torch.equal(without_islands(seen), seen)


def test_the_only_piece_of_a_person_stays_however_small() -> None:
    seen = torch.zeros(1, 100, 100, dtype=torch.uint8)
    seen[0, 50:54, 50:54] = number("skin")
    assert torch.equal(without_islands(seen), seen)
    assert torch.equal(without_islands(seen * 0), seen * 0)
