"""Strokes: what a pencil draws in one go, along the lines of a picture.

A stroke is float64 `[n, 4]`, a row a point: y, x, strength, breadth (0 = fine, 1 = broad). Pixels of ridges are
linked, ends that point at each other are joined, short and faint strokes go, and so do those that run close
beside a better one; what stays is smoothed. In the middle of the picture, where an aligned face has its features,
strokes may be fainter and closer. Lengths are in 256ths of the picture's side.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from jaxtyping import Bool, Float64, Int
from scipy import ndimage
from scipy.spatial import cKDTree

from tedigan.dataset.kinds.ridges import NUM_ANGLES, Lines, Plane, ridges

MAX_STROKES = 38
MAX_PIXELS = 5000  # of 256 x 256, that are looked at
FAINT, CLEAR = 0.04, 0.09  # strengths: no line below, no stroke whose mean is below
ASIDE = 0.8  # what strength counts in hair, clothes and background
SHORT = 9.0  # no stroke is shorter
BRIDGED, BRIDGED_LAST = 13.0, 17.0  # ends so near that point at each other are one stroke's
CLOSE, CLOSE_ASIDE = 4.0, 9.0  # no two parallel strokes are nearer: in the face, and aside
SMOOTH = 1.8  # standard deviation, along the stroke

Stroke = Float64[np.ndarray, "_ 4"]
# With the angle of the line at each point as its fifth column.
Chain = Float64[np.ndarray, "_ 5"]
_RING = np.array([(y, x) for y in range(-2, 3) for x in range(-2, 3) if (y, x) != (0, 0)])


def strokes_of(lines: Lines) -> list[Stroke]:
    """The strokes of a picture, in its pixels; the most telling are there, whatever else there is."""
    side = lines.strength.shape[0]
    unit = side / 256
    chains = [chain for chain in _linked(lines) if len(chain) >= 5 * unit]
    chains = _joined(chains, reach=BRIDGED * unit)
    chains = [chain for chain in chains if len(chain) >= SHORT * unit and _strength(chain) >= CLEAR]
    chains = _joined(_apart(chains, side), reach=BRIDGED_LAST * unit)
    return _smoothed([chain[:, :4] for chain in chains], SMOOTH * unit)


def _linked(lines: Lines) -> list[Chain]:
    """Pixels of ridges in a row: each is tied to the one ahead and the one behind that is tied to it in turn."""
    told = lines.strength * (1 - (1 - ASIDE) * _aside(lines.strength.shape[0]))
    y, x = _strongest(np.where(ridges(lines), told, 0))
    num = len(y)
    angle = lines.angle[y, x] * (np.pi / NUM_ANGLES)
    points = np.stack([y, x, told[y, x], lines.is_broad[y, x], angle], axis=1).astype(np.float64)
    numbers = np.full((told.shape[0] + 4, told.shape[1] + 4), num)
    numbers[y + 2, x + 2] = np.arange(num)
    near = numbers[y[:, None] + 2 + _RING[:, 0], x[:, None] + 2 + _RING[:, 1]]
    distance = np.hypot(*_RING.T)
    ahead = np.stack([np.sin(angle), np.cos(angle)], axis=1) @ (_RING / distance[:, None]).T
    alike = np.abs(np.cos(angle[:, None] - np.append(angle, 0)[near]))
    worth = np.abs(ahead) * alike * np.append(points[:, 2], 0)[near] / (distance + 0.5)
    worth *= (np.abs(ahead) > 0.6) & (alike > 0.7)
    return [points[walk] for walk in _walks(_ties(near, worth, ahead > 0))]


def _strongest(told: Plane) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Where the strongest pixels are, MAX_PIXELS at most, that are not faint."""
    y, x = np.nonzero(told > FAINT)
    num = MAX_PIXELS * told.size // 256**2
    if len(y) > num:
        strength = told[y, x]
        is_strong = strength > np.partition(strength, -num)[-num]
        y, x = y[is_strong], x[is_strong]
    return y, x


def _ties(
    near: Int[np.ndarray, "n k"],
    worth: Float64[np.ndarray, "n k"],
    is_ahead: Bool[np.ndarray, "n k"],
) -> Int[np.ndarray, "n 2"]:
    """Of each point the best one ahead and the best one behind, -1 where it is not the best of theirs."""
    num = len(near)
    best = np.full((num + 1, 2), num)
    for way in (0, 1):
        here = np.where(is_ahead == (way == 0), worth, 0)
        choice = here.argmax(1)
        rows = np.arange(num)
        best[:num, way] = np.where(here[rows, choice] > 0, near[rows, choice], num)
    is_mutual = (best[best[:num]] == np.arange(num)[:, None, None]).any(2) & (best[:num] < num)
    return np.where(is_mutual, best[:num], -1)


def _walks(ties: Int[np.ndarray, "n 2"]) -> list[list[int]]:
    """The paths of a graph in which each point has two ties at most; rings are cut open."""
    num_ties = (ties >= 0).sum(1)
    starts = [*np.flatnonzero(num_ties == 1).tolist(), *np.flatnonzero(num_ties == 2).tolist()]
    links, is_new, walks = ties.tolist(), [True] * len(ties) + [False], []
    for here in starts:
        walk = []
        while is_new[here]:
            is_new[here] = False
            walk.append(here)
            one, other = links[here]
            here = one if is_new[one] else other
        if walk:
            walks.append(walk)
    return walks


def _strength(chain: Chain) -> float:
    return float(chain[:, 2].sum()) / len(chain)


def _joined(chains: Sequence[Chain], *, reach: float) -> list[Chain]:
    """Chains whose ends are near and point at each other, made one; the best pair first."""
    if len(chains) < 2:
        return list(chains)
    ends, ways = _ends(chains)
    pairs = cKDTree(ends).query_pairs(reach, output_type="ndarray")
    one, other = pairs[pairs[:, 0] // 2 != pairs[:, 1] // 2].T
    gap = ends[other] - ends[one]
    distance = np.hypot(*gap.T)
    opposed = -(ways[one] * ways[other]).sum(1)
    towards = np.minimum((gap * ways[one]).sum(1), -(gap * ways[other]).sum(1))
    fits = (opposed > 0.4) & ((towards > 0.65 * distance) | (distance < 2))
    cost = np.where(fits, (distance + 1) * (2 - opposed), np.inf)
    partner = [-1] * len(ends)
    for number in np.argsort(cost, kind="stable")[: fits.sum()].tolist():
        a, b = int(one[number]), int(other[number])
        if partner[a] < 0 and partner[b] < 0:
            partner[a], partner[b] = b, a
    return _chained(chains, partner)


def _ends(
    chains: Sequence[Chain],
) -> tuple[Float64[np.ndarray, "m 2"], Float64[np.ndarray, "m 2"]]:
    """Of each chain its first and its last point, and the directions out of it there."""
    inner = [min(6, len(chain) - 1) for chain in chains]
    ends = np.concatenate([chain[[0, -1], :2] for chain in chains])
    within = [chain[[k, -1 - k], :2] for chain, k in zip(chains, inner, strict=True)]
    ways = ends - np.concatenate(within)
    return ends, ways / (np.hypot(*ways.T)[:, None] + 1e-9)


def _chained(chains: Sequence[Chain], partner: Sequence[int]) -> list[Chain]:
    """Chains one after another, as their ends are paired. End 2 k is the first of chain k, 2 k + 1 its last."""
    is_new, longer = [True] * len(chains), []
    free = [end for end, other in enumerate(partner) if other < 0]
    for start in [*free, *range(0, len(partner), 2)]:
        parts, end = [], start
        while end >= 0 and is_new[end // 2]:
            is_new[end // 2] = False
            parts.append(chains[end // 2][:: -1 if end % 2 else 1])
            end = partner[end ^ 1]
        if parts:
            longer.append(np.concatenate(parts))
    return longer


@cache
def _aside(side: int) -> Plane:
    """0 in the middle, where an aligned face has its features, 1 in hair, clothes and background."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    return np.clip((np.hypot((x - 0.5) / 0.26, (y - 0.57) / 0.31) - 0.85) / 0.3, 0, 1)


def _apart(chains: Sequence[Chain], side: int) -> list[Chain]:
    """MAX_STROKES at most, long and strong ones first, each without what runs close beside a better one."""
    if not chains:
        return []
    order = sorted(chains, key=lambda chain: -len(chain) * math.sqrt(_strength(chain)))
    points = np.concatenate([chain[::2] for chain in order])
    firsts = np.cumsum([0, *[len(chain[::2]) for chain in order]])
    beside, starts = _beside(points, firsts, side)
    is_free = np.ones(len(points), bool)
    kept: list[Chain] = []
    for number, chain in enumerate(order):
        here = is_free[firsts[number] : firsts[number + 1]]
        runs = _runs(np.repeat(here, 2)[: len(chain)], SHORT * side / 256)
        kept += [chain[run] for run in runs]
        if len(kept) >= MAX_STROKES:
            break
        for run in runs:
            first, last = (firsts[number] + place // 2 for place in (run.start, run.stop))
            is_free[beside[starts[first] : starts[last]]] = False
    return kept[:MAX_STROKES]


def _beside(
    points: Float64[np.ndarray, "n 5"], firsts: Int[np.ndarray, " m"], side: int
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " k"]]:
    """The points of other chains that are too close beside each: all in a row, and where each point's begin."""
    unit = side / 256
    whose = np.repeat(np.arange(len(firsts) - 1), np.diff(firsts))
    close = CLOSE + (CLOSE_ASIDE - CLOSE) * _aside(side)[tuple(points[:, :2].astype(int).T)]
    pairs = cKDTree(points[:, :2]).query_pairs(CLOSE_ASIDE * unit, output_type="ndarray")
    one, other = pairs[whose[pairs[:, 0]] != whose[pairs[:, 1]]].T
    distance = np.hypot(*(points[one, :2] - points[other, :2]).T)
    is_parallel = np.abs(np.cos(points[one, 4] - points[other, 4])) > 0.75
    is_close = is_parallel & (distance < np.minimum(close[one], close[other]) * unit)
    one, other = one[is_close], other[is_close]
    one, other = np.concatenate([one, other]), np.concatenate([other, one])
    order = np.argsort(one, kind="stable")
    return other[order], np.searchsorted(one[order], np.arange(len(points) + 1))


def _runs(is_free: Bool[np.ndarray, " n"], least: float) -> list[slice]:
    """Where at least so many in a row are free; up to four that are not are no gap."""
    place = np.flatnonzero(is_free)
    if len(place) < least:
        return []
    breaks = np.flatnonzero(np.diff(place) > 5)
    starts, stops = place[[0, *(breaks + 1)]].tolist(), (place[[*breaks, -1]] + 1).tolist()
    runs = [slice(start, stop) for start, stop in zip(starts, stops, strict=True)]
    return [run for run in runs if run.stop - run.start >= least]


def _smoothed(strokes: Sequence[Stroke], deviation: float) -> list[Stroke]:
    """Points a pixel apart, on smooth curves with the same ends."""
    even = [_evenly(stroke) for stroke in strokes]
    if not even:
        return []
    reach = math.ceil(4 * deviation)
    longer = [_continued(stroke, reach) for stroke in even]
    smooth = ndimage.gaussian_filter1d(np.concatenate(longer), deviation, axis=0)
    smooth[:, 2:] = smooth[:, 2:].clip(0, 1)
    stops = np.cumsum([len(stroke) for stroke in longer]) - reach
    return [smooth[stop - len(stroke) : stop] for stop, stroke in zip(stops, even, strict=True)]


def _evenly(stroke: Stroke) -> Stroke:
    """Points about a pixel apart, the ends among them."""
    steps = np.hypot(*(stroke[1:, :2] - stroke[:-1, :2]).T)
    place = np.concatenate([[0], np.cumsum(steps)])
    at = np.linspace(0, place[-1], max(3, round(place[-1]) + 1))
    before = np.searchsorted(place[1:-1], at, side="right")
    share = ((at - place[before]) / steps[before])[:, None]
    return (1 - share) * stroke[before] + share * stroke[before + 1]


def _continued(stroke: Stroke, reach: int) -> Stroke:
    """With `reach` points more at each end, turned about it, so that smoothing leaves the end where it is."""
    inner = np.minimum(np.arange(1, reach + 1), len(stroke) - 1)
    before, after = 2 * stroke[0] - stroke[inner[::-1]], 2 * stroke[-1] - stroke[-1 - inner]
    return np.concatenate([before, stroke, after])
