"""What stands before every request: its size and letters, where it comes from, security headers."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sanhe.core.errors import Code
from sanhe.web.problems import problem

MOST_BYTES: Final = 1_000_000
MOST_UPLOAD_BYTES: Final = 512_000_000
MOST_NOTICE_BYTES: Final = 64_000
UPLOADS: Final = "/api/imports"
PARTNERS: Final = "/api/partner/"
"""What partners send is small, and comes from anybody until its signature is proved."""
PATIENCE_SECONDS: Final = 30.0
"""A body is sent within so long; a file may take `UPLOAD_PATIENCE_SECONDS`."""
UPLOAD_PATIENCE_SECONDS: Final = 1800.0
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_HEADERS: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), geolocation=(), microphone=()",
}


def content_policy(nonce: str) -> str:
    """The Content-Security-Policy of a page: nothing from elsewhere, styles only by nonce."""
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{nonce}'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )


class Guards:
    """The outermost layer. Puts a fresh `nonce` into the request's state for the page's styles.

    `patience_seconds`: how long the body of a request that is no upload may take.
    """

    def __init__(self, app: ASGIApp, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._app, self._patience = app, patience_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what can't be right, else go on and add the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        send = _with_headers(send, scope, nonce)
        headers = Headers(scope=scope)
        upload = scope["path"] == UPLOADS
        most = _most_bytes(scope["path"])
        patience = UPLOAD_PATIENCE_SECONDS if upload else self._patience
        if refused := _refused(scope, headers, most):
            status, why, remedy = refused
            await problem(status, why, code=_CODES[status], remedy=remedy)(scope, receive, send)
            return
        await self._app(scope, _measured(receive, most, patience), send)


_CODES: Final = {403: Code.STALE_PAGE, 413: Code.TOO_LARGE, 422: Code.INVALID}


def _most_bytes(path: str) -> int:
    if path.startswith(PARTNERS):
        return MOST_NOTICE_BYTES
    return MOST_UPLOAD_BYTES if path == UPLOADS else MOST_BYTES


def _refused(scope: Scope, headers: Headers, most: int) -> tuple[int, str, str] | None:
    """Status, what is wrong and the remedy, where the request's head can't be right."""
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 15 or int(length) > most:
        return 413, f"the body is above {most:,} bytes", "send less at a time"
    if b"%00" in scope.get("query_string", b"") or "\x00" in scope["path"]:
        return 422, "a character of value 0 in the address", "leave it out"
    # A page of another origin must not act with this browser's session.
    site = headers.get("sec-fetch-site", "same-origin")
    if scope["method"] not in _SAFE and site not in ("same-origin", "none"):
        return 403, "the request comes from another origin", "act on sanhe's own pages"
    return None


def _measured(receive: Receive, most: int, patience_seconds: float) -> Receive:
    """Receive, refusing once the body is above the limit (413) or takes too long (408).

    After the body, what is received is that the browser has gone, and that may take any time.
    """
    seen, whole = 0, False
    until = time.monotonic() + patience_seconds

    async def receiving() -> Message:
        nonlocal seen, whole
        if whole:
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), max(until - time.monotonic(), 0.0))
        except TimeoutError as error:
            raise HTTPException(408, "the body took too long", {"connection": "close"}) from error
        whole = not message.get("more_body", False)
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, f"the body is above {most:,} bytes: send less at a time")
        return message

    return receiving


def _with_headers(
    send: Send, scope: MutableMapping[str, Any], nonce: str
) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            headers["content-security-policy"] = content_policy(nonce)
            if scope["path"].startswith("/api"):
                headers["cache-control"] = "no-store"
            if scope.get("scheme") == "https":
                headers["strict-transport-security"] = "max-age=31536000"
        await send(message)

    return sending
