"""What may be taken out of one file: levels, values and bytes are counted while they are taken.

A pickle can name one list or one storage a thousand times at no cost. Whoever walks through what
it describes would pay each time, so the walk is counted, and the copies of tensors may not take
more bytes than the file has.
"""

from dataclasses import dataclass

from torch import Tensor

from tedigan.foreign.pickles.storages import TensorRef
from tedigan.foreign.pickles.values import refusal

MAX_DEPTH = 16  # values in values; NVIDIA's modules go to 4, training files to 6


@dataclass
class Harvest:
    """What is left to take from the file `name`; `advice` ends the messages."""

    name: str
    values_left: int
    bytes_left: int
    advice: str

    def count(self, where: str, levels_left: int) -> None:
        """Take one value, in which so many levels of others may follow."""
        self.values_left -= 1
        if levels_left < 0 or self.values_left < 0:
            is_deep = levels_left < 0
            got = f"more than {MAX_DEPTH} levels" if is_deep else "more values than a network has"
            want = "what a network has"
            raise refusal(self.name, f"{where[:80]}: nested without end", got, want, self.advice)

    def copy(self, where: str, ref: TensorRef) -> Tensor:
        """Take a tensor: a contiguous copy in its own dtype."""
        self.bytes_left -= ref.nbytes
        if self.bytes_left < 0:
            got, want = "more values than the file has bytes for", "one storage each"
            raise refusal(self.name, f"{where[:80]}: storages are shared", got, want, self.advice)
        return ref.materialise()
