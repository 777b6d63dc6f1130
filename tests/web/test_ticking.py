"""What a server does by itself goes on whatever fails, and ends with the server."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any, cast

import pytest

from sanhe.core.errors import Temporary
from sanhe.core.storage import EmbeddedServer
from sanhe.web.ticking import FLOWS, Ticking
from sanhe.wiring import Sanhe, settle_payments
from tests.wiring.shopping import shopping

NOTHING = cast(Sanhe, None)


def test_flows_run_in_order_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []
    enough = threading.Event()

    def failing(sanhe: Sanhe) -> None:
        ran.append("failing")
        raise (Temporary("away", delay_seconds=1) if len(ran) < 4 else ZeroDivisionError())

    def second(sanhe: Sanhe) -> None:
        ran.append("second")
        if len(ran) >= 8:
            enough.set()

    with caplog.at_level(logging.ERROR), Ticking(NOTHING, [(0.0, failing), (0.0, second)]):
        assert enough.wait(10)
    assert ran[:8] == ["failing", "second"] * 4
    assert "ZeroDivisionError" in caplog.text and "away" in caplog.text


def test_a_flow_is_not_due_before_its_time_and_ends_with_the_block() -> None:
    ran: list[Any] = []
    with Ticking(NOTHING, [(3600.0, ran.append)]):
        time.sleep(0.3)
    assert ran == [NOTHING]
    time.sleep(0.1)
    assert ran == [NOTHING]


def test_a_server_settles_payments(server: EmbeddedServer, tmp_path: Path) -> None:
    assert settle_payments in [flow for _, flow in FLOWS]
    with shopping(server, tmp_path) as shop:
        order = shop.paid()
        shop.pay.schedule.waiting.clear()
        shop.wait(minutes=14)
        with Ticking(shop.sanhe, [(0.05, settle_payments)]):
            until = time.monotonic() + 20
            while shop.state(order) != "paid" and time.monotonic() < until:
                time.sleep(0.05)
        assert shop.state(order) == "paid"
