"""Merkle trees as RFC 6962 hashes them: one root for any number of entries, and a short proof that one is among
them.

Leaves and inner nodes are hashed with different first bytes, so that neither passes for the other.
"""

import hashlib
from collections.abc import Sequence


def leaf_hash(entry: bytes) -> bytes:
    """sha256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """sha256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in order; of none, sha256 of nothing."""
    return _levels(leaves)[-1][0] if leaves else hashlib.sha256().digest()


def proof_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of leaf `index`: the hashes beside its way to the root, from below."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of {len(leaves)}")
    path = []
    for level in _levels(leaves)[:-1]:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        index //= 2
    return path


def root_from(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf and its audit path give in a tree of `size` leaves; None where the path has a wrong
    length.
    """
    if not 0 <= index < size:
        return None
    found, rest = leaf, list(path)
    while size > 1:
        if index % 2 or index + 1 < size:
            if not rest:
                return None
            beside = rest.pop(0)
            found = node_hash(beside, found) if index % 2 else node_hash(found, beside)
        index, size = index // 2, (size + 1) // 2
    return None if rest else found


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """From the leaves up; one that has nobody beside it goes up as it is, which is RFC 6962's tree."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        below = levels[-1]
        above = [node_hash(a, b) for a, b in zip(below[::2], below[1::2], strict=False)]
        levels.append(above + below[len(above) * 2 :])
    return levels
