"""The words of our pickle reader, and its one kind of error.

A `Call` is one of our functions, from arguments to a value; a `Global` is a name in the file with
the Call that stands for it; an `Inert` is a value that we allow and do not need, kept as it was
described; a `Record` is a dict that the file calls by another class's name.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tedigan.errors import WeightsError

Call = Callable[[tuple[object, ...]], object]

DAMAGED = (
    "Nothing from it was run. Download the file again and compare its sha256 with the publisher's."
)
UNKNOWN = (
    "Nothing from it was run. If the file is really NVIDIA's, convert it once on a machine that "
    "you can afford to lose; otherwise delete it."
)


@dataclass
class Budget:
    """What is left to spend on one file. NVIDIA's at 1024 px take 60 371 opcodes, 0.1 MB of text."""

    opcodes: int = 150_000
    text: int = 4 * 2**20

    def __post_init__(self) -> None:
        self.limits = f"at most {self.opcodes} opcodes and {self.text} bytes of text in a file"

    def charge(self, num_items: int) -> None:
        """Count the copying of so many items as opcodes; the reader stops when there are none left."""
        self.opcodes -= num_items


@dataclass(frozen=True)
class Global:
    """A name from the file and the function of ours that stands for it."""

    name: str
    call: Call


@dataclass(eq=False)
class Inert:
    """A value that we allow and do not need: a call, its arguments, the state given to it."""

    name: str
    args: tuple[object, ...]
    state: object = None


class Record(dict[str, object]):
    """A dict of another class, such as OrderedDict; attributes set on it are forgotten.

    torch hangs `_metadata` on every state dict, EasyDict keeps its items twice.
    """


class Attributes(dict[str, object]):
    """An object whose attributes are all that it has, such as argparse.Namespace: they are items here."""


def shown(value: object) -> str:
    """Describe a value from the file in at most a line, without walking into it."""
    if isinstance(value, str):
        return repr(value[:60])
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, Inert | Global):
        return f"{type(value).__name__.lower()} {value.name[:60]!r}"
    return f"a {type(value).__name__}"


def refusal(name: str, what: str, got: str, want: str, advice: str = DAMAGED) -> WeightsError:
    """Make this reader's error: what was wrong, what came, what was expected, what to do."""
    return WeightsError(f"{name}: {what}: got {got}, expected {want}. {advice}")
