"""Races for orders: placed, paid by notice and at the till, cancelled, handed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Final
from uuid import UUID

from bench.http_load import Request
from bench.race_rounds import Attempt, Outcome, Outcomes, Round, accepted, contended, refused_with
from bench.race_world import CENTS, World, audited, orders_of
from sanhe.core.values import new_id
from sanhe.place.orders import Order, State

WANTED: Final = 100
"""So many attempts want each SKU that is placed."""
LIES: Final = 5
"""So many units of it there are."""
EACH: Final = 50
"""So many attempts want each order."""


def place(world: World, dice: Random, attempts: int) -> Round:
    """Far more baskets than there is of each SKU: single units, several, two SKUs, bundles; a
    fourth of the SKUs has a quota for the livestream."""
    count = max(attempts // WANTED, 2)
    goods = world.goods([LIES] * count, bundles=True)
    with world.sanhe.work(actor="planner") as work:
        for sku in goods.skus[::4]:
            work.stock.allot("livestream", "S1", sku, quantity=2)

    def command(number: int, n: int) -> Attempt:
        sku, other = goods.skus[number], goods.skus[(number + 1) % count]
        drawn = dice.random()
        lines = [(sku, 1)] if drawn < 0.6 else [(sku, 2)] if drawn < 0.8 else []
        lines = lines or ([(sku, 1), (other, 1)] if drawn < 0.9 else [(f"{sku}-SET", 1)])
        units = sum(quantity for _, quantity in lines)
        basket = {
            "channel": dice.choice(["web", "web", "app", "livestream"]),
            "currency": "CNY",
            "lines": [{"sku": name, "quantity": quantity} for name, quantity in lines],
            "delivery": {"method": dice.choice(["pickup", "carry"]), "place": "S1"},
        }
        body = {"basket": basket, "agreed_cents": CENTS * units}
        key = f"place-{new_id()}"
        return Attempt(key, sku, world.post("/shop/orders", body, key=key))

    def check(found: Outcomes) -> list[str]:
        every = [one for outcomes in found.values() for one in outcomes]
        told = Counter(one.body["id"] for one in accepted(every))
        kept = {str(order.id) for order in orders_of(world, goods)}
        wrong = [
            f"{count} commands were told of order {order}"
            for order, count in told.items()
            if count > 1
        ]
        wrong += [f"order {order} was told to nobody" for order in kept - told.keys()]
        wrong += [f"order {order} was told and is not there" for order in told.keys() - kept]
        with world.sanhe.work(actor="auditor") as work:
            rows = work.stock.available({(sku, "S1") for sku in goods.skus}).to_pylist()
        wrong += [
            f"{row['sku']}: {row['available']} left, wanted by many"
            for row in rows
            if row["available"] and row["sku"] in goods.skus[1::4]
        ]
        return [*wrong, *refused_with(every, 409), *audited(world, goods)]

    return Round(contended(dice, range(count), attempts=attempts, command=command), check)


def cancel(world: World, dice: Random, attempts: int) -> Round:
    """Paid orders of four units, cancelled whole and unit by unit; every fourth is not paid."""
    count = max(attempts // EACH, 2)
    goods = world.goods([4 * count] * 2)
    paid = world.orders([(goods.skus[0], 2), (goods.skus[1], 2)], count - count // 4, is_paid=True)
    open_ = world.orders([(goods.skus[0], 2), (goods.skus[1], 2)], count // 4)
    targets = [*paid, *open_]
    dice.shuffle(targets)

    def command(order: UUID, n: int) -> Attempt:
        units = 0 if n % 8 == 7 else 1
        piece = {"line": dice.randrange(2), "place": "S1", "units": units}
        body = {"reason": "changed my mind", "pieces": [piece] if units else None}
        key = f"cancel-{new_id()}"
        return Attempt(key, order, world.post(f"/shop/orders/{order}/cancel", body, key=key), units)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            for order in work.orders.find(list(found)):
                refunds = work.orders.refunds(order.id)
                wrong += _cancelled_wrong(order, {str(one.id) for one in refunds}, found[order.id])
        every = [one for outcomes in found.values() for one in outcomes]
        return [*wrong, *refused_with(every, 409), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def _cancelled_wrong(order: Order, refunds: set[str], outcomes: Sequence[Outcome]) -> list[str]:
    done = accepted(outcomes)
    told = Counter(one.body["refund"] for one in done if one.body["refund"] is not None)
    cancelled = sum(line.state.cancelled for line in order.lines)
    pieces = sum(one.attempt.said for one in done if one.body["refund"] is not None)
    whole = [one for one in done if not one.attempt.said and one.body["refund"] is not None]
    wrong = [
        f"order {order.number}: refund {one} was told {n} times" for one, n in told.items() if n > 1
    ]
    if told.keys() != refunds:
        wrong.append(f"order {order.number}: {len(refunds)} refunds, {len(told)} told")
    if order.paid_cents and (len(whole) > 1 or (not whole and pieces != cancelled)):
        wrong.append(f"order {order.number}: {cancelled} cancelled, {pieces} + {len(whole)} told")
    return wrong


def notice(world: World, dice: Random, attempts: int) -> Round:
    """Notices of three payments for each order, as WeChat Pay signs them, again and again."""
    count = max(attempts // EACH, 2)
    goods = world.goods([count])
    targets = world.orders([(goods.skus[0], 1)], count)

    def command(order: UUID, n: int) -> Attempt:
        name = f"42000{order.int % 10**18}{n % 3}"
        content = {
            "mchid": world.pay.config.merchant,
            "appid": world.pay.config.app,
            "out_trade_no": order.hex,
            "transaction_id": name,
            "trade_state": "SUCCESS",
            "success_time": world.sanhe.clock.now().isoformat(),
            "amount": {"total": CENTS, "currency": "CNY"},
        }
        body = world.pay.notice_body("TRANSACTION.SUCCESS", content, name=f"EV-{new_id().hex}")
        path = "/api/partner/wechatpay/notice"
        return Attempt(name, order, Request(path, body, world.pay.signed(body)))

    def check(found: Outcomes) -> list[str]:
        every = [one for outcomes in found.values() for one in outcomes]
        wrong = [f"{one.attempt.name}: {one.status}" for one in every if one.status != 204]
        return [*wrong, *_payments_wrong(world, found), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def tender(world: World, dice: Random, attempts: int) -> Round:
    """Slips of the till for each order: five of the right amount, one of another."""
    count = max(attempts // EACH, 2)
    goods = world.goods([count])
    targets = world.orders([(goods.skus[0], 1)], count)

    def command(order: UUID, n: int) -> Attempt:
        slip = n % 6
        name = f"{order.hex}-{slip}"
        cents = CENTS if slip else CENTS - 1
        body = {"tender": "card", "amount_cents": cents, "reference": name}
        return Attempt(name, order, world.post(f"/shop/orders/{order}/tenders", body))

    def check(found: Outcomes) -> list[str]:
        every = [one for outcomes in found.values() for one in outcomes]
        wrong = [
            f"order {order}: taken {sum(one.body['outcome'] == 'taken' for one in accepted(told))}"
            for order, told in found.items()
            if [one.body["outcome"] for one in accepted(told)].count("taken") != 1
        ]
        wrong += refused_with(every)
        return [*wrong, *_payments_wrong(world, found), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)


def _payments_wrong(world: World, found: Outcomes) -> list[str]:
    """Each payment that was told is kept once, one of an order's is taken, the rest goes back."""
    wrong = []
    with world.sanhe.work(actor="auditor") as work:
        for order, outcomes in found.items():
            kept = work.orders.payments(order)
            names = sorted(one.reference for one in kept)
            taken = [one for one in kept if one.outcome.value == "taken"]
            refunds = work.orders.refunds(order)
            if names != sorted(one.attempt.name for one in outcomes):
                wrong.append(f"order {order}: payments {names}")
            if len(taken) != 1 or len(refunds) != len(kept) - 1:
                wrong.append(f"order {order}: {len(taken)} taken, {len(refunds)} go back")
    return wrong


def hand_over(world: World, dice: Random, attempts: int) -> Round:
    """Paid orders of four units, handed over whole and unit by unit."""
    count = max(attempts // EACH, 2)
    goods = world.goods([2 * count] * 2)
    targets = world.orders([(goods.skus[0], 2), (goods.skus[1], 2)], count, is_paid=True)

    def command(order: UUID, n: int) -> Attempt:
        units = 0 if n % 12 == 11 else 1
        piece = {"line": dice.randrange(2), "place": "S1", "units": units}
        body = {"pieces": [piece] if units else None}
        key = f"hand-{new_id()}"
        path = f"/shop/orders/{order}/hand-over"
        return Attempt(key, order, world.post(path, body, key=key), units)

    def check(found: Outcomes) -> list[str]:
        wrong = []
        with world.sanhe.work(actor="auditor") as work:
            orders = work.orders.find(list(found))
        for order in orders:
            done = accepted(found[order.id])
            pieces = sum(one.attempt.said for one in done)
            whole = len(done) - pieces
            ended = [one.body["state"] for one in done].count("complete")
            handed = sum(line.state.handed for line in order.lines)
            if (handed, ended, order.state) != (4, 1, State.COMPLETE) or whole > 1 or pieces > 4:
                wrong.append(f"order {order.number}: {handed} handed, {pieces} + {whole} told")
            if not whole and pieces != 4:
                wrong.append(f"order {order.number}: {pieces} told of 4")
        every = [one for outcomes in found.values() for one in outcomes]
        return [*wrong, *refused_with(every, 409), *audited(world, goods)]

    return Round(contended(dice, targets, attempts=attempts, command=command), check)
