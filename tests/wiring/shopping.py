"""A shop with a simulated WeChat Pay: served over HTTP, told over HTTP, on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sanhe.connectors.wechatpay import Faults, WechatPaySimulator
from sanhe.core.clock import FixedClock
from sanhe.core.facts import Fact
from sanhe.core.storage import EmbeddedServer
from sanhe.core.values import new_id
from sanhe.place.orders import AtPlace, Basket, BasketLine, Delivery, Order, Placing
from sanhe.web import make_app
from sanhe.wiring import (
    By,
    Payer,
    PaymentsRun,
    Sanhe,
    expire_orders,
    prepare_payment,
    settle_payments,
)
from tests.web.serving import served
from tests.wiring.installation import installed

OPENING = datetime(2025, 9, 25, 1, tzinfo=UTC)
STAFF = "wang"
STOCK = 100
CENTS = 333


@dataclass
class Shopping:
    """Who shops: places orders, pays them in WeChat, lets time pass."""

    sanhe: Sanhe
    pay: WechatPaySimulator
    clock: FixedClock
    address: str

    def order(self, units: int = 3) -> UUID:
        """Order units of A at S1."""
        basket = Basket("web", "CNY", (BasketLine("A", units),), Delivery("pickup", "S1"))
        with self.sanhe.work(actor="shopper") as work:
            return work.orders.place(Placing(basket, units * CENTS), AtPlace()).id

    def prepare(self, order: UUID) -> None:
        """Show the shopper a code to be scanned."""
        payer = Payer("native")
        told = prepare_payment(self.sanhe, order, "wechatpay", payer=payer, by=By(STAFF))
        assert told["code_url"]

    def paid(self, units: int = 3) -> UUID:
        """An order paid in WeChat, which is not told yet."""
        order = self.order(units)
        self.prepare(order)
        self.pay.pay(order)
        return order

    def told(self, order: UUID) -> Order:
        with self.sanhe.work(actor="reader") as work:
            return work.orders.get(order)

    def state(self, order: UUID) -> str:
        return self.told(order).state.value

    def outcomes(self, order: UUID) -> list[str]:
        """What became of each payment."""
        with self.sanhe.work(actor="reader") as work:
            return [one.outcome.value for one in work.orders.payments(order)]

    def events(self, order: UUID) -> list[str]:
        with self.sanhe.work(actor="reader") as work:
            return [event.kind for event in work.orders.timeline(order)]

    def open_refunds(self, order: UUID) -> list[int]:
        """The refunds that are not done, in cents."""
        with self.sanhe.work(actor="reader") as work:
            refunds = work.orders.refunds(order)
        return [one.amount_cents for one in refunds if one.done_at is None]

    def cancel(self, order: UUID, units: int | None = None) -> None:
        """Cancel an order, or so many units of it."""
        with self.sanhe.work(actor="shopper") as work:
            pieces = work.orders.get(order).open_pieces
            some = None if units is None else [replace(pieces[0], units=units)]
            work.orders.cancel(order, "changed my mind", pieces=some)

    def free(self) -> int:
        """Units of A that can be sold."""
        with self.sanhe.work(actor="reader") as work:
            (row,) = work.stock.available({("A", "S1")}).to_pylist()
        return int(row["available"])

    def money(self) -> dict[str, int]:
        """What providers hold for us and what we owe, in cents."""
        with self.sanhe.work(actor="reader") as work:
            rows = work.ledger.accounts("money.").to_pylist()
        return {row["code"].removeprefix("money."): row["posted"] for row in rows if row["posted"]}

    def wait(self, **time: float) -> None:
        self.clock.moment += timedelta(**time)

    def run(self) -> PaymentsRun:
        """One run of what is open; orders whose time is over are let go."""
        run = settle_payments(self.sanhe)
        expire_orders(self.sanhe)
        return run


@contextmanager
def shopping(
    server: EmbeddedServer,
    home: Path,
    *,
    seed: int = 1,
    faults: Faults | None = None,
    refund_time: timedelta = timedelta(0),
) -> Iterator[Shopping]:
    """A shop of its own with 100 of A at S1 for 3.33 each."""
    clock = FixedClock(OPENING)
    behind: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await behind[0](scope, receive, send)

    with (
        installed(server, home) as settings,
        served(app) as address,
        WechatPaySimulator(
            address, clock, seed=seed, faults=faults, refund_time=refund_time
        ) as pay,
    ):
        known = replace(settings, payments=pay.save(home / "pay"))
        with Sanhe.open(known, clock=clock) as sanhe:
            _stocked(sanhe)
            behind.append(make_app(sanhe))
            yield Shopping(sanhe, pay, clock, address)


def _stocked(sanhe: Sanhe) -> None:
    described = {"tax_included": True, "tax_rate": 0.13}
    facts = [
        _fact("item.described", sku="A", payload={"name": "Apron"}),
        _fact("price.set", sku="A", amount_cents=CENTS, currency="CNY", payload=described),
        _fact("stock.counted", sku="A", place="S1", quantity=STOCK),
    ]
    with sanhe.work(actor="importer") as work:
        batch = work.facts.open_batch(source="erp", name="stock")
        work.facts.append(batch, facts)
        work.follow(batch)


def _fact(kind: str, **columns: Any) -> Fact:
    at = OPENING - timedelta(hours=1)
    return Fact(
        type=kind,
        source="erp",
        external_id=f"{kind} {new_id()}",
        event_at=at,
        day=at.date(),
        **{"payload": {}, **columns},
    )
