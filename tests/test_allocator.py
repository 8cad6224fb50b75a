"""Large blocks are kept, whichever thread asks for them: bulk jobs draw in one of their own."""

import subprocess
import sys

import pytest

# What is mapped for one block alone, outside the heap, costs a page fault per 4 KiB each time.
PLACES = """
import tedigan, torch
from concurrent.futures import ThreadPoolExecutor

def is_in_heap():
    place = torch.ones(2**24).data_ptr()
    heap = next(line.split()[0] for line in open("/proc/self/maps") if line.endswith("[heap]\\n"))
    start, stop = (int(end, 16) for end in heap.split("-"))
    return start <= place < stop

with ThreadPoolExecutor(1) as thread:
    print(is_in_heap(), thread.submit(is_in_heap).result())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the settings are glibc's")
def test_every_thread_takes_large_blocks_from_the_heap_that_is_kept() -> None:
    command = [sys.executable, "-c", PLACES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
