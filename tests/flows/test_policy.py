"""What is tried again, and what gives the same answer next time."""

from types import SimpleNamespace

import botocore.exceptions
import pytest

from tasks.policy import is_worth_retrying
from tedigan.errors import DataError, ParamsError, StoreError, TediganError


def verdict(error: BaseException) -> bool:
    return is_worth_retrying(None, None, SimpleNamespace(result=lambda **_: error))


def caused(cause: BaseException) -> StoreError:
    error = StoreError("the bucket")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "cause",
    [
        botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"),
        botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"),
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_a_store_that_did_not_answer_is_tried_again(cause: BaseException) -> None:
    assert verdict(caused(cause))


@pytest.mark.parametrize(
    "error",
    [
        ParamsError("x"),
        DataError("x"),
        StoreError("no such file"),
        TediganError("x"),
        KeyError("bug"),
    ],
)
def test_what_gives_the_same_answer_is_not(error: BaseException) -> None:
    assert not verdict(error)
