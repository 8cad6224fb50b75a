"""What is tried again, and what gives the same answer next time."""

from types import SimpleNamespace

import botocore.exceptions
import pytest
from dvc.exceptions import UploadError

from tasks import policy
from tasks.policy import is_worth_retrying, persistently
from tedigan.errors import DataError, LostRankError, ParamsError, StoreError, TediganError


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


def test_so_is_what_no_one_has_wrapped_and_an_upload_that_broke_off() -> None:
    assert verdict(botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"))
    assert verdict(caused(UploadError(3)))


def test_a_training_that_lost_a_process_is_tried_again() -> None:
    assert verdict(LostRankError("gone"))


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "RETRY_DELAYS_S", [0.0, 0.0])


@pytest.mark.usefixtures("_at_once")
def test_what_may_pass_is_done_again_until_it_works() -> None:
    answers = iter([ConnectionResetError(), TimeoutError(), 7])

    def ask() -> int:
        answer = next(answers)
        if isinstance(answer, OSError):
            raise caused(answer)
        return answer

    assert persistently(ask) == 7


@pytest.mark.usefixtures("_at_once")
def test_what_gives_the_same_answer_is_done_once() -> None:
    asked = []

    def ask() -> None:
        asked.append(1)
        raise DataError("x")

    with pytest.raises(DataError):
        persistently(ask)
    assert asked == [1]


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
