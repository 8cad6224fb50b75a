"""One thread per test process: two workers with two threads each wait for each other on two cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = ["tests.stages.workspaces"]
