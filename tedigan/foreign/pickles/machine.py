"""A pickle machine that can only build data: a value in, never a call out.

Python's own unpickler imports what a file names and calls what a file asks; filtering its `find_class` leaves
the calls, BUILD's `setattr` and every allocation to it. This machine goes the other way. It knows some forty
opcodes, those that Python's pickler writes for plain data (protocols 2 to 5, and Python 2's dialect of 2), and
refuses the rest. A name in the file never becomes an object: it is looked up with `resolve`, a closed table of
functions of ours, at the moment it is read. REDUCE and NEWOBJ call such a function with data; BUILD stores data
in an `Inert`, adds items to an `Attributes`, and is forgotten by a `Record`.

Why it ends, and in bounded memory: there are no loops or jumps in a pickle, each opcode adds at most one value,
and a `Budget` shared by a file and the streams inside it caps opcodes and text. Byte strings are views of the
file, not copies, so a length is checked against the file before anything is made. Nothing recurses, dict keys
and set members are text (no crafted hash collisions; a whole number as a key becomes text), integers have at
most 16 bytes.
"""

import re
import struct
from collections.abc import Callable
from typing import Any

from tedigan.errors import WeightsError
from tedigan.foreign.pickles.cursor import MAX_LINE, Cursor
from tedigan.foreign.pickles.values import Attributes, Budget, Call, Global, Inert, Record, shown

MAX_TEXT = 2**20  # one string; NVIDIA's embedded source is 40 kB
MAX_INT_BYTES = 16  # torch's magic number has 10

PROTO, _STOP = 0x80, ord(".")
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")


class PickleReader:
    """Read pickles one after another from where `cursor` stands.

    resolve: turns a dotted name into the Call that stands for it, or raises.
    persistent: turns a persistent id into a value; None refuses them.
    """

    def __init__(
        self,
        cursor: Cursor,
        *,
        resolve: Callable[[str], Call],
        budget: Budget,
        persistent: Callable[[object], object] | None = None,
    ) -> None:
        """Keep the arguments; nothing is read yet."""
        self.stack: list[object] = []
        self._cursor = cursor
        self._refuse = cursor.refuse
        self._marks: list[list[object]] = []
        self._memo: dict[int, object] = {}
        self._resolve = resolve
        self._budget = budget
        self._persistent = persistent

    def load(self) -> object:
        """Read one pickle and return its value."""
        self.stack, self._marks, self._memo = [], [], {}
        take, budget, opcodes = self._cursor.take, self._budget, self.opcodes()
        self._begin()
        while (opcode := take(1)) != _STOP:
            budget.opcodes -= 1
            if opcode not in opcodes or budget.opcodes < 0:
                raise self._no_step(opcode)
            width, action = opcodes[opcode]
            action(self, take(width) if width else 0)
        if self._marks or len(self.stack) != 1:
            got = f"{len(self.stack)} values and {len(self._marks)} open marks"
            raise self._refuse("the pickle ends in the middle of a value", got, "exactly one value")
        return self.stack.pop()

    def opcodes(self) -> "Opcodes":
        """What this machine knows."""
        return OPCODES

    def _begin(self) -> None:
        """Read the protocol's number."""
        take = self._cursor.take
        if (first := take(1)) != PROTO or not 2 <= (protocol := take(1)) <= 5:
            got = f"first byte {first:#04x}" if first != PROTO else f"protocol {protocol}"
            raise self._refuse("not a binary pickle", got, "byte 0x80 and protocol 2 to 5")

    def _no_step(self, opcode: int) -> WeightsError:
        if opcode in self.opcodes():
            return self._refuse(
                "too many opcodes", "more than any network has", self._budget.limits
            )
        return self._refuse("an opcode that we do not run", f"{opcode:#04x}", "those of plain data")

    # Values

    def _bytes(self, size: int) -> None:
        self.stack.append(self._cursor.take_bytes(size))

    def _int(self, size: int) -> None:
        if size > MAX_INT_BYTES:
            raise self._refuse("a giant integer", f"{size} bytes", f"at most {MAX_INT_BYTES}")
        self.stack.append(int.from_bytes(self._cursor.take_bytes(size), "little", signed=True))

    def _int_line(self, _: int) -> None:
        """Read Python 2's integers beyond 32 bits."""
        if not _WHOLE_NUMBER.fullmatch(line := self._cursor.take_line()):
            raise self._refuse("not an integer", shown(line), "at most 20 digits")
        self.stack.append(int(line))

    def _float(self, bits: int) -> None:
        self.stack.append(struct.unpack("<d", struct.pack(">Q", bits))[0])

    def _take_text(self, size: int) -> memoryview:
        self._budget.text -= size
        if size > MAX_TEXT or self._budget.text < 0:
            want = f"at most {MAX_TEXT} bytes in one string, {self._budget.limits}"
            raise self._refuse("too much text", f"{size} bytes", want)
        return self._cursor.take_bytes(size)

    def _text(self, size: int) -> None:
        try:
            self.stack.append(str(self._take_text(size), "utf-8"))
        except UnicodeDecodeError as error:
            raise self._refuse("a string that is not text", error.reason, "UTF-8") from error

    def _python_2_text(self, size: int) -> None:
        """Read Python 2's `str`, which is text or bytes; nothing says which."""
        data = self._take_text(size)
        self.stack.append(str(data, "ascii") if bytes(data).isascii() else data)

    # Stack, marks and memo

    def _top(self) -> object:
        if not self.stack:
            raise self._refuse("an opcode without its operand", "an empty stack", "a value")
        return self.stack[-1]

    def _pop(self) -> object:
        value = self._top()
        self.stack.pop()
        return value

    def _mark(self, _: int) -> None:
        self._marks.append(self.stack)
        self.stack = []

    def _pop_mark(self) -> list[object]:
        if not self._marks:
            raise self._refuse("an opcode without its mark", "no mark", "a mark")
        values, self.stack = self.stack, self._marks.pop()
        return values

    def _put(self, index: int) -> None:
        self._memo[index] = self._top()

    def _memoize(self, _: int) -> None:
        self._memo[len(self._memo)] = self._top()

    def _get(self, index: int) -> None:
        if index not in self._memo:
            raise self._refuse("a memo read before it is written", str(index), "an earlier one")
        self.stack.append(self._memo[index])

    # Containers

    def _tuple(self, size: int) -> None:
        self.stack.append(tuple([self._pop() for _ in range(size)][::-1]))

    def _tuple_to_mark(self, _: int) -> None:
        values = tuple(self._pop_mark())
        self.stack.append(values)

    def _append(self, values: list[object]) -> None:
        if not isinstance(target := self._top(), list):
            raise self._refuse("values are appended to something else", shown(target), "a list")
        target.extend(values)

    def _append_one(self, _: int) -> None:
        self._append([self._pop()])

    def _append_to_mark(self, _: int) -> None:
        self._append(self._pop_mark())

    def _add_items(self, _: int) -> None:
        values = self._pop_mark()
        if not isinstance(target := self._top(), set):
            raise self._refuse("values are added to something else", shown(target), "a set")
        for value in values:
            if not isinstance(value, str):
                raise self._refuse("a set member is not text", shown(value), "a string")
            target.add(value)

    def _set_items(self, values: list[object]) -> None:
        if not isinstance(target := self._top(), dict) or len(values) % 2:
            got = f"{len(values)} values for {shown(target)}"
            raise self._refuse("items do not fit their dict", got, "pairs for a dict")
        for key, value in zip(values[::2], values[1::2], strict=True):
            name = str(key) if type(key) is int else key  # optimizers number their parameters
            if not isinstance(name, str):
                raise self._refuse("a dict key is not text", shown(key), "a string")
            target[name] = value

    def _set_one(self, _: int) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def _set_to_mark(self, _: int) -> None:
        self._set_items(self._pop_mark())

    # Names and calls

    def _global(self, _: int) -> None:
        module, attribute = self._cursor.take_line(), self._cursor.take_line()
        self._push_global(f"{module}.{attribute}")

    def _stack_global(self, _: int) -> None:
        attribute, module = self._pop(), self._pop()
        if not isinstance(module, str) or not isinstance(attribute, str):
            got = f"{shown(module)} and {shown(attribute)}"
            raise self._refuse("a name is not text", got, "two strings")
        if len(module) + len(attribute) > MAX_LINE:
            raise self._refuse("a giant name", shown(module), f"at most {MAX_LINE} letters")
        self._push_global(f"{module}.{attribute}")

    def _push_global(self, name: str) -> None:
        self.stack.append(Global(name, self._resolve(name)))

    def _reduce(self, _: int) -> None:
        args, target = self._pop(), self._pop()
        if not isinstance(target, Global) or not isinstance(args, tuple):
            got = f"{shown(target)} of {shown(args)}"
            raise self._refuse("a call of something else than a name", got, "a name and a tuple")
        self.stack.append(target.call(args))

    def _build(self, _: int) -> None:
        state = self._pop()
        match self._top():
            case Inert() as inert:
                inert.state = state
            case Attributes() as record if isinstance(state, dict):
                self._budget.charge(len(state))
                record.update(state)
            case Record():
                pass
            case target:
                got = f"{shown(state)} for {shown(target)}"
                raise self._refuse("attributes that we cannot set", got, "an object of plain data")

    def _persistent_id(self, _: int) -> None:
        if self._persistent is None:
            raise self._refuse("a persistent id outside a storage", shown(self._pop()), "none")
        self.stack.append(self._persistent(self._pop()))


# Opcode: the width in bytes of the number after it (0: none), and what to do with that number.
Opcodes = dict[int, tuple[int, Callable[[Any, int], None]]]
OPCODES: Opcodes = {
    0x95: (8, lambda _reader, _size: None),  # FRAME: a hint for buffered readers
    ord("N"): (0, lambda reader, _: reader.stack.append(None)),
    0x88: (0, lambda reader, _: reader.stack.append(True)),
    0x89: (0, lambda reader, _: reader.stack.append(False)),
    ord("K"): (1, lambda reader, value: reader.stack.append(value)),
    ord("M"): (2, lambda reader, value: reader.stack.append(value)),
    ord("J"): (0, lambda reader, _: reader._int(4)),
    0x8A: (1, PickleReader._int),
    ord("I"): (0, PickleReader._int_line),
    ord("G"): (8, PickleReader._float),
    0x8C: (1, PickleReader._text),
    ord("X"): (4, PickleReader._text),
    0x8D: (8, PickleReader._text),
    ord("U"): (1, PickleReader._python_2_text),
    ord("T"): (4, PickleReader._python_2_text),
    ord("C"): (1, PickleReader._bytes),
    ord("B"): (4, PickleReader._bytes),
    0x8E: (8, PickleReader._bytes),
    0x96: (8, PickleReader._bytes),
    ord(")"): (0, lambda reader, _: reader.stack.append(())),
    ord("]"): (0, lambda reader, _: reader.stack.append([])),
    ord("}"): (0, lambda reader, _: reader.stack.append({})),
    0x8F: (0, lambda reader, _: reader.stack.append(set())),
    0x85: (0, lambda reader, _: reader._tuple(1)),
    0x86: (0, lambda reader, _: reader._tuple(2)),
    0x87: (0, lambda reader, _: reader._tuple(3)),
    ord("t"): (0, PickleReader._tuple_to_mark),
    ord("("): (0, PickleReader._mark),
    ord("q"): (1, PickleReader._put),
    ord("r"): (4, PickleReader._put),
    0x94: (0, PickleReader._memoize),
    ord("h"): (1, PickleReader._get),
    ord("j"): (4, PickleReader._get),
    ord("a"): (0, PickleReader._append_one),
    ord("e"): (0, PickleReader._append_to_mark),
    ord("s"): (0, PickleReader._set_one),
    ord("u"): (0, PickleReader._set_to_mark),
    0x90: (0, PickleReader._add_items),
    ord("c"): (0, PickleReader._global),
    0x93: (0, PickleReader._stack_global),
    ord("R"): (0, PickleReader._reduce),
    0x81: (0, PickleReader._reduce),  # NEWOBJ: the same to us, since no class is ever there
    ord("b"): (0, PickleReader._build),
    ord("Q"): (0, PickleReader._persistent_id),
}
