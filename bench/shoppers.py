"""A morning's shoppers of the showroom: orders on several channels, and how far each has come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from uuid import UUID

from bench.offers import issue, publish
from sanhe.core.clock import FixedClock
from sanhe.core.errors import Shortage
from sanhe.people.loyalty.standing import months_after
from sanhe.people.promotions import Percent, Promotion
from sanhe.place.fulfil import shipment_of
from sanhe.place.orders import Basket, BasketLine, Delivery, Placing, Recipient
from sanhe.place.returns import Asked
from sanhe.place.tasks import StoreTask
from sanhe.wiring import (
    By,
    Sanhe,
    ask_return,
    cancel_order,
    finish_task,
    fulfil_orders,
    hand_over_by_code,
    place_order,
    quote_basket,
    receive_return,
    show_code,
    take_at_till,
    tell_sales,
)

CHANNELS = ("miniprogram", "app", "web", "livestream")
STORE, SHOP = By("store"), By("mini-program")
ORDERS, UNPAID = 14, 2
MEMBERS = tuple(f"M{1000 + 7 * number}" for number in range(1, ORDERS, 2))


@dataclass
class Shoppers:
    """Who orders at a store, and who works there; each command has a key of its own."""

    sanhe: Sanhe
    clock: FixedClock
    store: str
    keys: Iterator[int]

    @classmethod
    def of(cls, sanhe: Sanhe, clock: FixedClock, store: str) -> Shoppers:
        """Those of one store."""
        return cls(sanhe, clock, store, count(1))

    def shop(self) -> None:
        """Order, pay, pick, fetch and bring back: some of each is left for who looks on."""
        self._members()
        paid = []
        for number in range(ORDERS):
            order = self._order(number)
            if order is not None and number < ORDERS - UNPAID:
                self._pay(order)
                paid.append(order)
        fulfil_orders(self.sanhe)
        cancel_order(
            self.sanhe,
            paid[-1],
            reason="ordered twice",
            pieces=None,
            key=self._key(),
            by=By("service"),
        )
        for order in paid[:3]:
            self._pick(order)
        for order in paid[:2]:
            self._fetch(order)
        while tell_sales(self.sanhe):
            continue
        for order in paid[:2]:
            back = ask_return(
                self.sanhe, Asked(order, {0: 1}, "too small", "store"), key=self._key(), by=SHOP
            )
            assert isinstance(back, dict)
            if order == paid[0]:
                receive_return(
                    self.sanhe,
                    UUID(str(back["id"])),
                    self.store,
                    counts={0: 1},
                    key=self._key(),
                    by=STORE,
                )

    def _members(self) -> None:
        """What members have: tiers, points by the month, stored value, a coupon each."""
        now = self.clock.now()
        begins, ends = now - timedelta(days=20), now + timedelta(days=40)
        offer = Percent(1_000)
        ten = Promotion("TEN", "10 % off", offer, "coupon", begins, ends, coupon=True)
        with self.sanhe.work(actor="growth") as work:
            publish(work.promotions, work.decisions, ten)
            for number, member in enumerate(MEMBERS):
                work.tiers.join(member, at=begins)
                bought = 61_000 * (number + 1)
                work.tiers.qualify(member, bought, cause="an earlier order", at=begins)
                for months in range(1, 7):
                    last = months_after(now.date().replace(day=28), months)
                    points = 40 * months * (number + 2)
                    cause = f"order of {months_after(begins.date(), -months):%B}"
                    work.points.earn(member, points, cause=cause, at=begins, expires_on=last)
                if number % 2:
                    work.stored.top_up(member, 20_000, given_cents=2_000, cause="card", at=begins)
            work.tiers.evaluate(now.date(), limit=100)
            issue(work.coupons, ten, members=MEMBERS)

    def _key(self) -> str:
        return f"showroom-{next(self.keys):04d}"

    def _skus(self) -> list[str]:
        """What can be promised here and is priced."""
        with self.sanhe.work(actor="reader") as work:
            day = self.clock.now().date()
            priced = set(work.catalog.prices(day).column("sku").to_pylist())
            pairs = {(sku, self.store) for sku in priced}
            rows = work.stock.available(pairs, channel="app").to_pylist()
        return sorted(row["sku"] for row in rows if row["available"] >= 12)

    def _order(self, number: int) -> UUID | None:
        """Two of three fetch it at the store, in turn on each channel; None = out of stock."""
        self.clock.moment += timedelta(minutes=2)
        skus = self._skus()
        first = skus[number % len(skus)]
        second = skus[(number * 5 + 1) % len(skus)]
        lines = [BasketLine(first, 1 + number % 3)]
        if second != first and number % 2:
            lines.append(BasketLine(second, 1))
        basket = Basket(
            channel=CHANNELS[number % len(CHANNELS)],
            currency="CNY",
            lines=tuple(lines),
            delivery=self._home() if number % 3 == 2 else Delivery("pickup", self.store),
            member=MEMBERS[number // 2] if number % 2 else None,
            points=100 if number % 4 == 1 else 0,
        )
        try:
            total = quote_basket(self.sanhe, basket, by=SHOP).total_cents
            to = _recipient(number) if basket.delivery.method == "courier" else None
            told = place_order(self.sanhe, Placing(basket, total, to), key=self._key(), by=SHOP)
        except Shortage:
            return None
        assert isinstance(told, dict)
        return UUID(str(told["id"]))

    def _home(self) -> Delivery:
        with self.sanhe.work(actor="reader") as work:
            point = work.places.get(self.store).point
        assert point is not None
        return Delivery("courier", None, point.latitude + 0.012, point.longitude + 0.008)

    def _pay(self, order: UUID) -> None:
        with self.sanhe.work(actor="reader") as work:
            total = work.orders.get(order).tenders.money_cents
        slip = f"slip {order}"
        take_at_till(self.sanhe, order, "card", amount_cents=total, reference=slip, by=STORE)

    def _task(self, order: UUID) -> StoreTask | None:
        with self.sanhe.work(actor="reader") as work:
            mine = {one.id for one in work.fulfil.of([order])}
            tasks, _ = work.tasks.page(place=self.store, kinds=["pick"])
        return next((task for task in tasks if shipment_of(task.subject) in mine), None)

    def _pick(self, order: UUID) -> None:
        task = self._task(order)
        if task is not None:
            with self.sanhe.work(actor="store") as work:
                work.tasks.take(task.id)
            finish_task(self.sanhe, task.id, key=self._key(), by=STORE)

    def _fetch(self, order: UUID) -> None:
        with self.sanhe.work(actor="reader") as work:
            (shipment,) = work.fulfil.of([order])
        code = show_code(self.sanhe, order, shipment.id, by=SHOP)
        hand_over_by_code(self.sanhe, shipment.id, code, key=self._key(), by=STORE)


def _recipient(number: int) -> Recipient:
    """Somebody made up: nobody lives there."""
    family = "张王李赵陈"[number % 5]
    lines = (f"示例路 {1 + number % 90} 号 {1 + number % 6}0{1 + number % 4} 室",)
    return Recipient(f"{family}小满", f"1380000{number % 10_000:04d}", lines, "上海市浦东新区")
