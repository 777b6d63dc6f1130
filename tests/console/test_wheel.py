"""The console as it is installed: a wheel in an environment of its own, served by its command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sanhe.core.storage import EmbeddedServer
from tests.console.conftest import FIRST, ROOT, Desk, looking, require_browser
from tests.web.conftest import prepared

PATIENCE_S = 60
AT_A_MOMENT = """
import sys
from datetime import datetime
from sanhe.core.clock import FixedClock
from sanhe.core.settings import Settings
from sanhe.web import serve
from sanhe.wiring import Sanhe
clock = FixedClock(datetime.fromisoformat(sys.argv[1]))
with Sanhe.open(Settings.from_environment(), clock=clock) as sanhe:
    serve(sanhe, port=int(sys.argv[2]))
"""
"""`sanhe serve` on another morning: proposals of the past can't be decided on any more."""


def installed_wheel(folder: Path) -> Path:
    """Build the wheel, install it into a fresh environment; that environment's `sanhe`.

    What sanhe needs is taken from the environment that runs the tests, sanhe itself is not.
    """
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("sanhe-*.whl")
    place = folder / "environment"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "needs.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    install = [*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    return place / "bin" / "sanhe"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The address at which a command answers, which takes its port as the last argument."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    started = subprocess.Popen(
        [*command, str(port)],
        env=environment,
        cwd=Path(command[0]).parent,
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/session", timeout=5).close()
                break
            except OSError:
                if started.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield address
    finally:
        started.terminate()
        started.wait()


@dataclass(frozen=True)
class Installed:
    """An installed `sanhe`, the environment variables to run it with, the people's morning."""

    program: Path
    environment: dict[str, str]
    morning: str


@pytest.fixture(scope="module")
def installed(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installed]:
    """The wheel, installed, at a small planned retailer."""
    require_browser()
    program = installed_wheel(tmp_path_factory.mktemp("wheel"))
    for site in prepared(server, tmp_path_factory.mktemp("installed")):
        settings = site.sanhe.settings
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["SANHE_HOME"] = str(settings.home)
        environment["SANHE_DATABASE_URL"] = settings.database_url or ""
        yield Installed(program, environment, site.sanhe.clock.now().isoformat())


def test_the_installed_command_serves_every_role(installed: Installed) -> None:
    command = [str(installed.program), "serve", "--port"]
    with serving(command, installed.environment) as address, looking(address) as desk:
        for role, first in FIRST.items():
            page = desk.signed_in(role)
            page.wait_for_url(f"**{first}")
            assert not page.locator("[role=main] .failure, .empty h1").count(), role
            page.context.close()
        assert not desk.complaints
        assert not desk.outside


def test_an_exception_becomes_an_order_in_the_installed_console(installed: Installed) -> None:
    python = str(installed.program.with_name("python"))
    command = [python, "-c", AT_A_MOMENT, installed.morning]
    with serving(command, installed.environment) as address, looking(address) as desk:
        ordered_by_an_edit(desk)


def ordered_by_an_edit(desk: Desk) -> None:
    """Open an exception, read its arithmetic, edit it with a reason, and see the order."""
    page = desk.signed_in("planner")
    page.goto(f"{desk.address}/exceptions")
    page.wait_for_selector("[data-row='0'] button")
    rows = page.evaluate("fetch('/api/exceptions?limit=200').then(told => told.json())")["rows"]
    row = next(at for at, one in enumerate(rows) if one["number"] is not None)
    page.locator(".paged-box").evaluate(f"box => box.scrollTop = {38 * row}")
    page.click(f"[data-row='{row}'] button")
    page.wait_for_selector(".terms tfoot td.numeric")
    quantity = int(page.inner_text(".terms tfoot td.numeric"))
    page.click(".ant-drawer-footer button:has-text('Edit')")
    page.fill(".ant-modal input[role=spinbutton]", str(quantity + 2))
    page.fill(".ant-modal textarea", "a feast is near")
    page.click(".ant-modal button[type=submit]")
    page.wait_for_selector(".ant-modal", state="hidden")
    page.goto(f"{desk.address}/orders")
    page.wait_for_selector("[data-row='0'] button")
    assert not desk.complaints
