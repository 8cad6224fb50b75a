"""On PYTHONPATH, this writes down which files of a workspace a stage's process opens.

OPENED_ROOT: the workspace. OPENED_LOGS: a folder; the process of stage x appends lines to x.txt in it.
"""

import os
import sys

ROOT = os.environ.get("OPENED_ROOT", "")
LOGS = os.environ.get("OPENED_LOGS", "")


def note(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and isinstance(arguments[0], str | os.PathLike):
        path = os.path.abspath(os.fspath(arguments[0]))  # noqa: PTH100
        if path.startswith(ROOT + os.sep) and not os.path.isdir(path):  # noqa: PTH112  (a sync)
            os.write(log, (os.path.relpath(path, ROOT) + "\n").encode())


if ROOT and sys.orig_argv[1:3] == ["-m", "tedigan"]:
    name = os.path.join(LOGS, f"{sys.orig_argv[3]}.txt")  # noqa: PTH118
    log = os.open(name, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    sys.addaudithook(note)
