"""How often a task is tried, how long it may take, how many at once: the only file with such numbers.

How long one request of a bucket waits for its answer stands in tedigan/store/s3.py.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import botocore.exceptions
from dvc.exceptions import FileTransferError

from tedigan.errors import LostRankError, StoreError, passes

T = TypeVar("T")

RETRIES = 2
RETRY_DELAYS_S = [5.0, 30.0]
STAGE_TIMEOUT_S = 14 * 24 * 3600.0  # paper-size GAN training on one GPU; a hung stage ends at last
RECORDING_LOCK_TIMEOUT_S = 1800.0  # another flow may be pushing a data set
BULK_POLL_S = 5.0  # between two looks at the flow runs that draw a job
BULK_START_S = 60.0  # after which we say that nobody has taken one
BULK_END_S = 30.0  # for them to end by themselves where nothing is left to draw
PROGRESS_EVERY_S = 5.0  # at most, an artifact is written anew
APPROVAL_TIMEOUT_S = 7 * 24 * 3600  # a promotion that nobody looks at
APPROVAL_POLL_S = 5  # between two looks at whether somebody answered
FLOWS_AT_ONCE = 1  # per deployment; infra/prefect.yaml says the same


def is_worth_retrying(_task: Any, _task_run: Any, state: Any) -> bool:
    """Only what may pass by itself: a bucket or a network that did not answer.

    A bad parameter, record or weights file gives the same answer next time, and so does a bug.
    """
    return may_pass(state.result(raise_on_failure=False))


# Of a task that writes to a store: `@task(..., **policy.RETRYING)`.
RETRYING: dict[str, Any] = {
    "retries": RETRIES,
    "retry_delay_seconds": RETRY_DELAYS_S,
    "retry_condition_fn": is_worth_retrying,
}


def persistently(do: Callable[[], T]) -> T:
    """Do it, and once more after each of RETRY_DELAYS_S where what failed may pass by itself."""
    for delay in RETRY_DELAYS_S:
        try:
            return do()
        except Exception as error:
            if not may_pass(error):
                raise
            time.sleep(delay)
    return do()


def may_pass(error: BaseException) -> bool:
    """Whether it speaks of a store, a disk, a network or a process that did not answer; a full disk did answer."""
    if isinstance(error, LostRankError):
        return True
    if isinstance(error, StoreError) and (error.may_pass or error.__cause__ is None):
        return error.may_pass
    cause = error.__cause__ if isinstance(error, StoreError) else error
    if isinstance(cause, FileTransferError) or _is_network(cause):
        return True
    return isinstance(cause, OSError) and passes(cause)


def _is_network(cause: BaseException | None) -> bool:
    """botocore keeps a tree of its own for connections that were refused, broken or too slow."""
    return isinstance(
        cause, botocore.exceptions.ConnectionError | botocore.exceptions.HTTPClientError
    )
