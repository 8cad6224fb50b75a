"""A process whose clock is wrong: three functions of libc, replaced."""

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <sys/time.h>
static long off(void) { return atol(getenv("CLOCK_OFF_S")); }
int clock_gettime(clockid_t id, struct timespec *ts) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, ts);
    if (id == CLOCK_REALTIME) ts->tv_sec += off();
    return code;
}
time_t time(time_t *at) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    if (at) *at = ts.tv_sec;
    return ts.tv_sec;
}
int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
"""


def wrong_clock(folder: Path, seconds: int) -> dict[str, str] | None:
    """The environment of a process whose clock is so far off; None without Linux and a C compiler.

    folder: where the replacement is kept.
    """
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        return None
    (folder / "off.c").write_text(SOURCE)
    command = [compiler, "-shared", "-fPIC", "-o", "off.so", "off.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True)
    return {"LD_PRELOAD": str(folder / "off.so"), "CLOCK_OFF_S": str(seconds)}
