"""Who may be who, where nobody said it: photographs grouped by a face descriptor. A guess, for the splits alone.

A group is a person from FIRST_GROUP down (`tedigan.dataset.splits`), as nobody knows who that is: its photographs
lie in one split, and nothing learns from it who looks like whom.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from tedigan.dataset.records import Checked

FACES = "faces"  # of dataset.people: group them
# Root of the mean squared distance of two groups that become one. dlib calls two photographs one person below 0.6;
# what it does to splits stands in docs/numbers.md (python -m benchmarks.unsaid people).
WITHIN = 0.58
_BLOCK = 1024  # rows compared at once; bounds memory


def grouped(kept: Sequence[Checked]) -> list[Checked]:
    """The records with groups for people; those that nobody described stay as they are."""
    described = [one for one in kept if one.descriptor]
    if not described:
        return list(kept)
    table = np.stack([np.frombuffer(one.descriptor, np.float32) for one in described])
    people = group_faces(table, [one.identity for one in described])
    who = {one.id: person for one, person in zip(described, people, strict=True)}
    return [replace(one, identity=who.get(one.id, one.identity)) for one in kept]


def group_faces(
    descriptors: Float32[np.ndarray, "n d"], people: Sequence[int], *, within: float = WITHIN
) -> list[int]:
    """Person of each row: of those that are below 0, like faces get one of their numbers, or that of who is named.

    people: who it is, at least 0 and never joined with another; below 0, and each another number, where nobody
    knows. Nearest pairs first, groups are joined while the mean squared distance between them stays below
    `within` ** 2: a chain of likenesses does not make all the world one person.
    """
    groups = _Groups(descriptors.astype(np.float64), list(people))
    named: dict[int, int] = {}
    for row, who in enumerate(people):
        if who >= 0:
            groups.join(named.setdefault(who, row), row)
    for first, second in _near(descriptors, within):
        a, b = groups.root(first), groups.root(second)
        if groups.may_join(a, b) and groups.squared_distance(a, b) < within**2:
            groups.join(a, b)
    return [groups.people[groups.root(row)] for row in range(len(people))]


def in_several_splits(splits: Mapping[int, str], identities: Mapping[int, int]) -> int:
    """How many groups lie in more than one split, as a source's own lists may have it."""
    places: dict[int, set[str]] = {}
    for photo, split in splits.items():
        if identities[photo] < 0:
            places.setdefault(identities[photo], set()).add(split)
    return sum(len(one) > 1 for one in places.values())


class _Groups:
    """Sets of rows with their sums, by which the mean squared distance of two sets is three numbers."""

    def __init__(self, descriptors: np.ndarray, people: list[int]) -> None:
        self.people = people
        self._parents = list(range(len(people)))
        self._sums = descriptors.copy()
        self._squares = (descriptors**2).sum(1)
        self._counts = np.ones(len(people))

    def root(self, row: int) -> int:
        """The row that stands for a group: its first."""
        while self._parents[row] != row:
            self._parents[row] = self._parents[self._parents[row]]
            row = self._parents[row]
        return row

    def may_join(self, a: int, b: int) -> bool:
        """Two groups, not both named."""
        return a != b and (self.people[a] < 0 or self.people[b] < 0)

    def squared_distance(self, a: int, b: int) -> float:
        """mean |x - y|^2 = mean |x|^2 + mean |y|^2 - 2 mean x . mean y, over all x of one and y of the other."""
        n, m = self._counts[a], self._counts[b]
        product = self._sums[a] @ self._sums[b] / (n * m)
        return float(self._squares[a] / n + self._squares[b] / m - 2 * product)

    def join(self, a: int, b: int) -> None:
        """The two become one; a name stays, else the first row's number."""
        a, b = sorted((self.root(a), self.root(b)))
        if a == b:
            return
        self._parents[b] = a
        self.people[a] = max(self.people[a], self.people[b])
        self._sums[a] += self._sums[b]
        self._squares[a] += self._squares[b]
        self._counts[a] += self._counts[b]


def _near(descriptors: Float32[np.ndarray, "n d"], within: float) -> Iterator[tuple[int, int]]:
    """Pairs of rows within that distance, the nearest first."""
    squares = (descriptors**2).sum(1)
    pairs, distances = [np.empty((0, 2), np.int64)], [np.empty(0, np.float32)]
    for start in range(0, len(descriptors), _BLOCK):
        block = descriptors[start : start + _BLOCK]
        apart = squares[start : start + _BLOCK, None] + squares - 2 * block @ descriptors.T
        rows, columns = np.nonzero(apart < within**2)
        is_first = rows + start < columns
        rows, columns = rows[is_first], columns[is_first]
        pairs.append(np.stack([rows + start, columns], axis=1))
        distances.append(apart[rows, columns])
    found, order = np.concatenate(pairs), np.argsort(np.concatenate(distances), kind="stable")
    yield from map(tuple, found[order].tolist())
