"""What stands before every request, on a port: slow and odd bodies, hosts, cookies, sessions."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from sanhe.web.console import frame
from sanhe.web.guards import Guards
from sanhe.web.running import Event
from tests.web.conftest import PASSWORD, Site
from tests.web.serving import served


async def _echo(scope: Any, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
    """Read the body, tell its length, and wait for the browser to go."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(length).encode(), "more_body": True})
    assert (await receive())["type"] == "http.disconnect"
    await send({"type": "http.response.body", "body": b""})


def _asked(address: str, *parts: bytes, pause: float) -> bytes:
    """What a server answers to parts sent with pauses, until it or we are tired."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=5) as line:
        for part in parts:
            line.sendall(part)
            time.sleep(pause)
        line.settimeout(2)
        return line.recv(4096)


def test_a_slow_body_is_given_up_and_a_quick_one_is_not(site: Site) -> None:
    head = b"POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with served(Guards(site.app, patience_seconds=0.3)) as address:
        began = time.monotonic()
        told = _asked(address, head + b"content-length: 20\r\n\r\n{", pause=0.5)
        assert told.startswith(b"HTTP/1.1 408 ") and time.monotonic() - began < 5
        quick = _asked(address, head + b"content-length: 2\r\n\r\n{}", pause=0)
        assert quick.startswith(b"HTTP/1.1 422 ")


def test_after_the_body_an_answer_may_take_its_time() -> None:
    with (
        served(Guards(_echo, patience_seconds=0.2)) as address,
        httpx.stream("POST", address, content=b"abc", timeout=5) as answer,
    ):
        parts = answer.iter_bytes()
        assert next(parts) == b"3"
        time.sleep(0.5)  # longer than a body may take: the line is still there
        assert not answer.is_closed


@pytest.mark.parametrize("length", ["-1", "1e3", "9" * 30, "9" * 5000, ""])
def test_an_odd_length_is_refused(site: Site, length: str) -> None:
    answer = site.anybody().post("/api/session", content=b"{}", headers={"content-length": length})
    assert answer.status_code == 413


def test_the_host_header_leads_nowhere(site: Site) -> None:
    client = site.anybody()
    for path in ("/api/session/", "/workbench/", "/api", "//evil.example/%2e%2e"):
        answer = client.get(path, headers={"host": "evil.example"}, follow_redirects=False)
        assert answer.status_code in (200, 404) and "location" not in answer.headers
        assert "evil.example" not in answer.text.replace("//evil.example/%2e%2e", "")


def test_over_https_the_cookie_is_secure_and_browsers_stay_with_it(site: Site) -> None:
    entered = {"name": "planner", "password": PASSWORD}
    for address, secure in (("https://testserver", True), ("http://testserver", False)):
        client = TestClient(site.app, base_url=address)
        answer = client.post("/api/session", json=entered)
        flags = answer.headers["set-cookie"].lower()
        assert ("secure" in flags) is secure
        assert "httponly" in flags and "samesite=strict" in flags and "domain" not in flags
        assert ("strict-transport-security" in answer.headers) is secure


def test_a_session_that_was_laid_under_is_not_taken_over(site: Site) -> None:
    """Session fixation: the token of before is not that of after, and is over."""
    entered = {"name": "planner", "password": PASSWORD}
    for laid in ("x" * 43, site.signed_in("buyer").cookies["sanhe_session"]):
        victim = site.anybody()
        victim.cookies.set("sanhe_session", laid, domain="testserver.local")
        victim.post("/api/session", json=entered)
        tokens = [one.value for one in victim.cookies.jar if one.name == "sanhe_session"]
        assert laid not in tokens[-1:] and len(tokens[-1] or "") == 43
        attacker = site.anybody()
        attacker.cookies["sanhe_session"] = laid
        assert attacker.get("/api/session").json()["state"] == "signed_out"


def test_news_end_with_the_session(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for ask_every in (0.0, 3600.0):
        monkeypatch.setattr(frame, "ASK_EVERY_SECONDS", ask_every)
        with served(site.app) as address, httpx.Client(base_url=address) as browser:
            browser.post("/api/session", json={"name": "planner", "password": PASSWORD})
            with browser.stream("GET", "/api/events", timeout=10) as stream:
                lines = stream.iter_lines()
                assert next(lines) == "retry: 3000"
                other = httpx.Client(base_url=address, cookies=browser.cookies)
                assert other.delete("/api/session").json()["state"] == "signed_out"
                site.app.state.served.running.tell(Event("plan", {"as_of": "x"}))
                heard = next((line for line in lines if line.startswith("data:")), None)
        assert (heard is None) is (ask_every == 0.0)  # the control hears what it should not
