"""Three stores of a town on one clock: orders are placed, paid, picked, fetched, brought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sanhe.connectors.courier import Behaviour, SimulatedCouriers
from sanhe.core.clock import FixedClock
from sanhe.core.facts import Fact
from sanhe.core.settings import Settings
from sanhe.core.values import Json, new_id
from sanhe.place.fulfil import Booking, Shipment
from sanhe.place.orders import (
    Basket,
    BasketLine,
    Delivery,
    Instead,
    Order,
    PaymentNotice,
    Placed,
    Placing,
    Recipient,
)
from sanhe.place.tasks import StoreTask
from sanhe.wiring import By, FulfilRun, Sanhe, finished, fulfil_orders, hand_over_by_code

OPENING = datetime(2025, 9, 25, 1, tzinfo=UTC)
"""Nine in the morning in Shanghai."""
CENTS = {"A": 1_000, "B": 333}
NORTH = {"S1": 31.20, "S2": 31.21, "S3": 31.30}
"""The stores' latitudes: S2 lies 1.1 km from S1, S3 11 km."""
HOME = (31.205, 121.0)
STOCK: Mapping[str, int] = {"S1": 10, "S2": 3, "S3": 5}


ZHANG = Recipient(
    "张小明", "138 0013 1234", ("海椒路 17 号 4 单元 402",), "上海市浦东新区", "200120", "放门口"
)
"""Who things are brought home to."""


@dataclass
class Town:
    """Who shops, and who works in the stores."""

    sanhe: Sanhe
    clock: FixedClock

    def place(
        self,
        *lines: tuple[str, int],
        at: str | None = "S1",
        channel: str = "web",
        substitutes: bool = False,
        member: str | None = None,
        recipient: Recipient | None = None,
    ) -> Placed:
        """Place an order to be picked up at a store, or with None to be brought home, to `ZHANG`
        where nobody else is named."""
        delivery = Delivery("pickup", at) if at else Delivery("courier", None, *HOME)
        wanted = tuple(BasketLine(*line) for line in lines)
        basket = Basket(channel, "CNY", wanted, delivery, member, substitutes=substitutes)
        to = recipient if at else recipient or ZHANG
        with self.sanhe.work(actor="shopper") as work:
            total = work.orders.quote(basket, work.sourcing).total_cents
            return work.orders.place(Placing(basket, total, to), work.sourcing)

    def pay(self, order: UUID) -> UUID:
        with self.sanhe.work(actor="till") as work:
            total = work.orders.get(order).total_cents
            name = new_id().hex
            work.orders.settle(PaymentNotice("cash", name, order, total, "CNY", self.clock.now()))
        return order

    def paid(self, *lines: tuple[str, int], **how: Any) -> UUID:
        return self.pay(self.place(*lines, **how).id)

    def run(self) -> FulfilRun:
        return fulfil_orders(self.sanhe)

    def wait(self, **time: float) -> None:
        self.clock.moment += timedelta(**time)

    def order(self, order: UUID) -> Order:
        with self.sanhe.work(actor="reader") as work:
            return work.orders.get(order)

    def events(self, order: UUID) -> list[str]:
        with self.sanhe.work(actor="reader") as work:
            return [event.kind for event in work.orders.timeline(order)]

    def shipments(self, order: UUID) -> list[Shipment]:
        with self.sanhe.work(actor="reader") as work:
            return work.fulfil.of([order])

    def states(self, order: UUID) -> list[tuple[str, str]]:
        return [(one.place, one.state.value) for one in self.shipments(order)]

    def bookings(self, shipment: UUID) -> list[Booking]:
        with self.sanhe.work(actor="reader") as work:
            return work.bookings.of([shipment])

    def tasks(self, place: str, *kinds: str) -> list[StoreTask]:
        with self.sanhe.work(actor="reader") as work:
            return work.tasks.page(place=place, kinds=kinds or None)[0]

    def pick(
        self,
        place: str,
        done: Mapping[str, int] | None = None,
        *,
        instead: Mapping[str, Instead] | None = None,
    ) -> None:
        """Take and finish the next pick task of a store."""
        task = self.tasks(place, "pick")[0]
        with self.sanhe.work(actor="picker") as work:
            work.tasks.take(task.id)
            finished(work, task.id, done=done, instead=instead)

    def code(self, shipment: UUID) -> str:
        with self.sanhe.work(actor="shopper") as work:
            return work.fulfil.new_code(shipment)

    def fetch(self, shipment: UUID, code: str) -> Json:
        """Show a code at the store."""
        key = new_id().hex
        return hand_over_by_code(self.sanhe, shipment, code, key=key, by=By("picker"))

    def free(self, sku: str, place: str) -> int:
        with self.sanhe.work(actor="reader") as work:
            (row,) = work.stock.available({(sku, place)}).to_pylist()
        return int(row["available"])

    def committed(self, sku: str, place: str) -> int:
        with self.sanhe.work(actor="reader") as work:
            (row,) = work.stock.positions({(sku, place)}).to_pylist()
        return int(row["committed"])

    def open_refunds(self, order: UUID) -> list[int]:
        with self.sanhe.work(actor="reader") as work:
            return [one.amount_cents for one in work.orders.refunds(order)]

    def money_is_exact(self, order: UUID) -> None:
        """What was paid is earned, given back, or for what is still open."""
        found = self.order(order)
        lines = [line.state for line in found.lines]
        net = sum(line.handed_cents - line.returned_cents for line in lines)
        waits = sum(line.worth_cents(line.open) for line in lines)
        fee = found.delivery_cents if any(line.handed or line.open for line in lines) else 0
        assert found.paid_cents == found.refund_cents + net + waits + fee
        with self.sanhe.work(actor="auditor") as work:
            work.stock.verify()
            work.ledger.verify()


@contextmanager
def town(
    settings: Settings,
    *,
    couriers: Mapping[str, Behaviour] | None = None,
    stock: Mapping[str, int] = STOCK,
) -> Iterator[Town]:
    """A town with so many of A and B at each store, and two couriers, the swift one cheaper."""
    clock = FixedClock(OPENING)
    simulated = SimulatedCouriers(clock, couriers or {})
    with Sanhe.open(settings, clock=clock, couriers=simulated) as sanhe:
        with sanhe.work(actor="importer") as work:
            batch = work.facts.open_batch(source="erp", name="town")
            work.facts.append(batch, _facts(stock))
            work.follow(batch)
        yield Town(sanhe, clock)


def _facts(stock: Mapping[str, int]) -> list[Fact]:
    facts = []
    taxed = {"tax_included": True, "tax_rate": 0.13}
    for sku, cents in CENTS.items():
        said = {"name": sku, "category": "tea"}
        facts.append(fact("item.described", sku=sku, payload=said))
        facts.append(fact("price.set", sku=sku, amount_cents=cents, currency="CNY", payload=taxed))
    for place, units in stock.items():
        where = {"kind": "store", "name": place, "latitude": NORTH[place], "longitude": 121.0}
        served = {"hours": "24/7", "pick_capacity_per_hour": 20, "pick_minutes": 10}
        facts.append(fact("place.described", place=place, payload=where))
        facts.append(fact("store.described", place=place, payload=served))
        for courier, fee in (("swift", 500), ("slow", 800)):
            offer = {"courier": courier, "base_fee_cents": fee, "speed_km_per_hour": 20.0}
            facts.append(fact("courier.offered", place=place, payload=offer))
        for sku in CENTS:
            facts.append(fact("stock.counted", sku=sku, place=place, quantity=units))
    return facts


def fact(kind: str, **columns: Any) -> Fact:
    at = OPENING - timedelta(hours=2)
    given = {"payload": {}, "event_at": at, "day": at.date(), **columns}
    return Fact(type=kind, source="erp", external_id=f"{kind} {new_id()}", **given)
