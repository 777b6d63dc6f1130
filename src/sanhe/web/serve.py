"""Runs the application on one port, until it is told to end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from sanhe.core.access import read_sign_in
from sanhe.core.errors import BadInput
from sanhe.web.app import make_app
from sanhe.web.ticking import Ticking
from sanhe.wiring import Sanhe

LOOPBACK: Final = "127.0.0.1"


def serve(
    sanhe: Sanhe,
    *,
    host: str = LOOPBACK,
    port: int = 8000,
    passwords: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve API and console until interrupted; `ready` is called when nothing forbids it.

    `passwords`: take names and passwords, whatever the settings say. Raises BadInput for a host
    other than this machine's loopback while there is no account, as whoever came first would be
    the administrator; and what `make_app` raises.
    """
    import uvicorn

    ways = read_sign_in(sanhe.settings.sign_in)
    if passwords:
        ways = replace(ways, local=True)
    if ways.local and not _is_loopback(host):
        with sanhe.work(actor="web") as work:
            if work.access.is_empty():
                raise BadInput(
                    f"nobody has an account yet, so {host} would be open to everybody",
                    place="--host",
                    remedy="make one first: sanhe account add NAME --role admin",
                )
    app = make_app(sanhe, sign_in=ways)
    list(sanhe.payments)  # what can't be used is said before anybody pays
    ready()
    with Ticking(sanhe):
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=5,
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
