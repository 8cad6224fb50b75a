"""Keeps a page to this machine: whose name is asked, from which page, how many bytes; and what the page may load.

A name that somebody's server points at 127.0.0.1 (DNS rebinding) and a page of another origin are refused, before
anything is read.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from fastapi import HTTPException
from fastapi.responses import JSONResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ("127.0.0.1", "localhost")
MAX_BYTES = 24 * 2**20  # of a request
TOO_MANY = f"the request has more than {MAX_BYTES >> 20} MiB; choose a smaller picture."
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        b"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}


class Loopback:
    """Around an application. names: what the Host header may be, with the port."""

    def __init__(self, app: Application, names: Iterable[str]) -> None:
        self._app, self._names = app, frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or answer with HEADERS."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        assert scope["type"] == "http", "the page has no web sockets"
        headers = {key: value.decode("latin-1") for key, value in scope["headers"]}
        status, fault = self._fault(headers)
        if fault:
            await JSONResponse({"error": fault}, status)(scope, receive, send)
            return
        left = MAX_BYTES

        async def limited() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413, TOO_MANY)
            return message

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS.items()]
            await send(message)

        await self._app(scope, limited, answered)

    def _fault(self, headers: dict[bytes, str]) -> tuple[int, str]:
        """The status and the line that refuse it; "" where nothing is wrong."""
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        if host not in self._names:
            return 421, f"this page is not {host[:80]!r}; open it as it was printed."
        if origin is not None and origin not in {f"http://{name}" for name in self._names}:
            return 403, f"a page of {origin[:80]!r} asked; this one answers to itself alone."
        size = headers.get(b"content-length", "0")
        if not size.isdigit() or int(size) > MAX_BYTES:
            return 413, TOO_MANY
        return 200, ""
