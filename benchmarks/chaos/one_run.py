"""One run of a job in a process of its own: `python -m benchmarks.chaos.one_run ENGINE NUM_WORKERS FILE`.

FILE: the worker, pickled. The engine `alone` is one worker in this process, as a stranger's would be. Ends with 0
where no shard is left.
"""

import pickle
import sys
from pathlib import Path

from benchmarks.chaos.noted import NotedWorker
from tasks import policy
from tedigan.bulk.engines import open_engine
from tedigan.bulk.running import run_job, work_among_others
from tedigan.errors import TediganError

POLL_S = 1.0  # of the engine `prefect`, whose 5 s are for shards of minutes


def main(engine: str, num_workers: int, file: Path) -> int:
    """The exit status."""
    worker: NotedWorker = pickle.loads(file.read_bytes())
    policy.BULK_POLL_S = POLL_S
    try:
        if engine != "alone":
            return int(run_job(worker, open_engine(engine), num_workers) > 0)
        for _ in work_among_others(worker, worker.meeting):
            continue
    except TediganError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
