"""The shop that is fought over: three stores, fresh goods for each round, orders to be wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from bench.http_load import Request, serving
from sanhe.connectors.wechatpay import WechatPaySimulator
from sanhe.core.clock import SystemClock
from sanhe.core.facts import Fact
from sanhe.core.ledger import PostgresLedger
from sanhe.core.settings import Settings
from sanhe.core.values import new_id
from sanhe.place.orders import (
    AtPlace,
    Basket,
    BasketLine,
    Delivery,
    Order,
    PaymentNotice,
    Placed,
    Placing,
    State,
)
from sanhe.wiring import Sanhe, tell_sales
from sanhe.wiring.fulfilling import take_up_orders

CENTS: Final = 1_000
"""What a unit of anything costs."""
STORES: Final[Mapping[str, float]] = {"S1": 31.20, "S2": 31.21, "S3": 31.30}
"""The latitude of each; S2 lies 1.1 km from S1."""
PICKERS: Final = 4
_AT_ONCE: Final = 200
_ORDERS: Final = sa.text("SELECT DISTINCT order_id FROM sales_order_part WHERE sku = ANY(:skus)")
_MONEY: Final = """
    SELECT name, sum(cents)::bigint FROM (
        SELECT 'money.provider/' || provider AS name, amount_cents AS cents FROM sales_payment
        UNION ALL
        SELECT 'money.provider/' || provider, -amount_cents FROM sales_refund
        WHERE done_at IS NOT NULL
        UNION ALL
        SELECT 'money.sales', returned_cents - handed_cents FROM sales_order_line
    ) AS moved GROUP BY name HAVING sum(cents) <> 0
"""
Pair = tuple[str, str]
"""An SKU and a place."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Fresh SKUs with what was counted of them, in units by (SKU, place)."""

    skus: tuple[str, ...]
    counted: Mapping[Pair, int]


@dataclass
class World:
    """The installation, where it is served, and the keys of who acts by role; `pickers` are staff
    of the stores."""

    sanhe: Sanhe
    pay: WechatPaySimulator
    address: str
    channel: str
    pickers: tuple[str, ...]
    made: int = 0

    def post(self, path: str, body: Any, *, key: str = "", by: str = "") -> Request:
        """A request by the channel, or by whoever has the key `by`."""
        headers = {"Authorization": f"Bearer {by or self.channel}"}
        if key:
            headers["Idempotency-Key"] = key
        return Request(f"/api{path}", orjson.dumps(body), headers)

    def goods(self, units: Sequence[int], *, elsewhere: int = 0, bundles: bool = False) -> Goods:
        """A fresh SKU for each number, of which so many lie at S1 and `elsewhere` at S2; with
        `bundles` there is X-SET of two X, too."""
        self.made += 1
        skus = tuple(f"{self.made}-{number}" for number in range(len(units)))
        counted = {(sku, "S1"): count for sku, count in zip(skus, units, strict=True)}
        counted |= {(sku, "S2"): elsewhere for sku in skus if elsewhere}
        sets = {f"{sku}-SET": {"components": f"{sku}:2"} for sku in skus} if bundles else {}
        facts = []
        for sku, payload in ({sku: {} for sku in skus} | sets).items():
            facts.append(_fact("item.described", sku=sku, payload={"name": sku, **payload}))
            priced = {"amount_cents": CENTS, "currency": "CNY"}
            taxed = {"tax_included": True, "tax_rate": 0.13}
            facts.append(_fact("price.set", sku=sku, payload=taxed, **priced))
        for (sku, place), count in counted.items():
            facts.append(_fact("stock.counted", sku=sku, place=place, quantity=count))
        _record(self.sanhe, facts)
        return Goods(skus, counted)

    def orders(
        self, lines: Sequence[tuple[str, int]], count: int, *, is_paid: bool = False
    ) -> list[UUID]:
        """So many orders of these (SKU, units), to be fetched at S1."""
        wanted = tuple(BasketLine(sku, units) for sku, units in lines)
        basket = Basket("web", "CNY", wanted, Delivery("pickup", "S1"))
        asked = Placing(basket, CENTS * sum(units for _, units in lines))
        made: list[UUID] = []
        for start in range(0, count, _AT_ONCE):
            many = [asked] * min(_AT_ONCE, count - start)
            with self.sanhe.work(actor="shopper") as work:
                for placed in work.orders.place_each(many, AtPlace()):
                    if not isinstance(placed, Placed):
                        raise placed
                    made.append(placed.id)
                    if is_paid:
                        work.orders.settle(self.notice(placed.id, asked.agreed_cents))
        return made

    def notice(self, order: UUID, cents: int) -> PaymentNotice:
        """That an order was paid in cash."""
        return PaymentNotice("cash", new_id().hex, order, cents, "CNY", self.sanhe.clock.now())

    def handed(self, lines: Sequence[tuple[str, int]], count: int) -> list[UUID]:
        """So many orders that were paid and carried away."""
        made = self.orders(lines, count, is_paid=True)
        for start in range(0, count, _AT_ONCE):
            with self.sanhe.work(actor="till") as work:
                for order in made[start : start + _AT_ONCE]:
                    work.orders.hand_over(order)
                    work.fulfil.follow(order, handed=True)
        return made

    def taken_up(self, orders: Collection[UUID]) -> dict[UUID, UUID]:
        """The one shipment of each order, once all are taken up."""
        found: dict[UUID, UUID] = {}
        while len(found) < len(orders):
            take_up_orders(self.sanhe)
            with self.sanhe.work(actor="reader") as work:
                found = {one.order_id: one.id for one in work.fulfil.of(orders)}
        return found

    def pick_tasks(self, shipments: Collection[UUID]) -> dict[UUID, UUID]:
        """The task to pick each shipment."""
        with self.sanhe.work(actor="reader") as work:
            return {
                shipment: task.id
                for shipment in shipments
                for task in work.tasks.of("S1", f"shipment/{shipment}")
                if task.kind == "pick"
            }


@contextmanager
def opened_world(settings: Settings) -> Iterator[World]:
    """A world in a fresh installation of these settings, served in a process of its own."""
    with furnished_world(settings) as world, serving(world.sanhe.settings) as address:
        yield replace(world, address=address)


@contextmanager
def furnished_world(settings: Settings) -> Iterator[World]:
    """A world in a fresh installation of these settings, not served yet."""
    clock = SystemClock()
    folder = settings.home / "pay"
    with WechatPaySimulator("http://127.0.0.1:1", clock) as pay:
        known = Settings(
            home=settings.home, database_url=settings.database_url, payments=pay.save(folder)
        )
        with Sanhe.open(known, clock=clock) as sanhe:
            _record(sanhe, _stores())
            with sanhe.work(actor="admin") as work:
                channel = work.access.add_key("channel", roles=["channel"])
                pickers = tuple(
                    work.access.add_key(f"picker {number}", roles=["store"], places=list(STORES))
                    for number in range(PICKERS)
                )
            yield World(sanhe, pay, "", channel, pickers)


@contextmanager
def fresh_home() -> Iterator[Settings]:
    """Settings of an installation that is gone at the end; its server is as it is shipped."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="sanhe-b-", dir="/tmp") as home:
        yield Settings(home=Path(home))


def _stores() -> list[Fact]:
    facts = []
    for place, latitude in STORES.items():
        where = {"kind": "store", "name": place, "latitude": latitude, "longitude": 121.0}
        served = {"hours": "24/7", "pick_capacity_per_hour": 100_000, "pick_minutes": 1}
        facts.append(_fact("place.described", place=place, payload=where))
        facts.append(_fact("store.described", place=place, payload=served))
    return facts


def _fact(kind: str, **columns: Any) -> Fact:
    at = SystemClock().now() - timedelta(hours=2)
    given = {"payload": {}, "event_at": at, "day": (at - timedelta(days=1)).date(), **columns}
    return Fact(type=kind, source="erp", external_id=f"{kind} {new_id()}", **given)


def _record(sanhe: Sanhe, facts: Sequence[Fact]) -> None:
    with sanhe.work(actor="importer") as work:
        batch = work.facts.open_batch(source="erp", name=f"goods {new_id()}")
        work.facts.append(batch, facts)
        work.follow(batch)


def orders_of(world: World, goods: Goods) -> list[Order]:
    """All orders that hold, or held, something of these goods."""
    with world.sanhe.database.transaction(actor="auditor") as tx:
        found = tx.connection.execute(_ORDERS, {"skus": list(goods.skus)}).scalars().all()
    with world.sanhe.work(actor="auditor") as work:
        return work.orders.find(found)


def audited(world: World, goods: Goods, *, at_tills: Mapping[Pair, int] | None = None) -> list[str]:
    """What is not as the orders say: stock of each SKU, money of each order, money of the shop.

    Everything is computed anew from the orders, their returns and what tills sold.
    """
    tell_sales(world.sanhe)
    orders = orders_of(world, goods)
    return [
        *_stock_wrong(world, goods, orders, at_tills=at_tills or {}),
        *(wrong for order in orders for wrong in _money_wrong(order)),
        *_books_wrong(world),
    ]


def _stock_wrong(
    world: World, goods: Goods, orders: Sequence[Order], *, at_tills: Mapping[Pair, int]
) -> list[str]:
    left: Counter[Pair] = Counter(goods.counted)
    left.subtract(at_tills)
    promised: Counter[Pair] = Counter()
    for order in orders:
        for part in order.parts:
            left[part.sku, part.place] -= part.handed * part.each
            if order.state in {State.PLACED, State.PAID}:
                promised[part.sku, part.place] += part.open * part.each
    with world.sanhe.work(actor="auditor") as work:
        skus = {order.id: {p.line: (p.sku, p.each) for p in order.parts} for order in orders}
        for order in orders:
            for back in work.returns.of(order.id):
                for line in back.lines:
                    sku, each = skus[order.id][line.line]
                    left[sku, back.place or ""] += line.verdict.sellable * each
        rows = work.stock.positions({(sku, place) for sku in goods.skus for place in STORES})
    wrong = []
    for row in rows.to_pylist():
        pair = (row["sku"], row["place"])
        told = (row["net"], row["reserved"], row["discrepancy"])
        expected = (left[pair], promised[pair], min(left[pair] - promised[pair], 0))
        if told != expected:
            wrong.append(f"{pair}: net, reserved, discrepancy are {told}, not {expected}")
        if left[pair] - promised[pair] < 0 and not at_tills:
            wrong.append(f"{pair} is oversold: {promised[pair]} promised of {left[pair]}")
    return wrong


def _money_wrong(order: Order) -> list[str]:
    lines = [line.state for line in order.lines]
    net = sum(line.handed_cents - line.returned_cents for line in lines)
    waits = sum(line.worth_cents(line.open) for line in lines) if order.state is State.PAID else 0
    if order.paid_cents != order.refund_cents + net + waits:
        return [
            f"order {order.number} ({order.state}): {order.paid_cents} paid, {order.refund_cents} "
            f"back, {net} earned, {waits} waits"
        ]
    return []


def _books_wrong(world: World) -> list[str]:
    """What providers hold and what was earned, against all payments, refunds and hand-overs."""
    with world.sanhe.database.transaction(actor="auditor") as tx:
        rows = tx.connection.exec_driver_sql(_MONEY)
        expected: Counter[str] = Counter(dict(rows.all()))
        told: Counter[str] = Counter()
        for row in PostgresLedger(tx).accounts("money.").to_pylist():
            told[row["code"].rpartition("/")[0]] += row["posted"]
    told.pop("money.owed", None)
    return [
        f"{name}: {told[name]} cents on the ledger, {expected[name]} expected"
        for name in told.keys() | expected.keys()
        if told[name] != expected[name]
    ]


def ledger_wrong(world: World) -> list[str]:
    """What the ledger's and the stock's own proofs find, and units whose accounts don't sum to 0.

    Raises Tampered for a record that does not match.
    """
    with world.sanhe.work(actor="auditor") as work:
        work.ledger.verify()
        work.stock.verify()
        sums: Counter[str] = Counter()
        for row in work.ledger.accounts().to_pylist():
            sums[row["unit"]] += row["posted"]
    return [f"accounts in {unit} sum to {total}" for unit, total in sums.items() if total]
