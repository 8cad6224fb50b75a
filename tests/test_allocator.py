"""Large blocks are kept, whichever thread asks for them: bulk jobs draw in one of their own."""

import subprocess
import sys

import pytest

# What is mapped for one block alone, outside the heap, costs a page fault per 4 KiB each time.
PLACES = """
import tedigan, torch
from concurrent.futures import ThreadPoolExecutor

def where():
    place = torch.ones(2**24).data_ptr() + 2**22
    for line in open("/proc/self/smaps"):
        first = line.split()[0]
        if not first.endswith(":"):
            start, stop = (int(end, 16) for end in first.split("-"))
            is_here, is_heap = start <= place < stop, line.endswith("[heap]\\n")
        elif first == "VmFlags:" and is_here:
            return is_heap, "hg" in line.split()

with ThreadPoolExecutor(1) as thread:
    print(*where(), *thread.submit(where).result())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the settings are glibc's")
def test_every_thread_takes_large_blocks_in_huge_pages_from_the_heap_that_is_kept() -> None:
    command = [sys.executable, "-c", PLACES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 4
