"""The simulator sends as documented: retried until taken, late, lost, twice, always by its seed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest

from sanhe.connectors.wechatpay import Faults, WechatPay, WechatPaySimulator
from sanhe.connectors.wechatpay.simulator import BACK_OFF_SECONDS
from sanhe.core.clock import FixedClock
from sanhe.place.orders import PaymentNotice, RefundNotice
from tests.connectors.wechatpay.conftest import Counterpart, Keys


@dataclass
class Receiver:
    """Somebody who is told: answers with `status`, keeps what came."""

    address: str = ""
    status: int = 204
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    together: Barrier | None = None
    met: int = 0


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Requests(BaseHTTPRequestHandler):
        def _taken(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.came.append((dict(self.headers.items()), body))
            if receiver.together is not None:
                try:
                    receiver.together.wait(2)
                    receiver.met += 1
                except BrokenBarrierError:
                    receiver.together = None
            self.send_response(receiver.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = _taken  # noqa: N815

        def log_message(self, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def telling(clock: FixedClock, keys: Keys, **given: Any) -> Iterator[tuple[Counterpart, Receiver]]:
    with (
        receiving() as receiver,
        WechatPaySimulator(receiver.address, clock, keys=keys, **given) as simulator,
    ):
        yield Counterpart(simulator, WechatPay(simulator.config, clock), clock), receiver


def read(pay: Counterpart, came: tuple[dict[str, str], bytes]) -> PaymentNotice | RefundNotice:
    found = pay.provider.read_notice(*came)
    assert found is not None
    return found


def test_a_payment_and_a_refund_are_told(clock: FixedClock, keys: Keys) -> None:
    with telling(clock, keys, refund_time=timedelta(hours=1)) as (pay, receiver):
        paid = pay.paid()
        assert pay.simulator.deliver() == [204]
        payment = read(pay, receiver.came[0])
        assert isinstance(payment, PaymentNotice)
        assert (payment.order, payment.reference) == paid
        refund = pay.refund(paid, 34)
        assert not pay.provider.refund(refund)
        assert pay.simulator.deliver() == []
        clock.moment += timedelta(hours=1)
        assert pay.simulator.deliver() == [204] and pay.simulator.deliver() == []
        assert read(pay, receiver.came[1]) == RefundNotice("wechatpay", refund.id)


def test_what_is_not_taken_is_sent_again_for_a_day(clock: FixedClock, keys: Keys) -> None:
    with telling(clock, keys) as (pay, receiver):
        receiver.status = 500
        pay.paid()
        begun, times = clock.now(), []
        for _ in range(100_000 // 15):
            if pay.simulator.deliver():
                times.append((clock.now() - begun).total_seconds())
            clock.moment += timedelta(seconds=15)
    gaps = tuple(int(b - a) for a, b in pairwise(times))
    assert gaps == BACK_OFF_SECONDS and sum(gaps) == 24 * 3600 + 4 * 60
    assert len({json.loads(body)["id"] for _, body in receiver.came}) == 1
    assert len({headers["Wechatpay-Nonce"] for headers, _ in receiver.came}) == 16


def test_a_notice_that_is_taken_at_last_is_not_sent_again(clock: FixedClock, keys: Keys) -> None:
    with telling(clock, keys) as (pay, receiver):
        receiver.status = 404
        pay.paid()
        pay.simulator.deliver()
        receiver.status = 200
        clock.moment += timedelta(days=2)
        assert pay.simulator.deliver() == [200] and pay.simulator.deliver() == []


def order_told(clock: FixedClock, keys: Keys, seed: int) -> list[int]:
    """In which order twelve payments are told, and which ones never."""
    with telling(
        clock, keys, seed=seed, faults=Faults(lost=0.2, late_seconds=60, repeated=0.3)
    ) as (pay, receiver):
        orders = [pay.paid()[0] for _ in range(12)]
        for _ in range(120):
            pay.simulator.deliver()
            clock.moment += timedelta(seconds=1)
        found = []
        for headers, body in receiver.came:
            clock.moment = clock.moment.fromtimestamp(
                int(headers["Wechatpay-Timestamp"]), clock.moment.tzinfo
            )
            one = read(pay, (headers, body))
            assert isinstance(one, PaymentNotice)
            found.append(orders.index(one.order))
        return found


def test_faults_are_drawn_by_the_seed_alone(clock: FixedClock, keys: Keys) -> None:
    first = order_told(clock, keys, 7)
    assert first == order_told(clock, keys, 7) != order_told(clock, keys, 8)
    assert first != sorted(first), "some overtake each other"
    assert len(set(first)) < 12, "some are lost"
    assert len(first) > len(set(first)), "some come again"


@pytest.mark.parametrize("twins", [0.0, 1.0])
def test_twins_arrive_at_once(clock: FixedClock, keys: Keys, twins: float) -> None:
    with telling(clock, keys, faults=Faults(twins=twins)) as (pay, receiver):
        receiver.together = Barrier(2)
        pay.paid()
        pay.simulator.deliver()
    assert receiver.met == 2 * twins
