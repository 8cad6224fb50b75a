"""Many answers of a bucket at once, so that they do not wait for each other."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tedigan.store.objects import Bucket

READERS = 32


def read_all(bucket: Bucket, names: Iterable[str]) -> Iterator[bytes]:
    """The bytes of each object in turn, READERS of them on their way; an ObjectError where one is absent."""
    with ThreadPoolExecutor(READERS, "read") as readers:
        yield from readers.map(bucket.read, names)
