"""glibc's allocator, told to keep large blocks and not to return them to the kernel at every free, in huge pages.

StyleGAN's activations are larger than glibc's mmap threshold, so each one costs an mmap, a munmap and a page
fault per 4 KiB; keeping them is worth 1.4 to 2.6 times the images per second on a CPU (docs/numbers.md). Only the
main arena can keep them, so that all threads share it: a bulk job's worker draws in a thread of its own. Pages of
2 MiB, which torch asks for from 2 MiB on, are worth some hundredths more, and a twentieth of a training step.
"""

import ctypes
import os
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8
GIB = 2**30


def keep_large_blocks() -> bool:
    """Set the thresholds for this process; True if the C library took them (glibc only).

    Huge pages are torch's to ask for, which reads its variable at its first block.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = [
        (M_MMAP_THRESHOLD, GIB),
        (M_TRIM_THRESHOLD, 2 * GIB - 1),
        (M_TOP_PAD, GIB // 16),
        (M_ARENA_MAX, 1),
    ]
    return all(mallopt(name, value) == 1 for name, value in settings)
