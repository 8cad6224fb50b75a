"""What parts of the platform answer over HTTP, asked past any proxy."""

import http.client
import urllib.error
import urllib.request
from typing import Any


def answers_at(url: str, *, refusal: int | None = None) -> bool:
    """Whether somebody answers as it should: with success, or with this refusal."""
    try:
        answer = opened(urllib.request.Request(url), timeout_s=2)  # noqa: S310
    except (OSError, http.client.HTTPException):  # nobody, or another service
        return False
    return answer.status in (200, refusal)


def opened(request: urllib.request.Request, *, timeout_s: float = 10) -> Any:
    """An answer of a part, asked past any proxy; a refusal is an answer too."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as answer:
        return answer
