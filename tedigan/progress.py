"""The one progress bar: alive on a terminal, a line every half minute in a log file."""

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm

LOG_INTERVAL_S, TERMINAL_INTERVAL_S = 30.0, 0.5


def progress(
    items: Iterable[Any] | None = None,
    *,
    desc: str,
    unit: str,
    total: int | None = None,
    initial: int = 0,
) -> Any:
    """A tqdm bar on stderr, over `items` or, without them, updated by hand."""
    is_terminal = sys.stderr.isatty()
    return tqdm(
        items,
        desc=desc,
        unit=unit,
        total=total,
        initial=initial,
        mininterval=TERMINAL_INTERVAL_S if is_terminal else LOG_INTERVAL_S,
        maxinterval=10 * LOG_INTERVAL_S,  # or tqdm lowers the interval by itself
        ncols=None if is_terminal else 100,
    )


def note(line: str) -> None:
    """One line above the bars."""
    tqdm.write(line, file=sys.stderr)
