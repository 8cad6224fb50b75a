"""The CelebAMask-HQ layout's own tables."""

import pytest

from tedigan.errors import DataError
from tedigan.store.sources import parse_identities

TEXT = "idx,identity,partition\n0,7,train\n1,8,val\n"


def test_people_are_read_by_photograph() -> None:
    assert parse_identities(TEXT) == {0: (7, "train"), 1: (8, "val")}


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [("idx", "number", "expected"), ("0,7", "zero,7", "whole numbers"), ("1,8", "0,8", "twice")],
)
def test_a_damaged_identity_file_is_refused(old: str, new: str, advice: str) -> None:
    with pytest.raises(DataError, match=advice):
        parse_identities(TEXT.replace(old, new))
