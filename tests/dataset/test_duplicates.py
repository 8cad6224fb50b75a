"""The same photograph twice: found whatever its size and compression, and nothing else is."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tedigan.dataset.duplicates import find_duplicates, perceptual_hash
from tedigan.store import pictures


def face(id: int, side: int = 96) -> Tensor:
    """A smooth random picture."""
    generator = torch.Generator().manual_seed(id)
    coarse = torch.rand(1, 3, 6, 6, generator=generator) * 255
    large = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    return large[0].clamp(0, 255).to(torch.uint8)


def hashes(*pixels: Tensor) -> np.ndarray:
    return np.stack([np.frombuffer(perceptual_hash(one), np.uint8) for one in pixels])


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pictures.resize(pixels, 64),
        lambda pixels: pictures.decode(pictures.encode(pixels, "jpg")),
        lambda pixels: pictures.decode(pictures.encode(pixels, "webp")),
        lambda pixels: (pixels.float() * 0.9).to(torch.uint8),
    ],
    ids=["smaller", "jpg", "webp", "darker"],
)
def test_a_changed_copy_is_found(change) -> None:
    others = [face(id) for id in range(1, 4)]
    assert find_duplicates(hashes(face(0), *others, change(face(0)))) == {4: 0}


def test_different_pictures_are_no_duplicates() -> None:
    assert find_duplicates(hashes(*map(face, range(60)))) == {}


def test_a_chain_leads_to_its_first_and_only_to_what_stays() -> None:
    """b repeats a, c repeats b but not a: b goes, so c stays."""
    a = np.zeros(32, np.uint8)
    b, c = a.copy(), a.copy()
    b[:1], c[:2] = 0xFF, 0xFF
    assert find_duplicates(np.stack([a, a, b, c]), within_bits=8) == {1: 0, 2: 0}


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = np.random.default_rng(0).integers(0, 256, (200, 32)).astype(np.uint8)
    table[150] = table[3]
    table[199] = table[150]
    table[199, 0] ^= 3
    whole = find_duplicates(table)
    monkeypatch.setattr("tedigan.dataset.duplicates._BLOCK_PAIRS", 1)
    assert find_duplicates(table) == whole == {150: 3, 199: 3}


def test_no_rows_have_no_duplicates() -> None:
    assert find_duplicates(np.zeros((0, 32), np.uint8)) == {}


@pytest.mark.parametrize("within_bits", [0, 3, 12])
def test_bands_find_what_comparing_every_pair_finds(within_bits: int) -> None:
    rng = np.random.default_rng(1)
    seeds = rng.integers(0, 256, (9, 32)).astype(np.uint8)
    table = seeds[rng.integers(0, 9, 150)]
    for row in table:
        for bit in rng.choice(256, rng.integers(0, 10), replace=False):
            row[bit // 8] ^= 128 >> bit % 8
    expected: dict[int, int] = {}
    for row in range(150):
        for earlier in range(row):
            distance = int(np.bitwise_count(table[row] ^ table[earlier]).sum())
            if distance <= within_bits and earlier not in expected:
                expected[row] = earlier
                break
    assert find_duplicates(table, within_bits=within_bits) == expected
    assert expected or within_bits == 0
