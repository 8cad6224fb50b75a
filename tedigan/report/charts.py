"""Small drawings inside the page: a value between its floor and ceiling, and the line of a number in training."""

from collections.abc import Sequence

from tedigan.report.markup import escape, number

WIDTH, HEIGHT = 220.0, 64.0
SMOOTH_SHARE = 0.05


def scale_bar(value: float | None, floor: float | None, ceiling: float | None) -> str:
    """A rail from floor to ceiling with a dot where the value lies; empty where one of them is missing."""
    if value is None or floor is None or ceiling is None or floor == ceiling:
        return ""
    share = min(1.06, max(-0.06, (value - floor) / (ceiling - floor)))
    x = 10 + 130 * share
    return (
        '<svg viewBox="0 0 150 16" role="img" '
        f'aria-label="{share:.0%} of the way from floor to ceiling">'
        '<line class="rail" x1="10" y1="8" x2="140" y2="8"/>'
        f'<line class="run" x1="10" y1="8" x2="{max(10.0, min(140.0, x)):.1f}" y2="8"/>'
        f'<circle class="mark" cx="{x:.1f}" cy="8" r="5.5"/></svg>'
    )


def line_chart(title: str, steps: Sequence[float], values: Sequence[float]) -> str:
    """Raw values faint, their running mean strong; the ends as numbers."""
    low, high = min(values), max(values)
    spread = (high - low) or 1.0
    first, length = steps[0], (steps[-1] - steps[0]) or 1.0

    def points(series: Sequence[float]) -> str:
        return " ".join(
            f"{(step - first) / length * WIDTH:.1f},{HEIGHT - (value - low) / spread * HEIGHT:.1f}"
            for step, value in zip(steps, series, strict=True)
        )

    return (
        f'<div class="chart"><b>{escape(title)}</b>'
        f'<svg viewBox="0 -4 {WIDTH:.0f} {HEIGHT + 8:.0f}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(title)} from {number(values[0])} to {number(values[-1])}">'
        f'<polyline class="dots" points="{points(values)}"/>'
        f'<polyline class="line" points="{points(_smooth(values))}"/></svg>'
        f'<div class="ends"><span>{number(_smooth(values)[0])}</span>'
        f"<span>step {steps[-1]:,.0f}</span><span>{number(_smooth(values)[-1])}</span></div></div>"
    )


def _smooth(values: Sequence[float]) -> list[float]:
    """Mean over a window of 5 % of the values on each side."""
    reach = max(1, int(len(values) * SMOOTH_SHARE))
    windows = [values[max(0, i - reach) : i + reach + 1] for i in range(len(values))]
    return [sum(window) / len(window) for window in windows]
