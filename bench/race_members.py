"""The race for what members have: coupons, budgets, counts, points and stored value, by orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

import psycopg

from bench.http_load import fire
from bench.offers import issue, publish
from bench.race_rounds import (
    Attempt,
    Outcomes,
    Round,
    accepted,
    contended,
    outcomes_of,
    refused_with,
)
from bench.race_world import CENTS, Goods, World, audited, orders_of
from sanhe.core.values import new_id
from sanhe.people.promotions import Off, Promotion, Step
from sanhe.place.orders import AtPlace, Basket, BasketLine, Delivery, Order, Placing, State
from sanhe.wiring import Work

WANTED: Final = 50
"""So many attempts want each coupon, or the order that holds it."""
OFF: Final = 300
"""What a coupon takes off a unit of `CENTS`."""
PER_MEMBER: Final = 3
POINTS, STORED_CENTS = 500, 1_000
"""What each member has at first. An order wants up to 200 of either."""
_LIVE: Final = frozenset({State.PLACED, State.PAID, State.COMPLETE})


@dataclass(frozen=True, slots=True)
class Offer:
    """Coupons of one promotion, members, and an order of every second coupon, not paid yet."""

    goods: Goods
    promotion: str
    budget_cents: int
    codes: tuple[str, ...]
    members: tuple[str, ...]
    standing: Mapping[int, UUID]

    def basket(self, dice: Random, coupon: int | None) -> dict[str, object]:
        """What a member, drawn by chance, wants with a coupon by its number."""
        return {
            "channel": "web",
            "currency": "CNY",
            "lines": [{"sku": self.goods.skus[0], "quantity": 1}],
            "delivery": {"method": "carry", "place": "S1"},
            "member": dice.choice(self.members),
            "coupons": [] if coupon is None else [self.codes[coupon]],
            "points": dice.choice([0, 0, 100, 200]),
            "stored_cents": dice.choice([0, 0, 100, 200]),
        }


def redeem(world: World, dice: Random, attempts: int) -> Round:
    """Baskets of members with a coupon each, while the orders that hold every second coupon are
    paid and cancelled; now and then a basket wants points and stored value only."""
    offer = _opened(world, coupons=max(attempts // WANTED, 4), units=attempts)
    return _race(world, dice, attempts, offer=offer)


def unguarded_wrong(world: World, dice: Random, attempts: int) -> list[str]:
    """What is wrong after the same where the ledger knows no floor for coupons: the control.

    All coupons are free at first. From then on the ledger's proof finds itself tampered with.
    """
    offer = _opened(world, coupons=max(attempts // WANTED, 4), units=attempts)
    with world.sanhe.work(actor="shopper") as work:
        for order in offer.standing.values():
            work.orders.cancel(order, "changed my mind")
    with psycopg.connect(world.sanhe.database.owner_url) as owner:
        owner.execute("UPDATE ledger_account SET floor = NULL WHERE code LIKE 'coupon/%'")
    made = _race(world, dice, attempts, offer=replace(offer, standing={}))
    answers = fire(world.address, (one.request for one in made.attempts))
    outcomes, _ = outcomes_of(list(zip(made.attempts, answers, strict=True)))
    return made.check(outcomes)


def _race(world: World, dice: Random, attempts: int, *, offer: Offer) -> Round:
    with world.sanhe.work(actor="auditor") as work:
        standing = work.orders.find(list(offer.standing.values()))
        dues = {order.id: order.tenders.money_cents for order in standing}

    def command(coupon: int, n: int) -> Attempt:
        order = offer.standing.get(coupon)
        if order is None or n % 3 == 0:
            key = f"place-{new_id()}"
            used = None if n % 10 == 9 else coupon
            basket = offer.basket(dice, used)
            body = {"basket": basket, "agreed_cents": CENTS - (OFF if used is not None else 0)}
            return Attempt(key, coupon, world.post("/shop/orders", body, key=key), used)
        if n % 3 == 1:
            key = f"cancel-{new_id()}"
            body = {"reason": "changed my mind", "pieces": None}
            return Attempt(key, order, world.post(f"/shop/orders/{order}/cancel", body, key=key))
        name = f"{order.hex}-{n}"
        body = {"tender": "card", "amount_cents": dues[order], "reference": name}
        return Attempt(name, order, world.post(f"/shop/orders/{order}/tenders", body))

    def check(found: Outcomes) -> list[str]:
        return _wrong(world, offer, found)

    targets = range(len(offer.codes))
    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def _opened(world: World, *, coupons: int, units: int) -> Offer:
    goods = world.goods([units])
    promotion = f"P{world.made}"
    budget = OFF * coupons * 2 // 3
    members = tuple(f"M{world.made}-{number}" for number in range(max(coupons // 3, 2)))
    with world.sanhe.work(actor="growth") as work:
        now = world.sanhe.clock.now()
        codes = _issued(work, promotion, coupons, budget_cents=budget, now=now)
        for member in members:
            work.tiers.join(member, at=now)
            last = date(2099, 12, 31)
            work.points.earn(member, POINTS, cause="welcome", at=now, expires_on=last)
            work.stored.top_up(member, STORED_CENTS, given_cents=0, cause="slip", at=now)
    offer = Offer(goods, promotion, budget, codes, members, {})
    standing = {}
    with world.sanhe.work(actor="shopper") as work:
        for number in range(0, coupons, 2):
            standing[number] = _placed(work, offer, number)
    return replace(offer, standing=standing)


def _issued(
    work: Work, name: str, coupons: int, *, budget_cents: int, now: datetime
) -> tuple[str, ...]:
    """The codes of so many coupons of a promotion that somebody approved."""
    begins, ends = now - timedelta(days=1), now + timedelta(days=30)
    offer = Off((Step(CENTS // 2, OFF),))
    promotion = Promotion(
        name, name, offer, "coupon", begins, ends, coupon=True,
        priority=int(name[1:]), per_member=PER_MEMBER, budget_cents=budget_cents,
    )  # fmt: skip
    publish(work.promotions, work.decisions, promotion)
    return tuple(issue(work.coupons, promotion, count=coupons))


def _placed(work: Work, offer: Offer, coupon: int) -> UUID:
    member = offer.members[coupon // 2 % len(offer.members)]
    lines = (BasketLine(offer.goods.skus[0], 1),)
    basket = Basket(
        "web", "CNY", lines, Delivery("carry", "S1"),
        member=member, coupons=(offer.codes[coupon],), points=100, stored_cents=100,
    )  # fmt: skip
    return work.orders.place(Placing(basket, CENTS - OFF), AtPlace()).id


def _wrong(world: World, offer: Offer, found: Outcomes) -> list[str]:
    """What is not as the orders say, of coupons, budget, counts, points and stored value."""
    every = [one for outcomes in found.values() for one in outcomes]
    orders = {order.id: order for order in orders_of(world, offer.goods)}
    placed = {
        UUID(one.body["id"]): one.attempt.said
        for one in accepted(every)
        if one.attempt.name.startswith("place-")
    }
    live = {number: order for number, order in orders.items() if order.state in _LIVE}
    strange = live.keys() - placed.keys() - set(offer.standing.values())
    wrong = [f"order {order} was told to nobody" for order in strange]
    holds = Counter(said for number, said in placed.items() if number in live and said is not None)
    holds.update(coupon for coupon, number in offer.standing.items() if number in live)
    wrong += [f"coupon {coupon} is in {n} orders" for coupon, n in holds.items() if n > 1]
    wrong += _funds_wrong(world, offer, list(live.values()), used=holds.total())
    return [*wrong, *refused_with(every, 409), *audited(world, offer.goods)]


def _funds_wrong(world: World, offer: Offer, live: Sequence[Order], *, used: int) -> list[str]:
    had = Counter(order.member for order in live if order.uses)
    points: Counter[str | None] = Counter()
    stored: Counter[str | None] = Counter()
    for order in live:
        points[order.member] += order.points
        stored[order.member] += order.stored_cents
    name = offer.promotion
    with world.sanhe.work(actor="auditor") as work:
        left = work.promotions.left_cents([name])[name]
        told = {one: work.coupons.had(one, [name]).get(name, 0) for one in offer.members}
        pays = {one: work.points.balance(one).available for one in offer.members}
        cash = {one: work.stored.balance(one).available_cents for one in offer.members}
    wrong = []
    if left != offer.budget_cents - OFF * used or left < 0:
        wrong.append(f"{left} cents are left of {offer.budget_cents} after {used} coupons")
    for member in offer.members:
        is_right = (
            told[member] == had[member] <= PER_MEMBER
            and pays[member] == POINTS - points[member] >= 0
            and cash[member] == STORED_CENTS - stored[member] >= 0
        )
        if not is_right:
            wrong.append(
                f"{member}: {told[member]} coupons of {had[member]}, {pays[member]} points left "
                f"after {points[member]}, {cash[member]} cents after {stored[member]}"
            )
    return wrong
