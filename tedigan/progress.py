"""The one progress bar: alive on a terminal, a line every half minute in a log file; and who hears of numbers."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from tqdm import tqdm

LOG_INTERVAL_S, TERMINAL_INTERVAL_S = 30.0, 0.5
Listener = Callable[[int, Mapping[str, float]], None]
_IS_QUIET: ContextVar[bool] = ContextVar("is_quiet", default=False)
_LISTENER: ContextVar[Listener | None] = ContextVar("listener", default=None)


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
        file=_Unbroken(sys.stderr),
        disable=_IS_QUIET.get(),
        mininterval=TERMINAL_INTERVAL_S if is_terminal else LOG_INTERVAL_S,
        maxinterval=10 * LOG_INTERVAL_S,  # or tqdm lowers the interval by itself
        ncols=None if is_terminal else 100,
    )


def note(line: str) -> None:
    """One line above the bars."""
    if _IS_QUIET.get():
        return
    tqdm.write(line, file=_Unbroken(sys.stderr))


def be_quiet() -> None:
    """From now on no bars and notes: somebody beside this process shows the same."""
    _IS_QUIET.set(True)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Within the block, who trains tells the listener each step that goes to its log, and its numbers."""
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def tell(step: int, numbers: Mapping[str, float]) -> None:
    """The numbers of a step, to whoever listens."""
    if listener := _LISTENER.get():
        listener(step, numbers)


class _Unbroken:
    """A stream that nobody may read any more: what is shown is lost, and what is done goes on."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Show it, if there is still somebody to show it to."""
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """As `write`."""
        with suppress(OSError, ValueError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
