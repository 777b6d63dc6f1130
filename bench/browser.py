"""A browser at the served console, for benches that look at pages as people do."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from bench.showroom import PASSWORD
from sanhe.web import make_app
from sanhe.web.pages import SHIPPED
from sanhe.wiring import Sanhe

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


@contextmanager
def served(sanhe: Sanhe) -> Iterator[str]:
    """The address at which the built console and the API of an installation are served."""
    if not (SHIPPED / "index.html").is_file():
        raise SystemExit("the console is not built: make console")
    config = uvicorn.Config(make_app(sanhe), port=0, log_level="warning")
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, daemon=True)
    thread.start()
    while not serving.started:
        time.sleep(0.05)
    port = serving.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    serving.should_exit = True
    thread.join()


@dataclass
class Looker:
    """Windows of one browser; what they ask of other hosts, and complain about, is kept."""

    browser: Any
    address: str
    outside: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @contextmanager
    def window(
        self, *, language: str = "en", dark: bool = False, width: int = 1440, height: int = 900
    ) -> Iterator[Any]:
        """A page of a fresh window in this look, nobody signed in."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        context.add_init_script(
            f"localStorage.setItem('sanhe.language', '{language}');"
            "localStorage.setItem('sanhe.language.chosen', '1');"
            f"localStorage.setItem('sanhe.dark', '{int(dark)}')"
        )
        page = context.new_page()
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        yield page
        context.close()

    def sign_in(self, page: Any, name: str) -> None:
        """Sign in by the form, and wait for the first page."""
        page.goto(self.address)
        page.fill("input[autocomplete=username]", name)
        page.fill("input[type=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=main] h1")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(request.url)


@contextmanager
def looking(address: str) -> Iterator[Looker]:
    """A browser for the pages at this address."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(ARGUMENTS))
        yield Looker(browser, address)
        browser.close()


def settle(page: Any, *, most_seconds: float = 30.0) -> None:
    """Wait until nothing of the page is being waited for."""
    page.wait_for_selector("[role=main] h1")
    waiting = page.locator(
        ".page-wait, .ant-skeleton-active, .chart-wait, .paged-wait, .ant-spin-spinning"
    )
    deadline = time.monotonic() + most_seconds
    while waiting.count() and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    page.wait_for_timeout(400)  # charts are drawn in the next frames
