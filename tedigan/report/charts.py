"""The geometry of the page's small drawings, which templates/charts.html draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

WIDTH, HEIGHT = 220.0, 64.0  # within the viewBox of templates/charts.html
SMOOTH_SHARE = 0.05
MAX_BARS = 12


@dataclass(frozen=True)
class LineChart:
    """A logged number over its steps.

    raw, smooth: the values and their running mean as SVG points "x,y x,y ...", in 0..WIDTH by 0..HEIGHT.
    ends: the first and the last value. smooth_ends: of the running mean.
    """

    title: str
    raw: str
    smooth: str
    ends: tuple[float, float]
    smooth_ends: tuple[float, float]
    last_step: float


@dataclass(frozen=True)
class Bar:
    """One value's. x, y, width, height: in 0..WIDTH by 0..HEIGHT. middle: of its words."""

    label: str
    count: int
    share: float
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """Where its words stand, in x."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class BarChart:
    """How often each small number occurs."""

    title: str
    bars: list[Bar]


def share_of_scale(value: float | None, floor: float | None, ceiling: float | None) -> float | None:
    """Where the value lies from floor (0) to ceiling (1), at most 6 % outside; None where one is missing."""
    if value is None or floor is None or ceiling is None or floor == ceiling:
        return None
    return min(1.06, max(-0.06, (value - floor) / (ceiling - floor)))


def line_chart(title: str, steps: Sequence[float], values: Sequence[float]) -> LineChart:
    """The drawing of one number, scaled to its own lowest and highest value."""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    first, length = steps[0], (steps[-1] - steps[0]) or 1.0

    def points(series: Sequence[float]) -> str:
        return " ".join(
            f"{(step - first) / length * WIDTH:.1f},{HEIGHT - (value - low) / spread * HEIGHT:.1f}"
            for step, value in zip(steps, series, strict=True)
        )

    smooth = _smooth(values)
    return LineChart(
        title=title,
        raw=points(values),
        smooth=points(smooth),
        ends=(values[0], values[-1]),
        smooth_ends=(smooth[0], smooth[-1]),
        last_step=steps[-1],
    )


def bar_chart(title: str, counts: Mapping[int, int], *, first: int) -> BarChart:
    """Bars from `first` on, also where a number does not occur; from MAX_BARS on all are one."""
    bins = [0] * (1 + min(max(counts, default=first) - first, MAX_BARS - 1))
    for value, count in counts.items():
        bins[min(value - first, MAX_BARS - 1)] += count
    total, most, step = sum(bins) or 1, max(bins) or 1, WIDTH / len(bins)
    width = min(0.8 * step, WIDTH / 6)
    labels = [str(first + place) for place in range(len(bins))]
    if max(counts, default=first) - first >= MAX_BARS:
        labels[-1] += "+"
    bars = [
        Bar(
            label,
            count,
            count / total,
            (place + 0.5) * step - width / 2,
            HEIGHT * (1 - count / most),
            width,
            HEIGHT * count / most,
        )
        for place, (label, count) in enumerate(zip(labels, bins, strict=True))
    ]
    return BarChart(title, bars)


def histogram(title: str, counts: Mapping[int, int]) -> BarChart:
    """Bars over whole numbers from the least to the largest, in at most MAX_BARS equal steps."""
    least, most = min(counts), max(counts)
    step = -(-(most - least + 1) // MAX_BARS)
    bins: dict[int, int] = {}
    for value, count in counts.items():
        place = (value - least) // step
        bins[place] = bins.get(place, 0) + count
    chart = bar_chart(title, bins, first=0)
    bars = [replace(bar, label=str(least + step * place)) for place, bar in enumerate(chart.bars)]
    return replace(chart, bars=bars)


def _smooth(values: Sequence[float]) -> list[float]:
    """Mean over a window of 5 % of the values on each side."""
    reach = max(1, int(len(values) * SMOOTH_SHARE))
    windows = [values[max(0, i - reach) : i + reach + 1] for i in range(len(values))]
    return [sum(window) / len(window) for window in windows]
