"""The same photograph twice: a hash that survives scaling and recompression, and who repeats whom."""

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional

# Of 256 bits. Among 27,176 CelebA-HQ photographs, pairs up to 32 apart are nearly always one
# photograph, pairs from 36 on nearly never; 12 is well on the safe side.
NEAR_BITS = 12

_SIDE = 16
_BITS = _SIDE * _SIDE
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_BLOCK_PAIRS = 2**20  # compared at once; bounds memory
_SHUFFLE = 0  # seed: neighbouring bits are alike, so a band of theirs would tell little apart


def perceptual_hash(pixels: UInt8[Tensor, "3 h w"]) -> bytes:
    """256 bits: is a place brighter than its left neighbour, on a grey picture of 17 x 16 px?"""
    weights = torch.tensor(_LUMA)[:, None, None]
    luma = (pixels.to(torch.float32) * weights).sum(0)[None, None]
    small = functional.interpolate(luma, size=(_SIDE, _SIDE + 1), mode="area")[0, 0]
    return np.packbits((small[:, 1:] > small[:, :-1]).numpy()).tobytes()


def find_duplicates(
    hashes: UInt8[np.ndarray, "n 32"], *, within_bits: int = NEAR_BITS
) -> dict[int, int]:
    """Row -> the earliest row that it repeats; a row that is repeated is itself no duplicate.

    Two hashes within k bits are equal in one of k + 1 bands of their bits (pigeonholes), so that only rows with
    an equal band are compared: of photographs one pair in 90, and none is missed.
    """
    whole = np.ascontiguousarray(hashes).view(np.uint64)
    _, firsts, groups = np.unique(whole, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(firsts)  # equal hashes are one; in the order of their first rows
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    repeats = _repeats(hashes[firsts[order]], within_bits)
    root = np.arange(len(order))
    root[[*repeats]] = [*repeats.values()]
    earliest = firsts[order][root[rank[groups.reshape(-1)]]]
    rows = np.flatnonzero(earliest != np.arange(len(whole)))
    return dict(zip(rows.tolist(), earliest[rows].tolist(), strict=True))


def _repeats(hashes: UInt8[np.ndarray, "n 32"], within_bits: int) -> dict[int, int]:
    """As `find_duplicates`, of hashes that all differ."""
    found = [np.empty((0, 2), np.int64)]
    shuffled = np.random.default_rng(_SHUFFLE).permutation(_BITS)
    for band in np.array_split(shuffled, within_bits + 1):
        found.append(_near_pairs(hashes, band, within_bits))
    repeats: dict[int, int] = {}
    for row, earlier in np.unique(np.concatenate(found), axis=0).tolist():
        if row not in repeats and earlier not in repeats:
            repeats[row] = earlier
    return repeats


def _near_pairs(
    hashes: UInt8[np.ndarray, "n 32"], band: np.ndarray, within_bits: int
) -> np.ndarray:
    """(row, earlier row) of those that are near and equal in these bits."""
    values = np.zeros(len(hashes), np.int64)
    for bit in band.tolist():
        values = 2 * values + ((hashes[:, bit // 8] >> (7 - bit % 8)) & 1)
    order = np.argsort(values, kind="stable")
    values, words = values[order], np.ascontiguousarray(hashes[order]).view(np.uint64)
    pairs, rows, apart = [np.empty((0, 2), np.int64)], np.arange(len(values)), 1
    while len(rows):
        rows = rows[rows + apart < len(values)]
        rows = rows[values[rows] == values[rows + apart]]
        for start in range(0, len(rows), _BLOCK_PAIRS):
            one = rows[start : start + _BLOCK_PAIRS]
            distance = np.bitwise_count(words[one] ^ words[one + apart]).sum(1)
            near = one[distance <= within_bits]
            pairs.append(np.stack([order[near + apart], order[near]], axis=1))
        apart += 1
    return np.concatenate(pairs)
