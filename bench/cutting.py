"""A proxy that disturbs: it stands between client and server and cuts, delays and repeats.

It reads whole requests, draws what to do with each, and keeps every whole answer that the server
gave, also those that the client never saw.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from bench.http_load import Answer, Line, Request

FAULTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "cut_before": 0.07,
        "torn": 0.03,
        "cut_meanwhile": 0.06,
        "cut_after": 0.08,
        "answer_torn": 0.03,
        "late": 0.05,
        "repeated": 0.05,
        "delayed": 0.03,
    }
)
"""The share of requests for each fault. `cut_before`: the server never hears of it. `torn`: it
gets the first half. `cut_meanwhile`: it gets the whole, and both lines are cut while it works.
`cut_after`: it has answered, so it has committed, and the client gets nothing. `answer_torn`: the
client gets half of the answer. `late`: the client's line is cut, and the request reaches the server
up to two seconds later, when the client has asked again. `repeated`: it reaches the server twice at
once. `delayed`: it waits for up to a second."""
COMMAND: Final = "X-Command"
"""The header that names the command, for the record."""
TRANSIENT: Final = frozenset({0, 429, 503})
_HOP: Final = frozenset({"host", "content-length"})


@dataclass
class Cutting:
    """The proxy. `faults`: how often each was drawn; `disturbed`: the commands that met one;
    `answers`: what the server answered to each command, refusals to be asked again left out."""

    upstream: str
    dice: Random
    shares: Mapping[str, float] = field(default_factory=lambda: FAULTS)
    faults: Counter[str] = field(default_factory=Counter)
    disturbed: set[str] = field(default_factory=set)
    answers: dict[str, set[tuple[int, bytes]]] = field(default_factory=dict)
    _behind: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its address; at the end what is late has arrived."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            while self._behind:
                await asyncio.gather(*self._behind)
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = self._line()
        try:
            while await self._passed(line, reader, writer):
                pass
        except (OSError, EOFError):
            self.faults["lines_lost"] += 1
        finally:
            await line.close()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _passed(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Pass one request on; False when the client's line is to be cut."""
        request = await _read(reader)
        if request is None:
            return False
        (fault,) = self.dice.choices(
            [*self.shares, ""], [*self.shares.values(), 1 - sum(self.shares.values())]
        )
        if fault:
            self.faults[fault] += 1
            self.disturbed.add(request.headers[COMMAND.lower()])
        if fault in {"cut_before", "torn", "cut_meanwhile", "late"}:
            await self._cut(request, fault)
            return False
        if fault == "delayed":
            await asyncio.sleep(self.dice.random())
        if fault == "repeated":
            self._later(self._sent(self._line(), request))
        answer = await self._sent(line, request)
        whole = _octets(answer)
        if fault == "cut_after" or answer.status == 0:
            return False
        writer.write(whole[: len(whole) // 2] if fault == "answer_torn" else whole)
        await writer.drain()
        return fault != "answer_torn"

    async def _cut(self, request: Request, fault: str) -> None:
        if fault == "late":
            self._later(self._delivered(request, after=2 * self.dice.random()))
        if fault in {"torn", "cut_meanwhile"}:
            line = self._line()
            whole = request.octets(f"{line.host}:{line.port}")
            _, writer = await asyncio.open_connection(line.host, line.port)
            writer.write(whole[: len(whole) // 2] if fault == "torn" else whole)
            await writer.drain()
            await asyncio.sleep(self.dice.random() / 10)
            writer.close()

    async def _delivered(self, request: Request, *, after: float) -> None:
        await asyncio.sleep(after)
        await self._sent(self._line(), request, alone=True)

    async def _sent(self, line: Line, request: Request, *, alone: bool = False) -> Answer:
        answer = await line.ask(request)
        if answer.status not in TRANSIENT:
            name = request.headers[COMMAND.lower()]
            self.answers.setdefault(name, set()).add((answer.status, answer.body))
        if alone:
            await line.close()
        return answer

    def _later(self, sending: object) -> None:
        async def run() -> None:
            await sending  # type: ignore[misc]

        task = asyncio.create_task(run())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    def _line(self) -> Line:
        found = urlsplit(self.upstream)
        return Line(found.hostname or "", found.port or 80)


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a line; None when the client has ended it."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *rest = head.split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in rest if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers["content-length"]))
    kept = {name: value for name, value in headers.items() if name not in _HOP}
    return Request(path, body, kept, method)


def _octets(answer: Answer) -> bytes:
    head = f"HTTP/1.1 {answer.status} told\r\nContent-Length: {len(answer.body)}\r\n\r\n"
    return head.encode() + answer.body
