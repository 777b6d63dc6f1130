"""A browser at the console of a small planned retailer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sanhe.core.storage import EmbeddedServer
from sanhe.web import make_app
from sanhe.web.pages import SHIPPED
from tests.place.fulfil.store import Town, town
from tests.web.conftest import PASSWORD, prepared
from tests.web.serving import served
from tests.wiring.installation import installed

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = ROOT / "frontend" / "console" / "node_modules" / "axe-core" / "axe.min.js"


def missing(what: str) -> None:
    """Skip, or fail where every part has to be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


FIRST = {
    "planner": "/cockpit",
    "buyer": "/cockpit",
    "pricing": "/cockpit",
    "growth": "/cockpit",
    "store": "/store",
    "service": "/sales",
    "supplier": "/orders",
    "admin": "/cockpit",
}
"""Where each role begins."""


@dataclass
class Desk:
    """A browser at the console; what it complained about and asked elsewhere is kept until its
    windows are closed."""

    browser: Any
    address: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def page(self, *, language: str = "en", dark: bool = False, width: int = 1440) -> Any:
        """A new window with a session of its own, nobody signed in."""
        context = self.browser.new_context(viewport={"width": width, "height": 900})
        context.add_init_script(
            f"localStorage.setItem('sanhe.language', '{language}');"
            "localStorage.setItem('sanhe.language.chosen', '1');"
            f"localStorage.setItem('sanhe.dark', '{int(dark)}')"
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        page.on("request", self._asked)
        return page

    def signed_in(self, name: str, **look: Any) -> Any:
        """A window in which this account is signed in."""
        page = self.page(**look)
        page.goto(self.address)
        page.fill("input[autocomplete=username]", name)
        page.fill("input[type=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=main] h1, .failure, .ant-form-item-explain-error")
        assert page.locator("[role=main] h1").count(), page.inner_text("body")
        return page

    def close(self) -> None:
        """Close all windows, as a test does at its end: each is a process and listens for news."""
        for context in self.browser.contexts:
            context.close()
        self.complaints.clear()
        self.outside.clear()

    def _heard(self, message: Any) -> None:
        # What is refused or not there yet is told by the page; the browser says it as well.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)


def require_browser() -> None:
    """Skip, or fail in CI, where Chromium or the built console is missing."""
    if CHROMIUM is None:
        missing("needs Chromium")
    if not (SHIPPED / "index.html").is_file():
        missing("the console is not built: make console")


@contextmanager
def looking(address: str) -> Iterator[Desk]:
    """A browser for the console at this address."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield Desk(browser, address)
        browser.close()


@pytest.fixture(scope="module")
def desk(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A browser at a served console; skipped where one of the two is missing."""
    require_browser()
    for site in prepared(server, tmp_path_factory.mktemp("console")):
        with served(site.app) as address, looking(address) as looker:
            yield looker


@pytest.fixture(autouse=True)
def windows_closed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Close what a test opened, so that the next one has the machine for itself."""
    yield
    for name in ("desk", "shop"):
        if name in request.fixturenames:
            found = request.getfixturevalue(name)
            (found if isinstance(found, Desk) else found.desk).close()


@dataclass
class Shop:
    """A town of three stores, and a browser at its console."""

    town: Town
    desk: Desk


@pytest.fixture(scope="module")
def shop(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A served town with an account for each role that works with orders: `store` at S1, `other`
    at S2."""
    require_browser()
    with installed(server, tmp_path_factory.mktemp("shop")) as settings, town(settings) as made:
        with made.sanhe.work(actor="admin") as work:
            for role in ("admin", "service", "planner", "buyer"):
                work.access.add(role, PASSWORD, roles=[role], language="en")
            for name, place in (("store", "S1"), ("other", "S2")):
                work.access.add(name, PASSWORD, roles=["store"], places=[place], language="en")
        with served(make_app(made.sanhe)) as address, looking(address) as desk:
            yield Shop(made, desk)
