"""Many answers of a bucket at once, so that they do not wait for each other."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tedigan.store.objects import Bucket

AT_ONCE = 32
T = TypeVar("T")
Answer = TypeVar("Answer")


def at_once(call: Callable[[T], Answer], items: Iterable[T]) -> Iterator[Answer]:
    """What a call says of each item in turn, AT_ONCE of them on their way; its first error ends it."""
    with ThreadPoolExecutor(AT_ONCE, "at once") as callers:
        yield from callers.map(call, items)


def read_all(bucket: Bucket, names: Iterable[str]) -> Iterator[bytes]:
    """The bytes of each object in turn; an ObjectError where one is absent."""
    return at_once(bucket.read, names)
