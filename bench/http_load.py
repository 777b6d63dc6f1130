"""Requests over real HTTP from many connections at once, to sanhe served in a process of its own.

`serving` runs `sanhe serve` as users do: uvicorn, the flows that tick beside it, and PostgreSQL as
it is shipped (fsync on) or the one of the settings. `fire` sends requests over `ways` connections
that stay open; each takes the next request once its last is answered. The client is a few lines
of asyncio because a general one costs more processor time than the server that is measured.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from sanhe.core.settings import Settings

WAYS: Final = 64
START_SECONDS: Final = 120
PATIENCE_SECONDS: Final = 120.0
"""An answer that takes longer counts as none."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One request: a POST of `body` to `path` (from /api on), with headers beside those that
    every request has."""

    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: _NONE)
    method: str = "POST"

    def octets(self, host: str) -> bytes:
        """The request as it is sent."""
        given = {"Host": host, "Content-Length": str(len(self.body)), **self.headers}
        if self.body and "Content-Type" not in given:
            given["Content-Type"] = "application/json"
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status (0 = the line broke before a whole answer came), the body, the
    seconds from the first byte sent to the last one read."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body as JSON; None where there is none."""
        return orjson.loads(self.body) if self.body else None


@dataclass(slots=True)
class Line:
    """One connection that stays open from request to request."""

    host: str
    port: int
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None)

    async def ask(self, request: Request) -> Answer:
        """The answer; its status is 0 when the line broke or nothing came in time."""
        began = time.perf_counter()
        try:
            status, body = await asyncio.wait_for(self._asked(request), PATIENCE_SECONDS)
        except (OSError, EOFError, TimeoutError):
            await self.close()
            status, body = 0, b""
        return Answer(status, body, time.perf_counter() - began)

    async def close(self) -> None:
        """Give the connection up; the next request opens another."""
        if self._streams is not None:
            writer = self._streams[1]
            self._streams = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _asked(self, request: Request) -> tuple[int, bytes]:
        if self._streams is not None and self._streams[0].at_eof():
            await self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._streams
        writer.write(request.octets(f"{self.host}:{self.port}"))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split(" ", 2)[1])
        length = 0
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            if name == "content-length":
                length = int(value)
            elif name == "transfer-encoding":
                raise ValueError("an answer in chunks: this client reads lengths alone")
        body = await reader.readexactly(length)
        if "\r\nconnection: close\r\n" in head:
            await self.close()
        return status, body


def fire(address: str, requests: Iterable[Request], *, ways: int = WAYS) -> list[Answer]:
    """Send requests over `ways` connections at once; the answers in the order of the requests.

    The requests are taken one by one as connections get free.
    """
    numbered = enumerate(requests)
    told: dict[int, Answer] = {}

    async def sender(line: Line) -> None:
        for number, request in numbered:
            told[number] = await line.ask(request)

    asyncio.run(on_lines(address, sender, ways=ways))
    return [told[number] for number in range(len(told))]


async def on_lines(address: str, sender: Callable[[Line], Awaitable[None]], *, ways: int) -> None:
    """Run a sender on each of so many connections at once, until all have ended."""
    found = urlsplit(address)
    lines = [Line(found.hostname or "", found.port or 80) for _ in range(ways)]
    try:
        async with asyncio.TaskGroup() as group:
            for line in lines:
                group.create_task(_sending(sender, line))
    finally:
        for line in lines:
            await line.close()


async def _sending(sender: Callable[[Line], Awaitable[None]], line: Line) -> None:
    await sender(line)


@contextmanager
def serving(settings: Settings, *, module: str = "sanhe.cli.app") -> Iterator[str]:
    """`sanhe serve` in a process of its own: the address at which it answers in the block.

    `module`: another one whose `main` serves likewise. Its log is HOME/serve.log. Raises
    RuntimeError with the log's end when it does not start, or has ended by itself before the block
    does.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"SANHE_HOME": str(settings.home), "SANHE_TIME_ZONE": settings.time_zone}
    if settings.database_url is not None:
        given["SANHE_DATABASE_URL"] = settings.database_url
    if settings.payments is not None:
        given["SANHE_PAYMENTS"] = str(settings.payments)
    command = f"from {module} import main; main()"
    settings.home.mkdir(parents=True, exist_ok=True)
    log = settings.home / "serve.log"
    with log.open("ab") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", command, "serve", "--port", str(port)],
            env=os.environ | given,
            stdout=told,
            stderr=told,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"sanhe serve did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        if process.poll() is not None:
            raise RuntimeError(f"sanhe serve ended by itself: {log.read_text()[-2000:]}")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
