"""The client of the benchmarks over HTTP, against the application in a process of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from bench.http_load import Request, fire, serving
from sanhe.core.settings import Settings
from sanhe.wiring import Sanhe


def test_it_asks_what_is_served_in_a_process_of_its_own(database_settings: Settings) -> None:
    with Sanhe.open(database_settings) as sanhe, sanhe.work(actor="admin") as work:
        key = work.access.add_key("web", roles=["channel"])
    known = {"Authorization": f"Bearer {key}"}
    basket = {"channel": "web", "currency": "CNY", "lines": [], "delivery": {"method": "carry"}}
    good = Request("/api/shop/quotes", orjson.dumps(basket), known)
    with serving(database_settings) as address:
        answers = fire(address, [good, Request("/api/shop/quotes", b"{}")] * 20, ways=8)
    assert [answer.status for answer in answers] == [422, 401] * 20
    assert answers[0].json["place"] == "lines"
    assert all(answer.seconds > 0 for answer in answers)


@contextmanager
def _cutting() -> Iterator[str]:
    """A server that answers the first request of each connection in part and hangs up."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            line.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def test_an_answer_that_is_cut_is_none() -> None:
    with _cutting() as address:
        assert [one.status for one in fire(address, [Request("/")] * 4, ways=2)] == [0] * 4
