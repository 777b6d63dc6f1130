"""The lane of orders over HTTP: no channel can tell it from the ordinary way; none oversells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from threading import Event
from typing import Any

import pytest

from bench.http_load import Answer, Request, fire, serving
from bench.race_naive import naive_oversold
from bench.race_world import CENTS, World, audited, furnished_world, ledger_wrong, orders_of
from sanhe.core import commands
from sanhe.core.commands import Lane, Rush
from sanhe.core.settings import Settings
from sanhe.web import make_app
from sanhe.wiring import Ordered, Sanhe, place_orders
from tests.web.serving import served

Basket = dict[str, Any]


@dataclass
class Ways:
    """One installation served twice: all orders by the lane, and none."""

    world: World
    lane: str
    ordinary: str


@contextmanager
def rushing(sanhe: Sanhe, lane: Lane[Ordered, commands.Answer]) -> Iterator[str]:
    """The address at which every order takes this lane."""
    with lane, served(make_app(replace(sanhe, lane=lane, rush=Rush(per_second=0)))) as address:
        yield address


@pytest.fixture
def ways(database_settings: Settings) -> Iterator[Ways]:
    with furnished_world(database_settings) as world:
        # What comes within a tenth of a second is one batch.
        lane = Lane(partial(place_orders, world.sanhe), wait_seconds=0.1)
        ordinary = make_app(replace(world.sanhe, lane=None))
        with rushing(world.sanhe, lane) as rush, served(ordinary) as alone:
            yield Ways(world, rush, alone)


def basket(*lines: tuple[str, int], method: str = "pickup", **other: Any) -> Basket:
    return {
        "channel": "web",
        "currency": "CNY",
        "lines": [{"sku": sku, "quantity": units} for sku, units in lines],
        "delivery": {"method": method, "place": "S1"},
        **other,
    }


def order(world: World, wanted: Basket, key: str, *, cents: int = CENTS, by: str = "") -> Request:
    body = {"basket": wanted, "agreed_cents": cents}
    return world.post("/shop/orders", body, key=f"in-a-rush-{key}", by=by)


def answered(address: str, asked: Sequence[Request]) -> list[Answer]:
    """The answers from 32 connections; who is told to come again does."""
    told = fire(address, asked, ways=32)
    while again := [at for at, one in enumerate(told) if one.status == 429]:
        for at, one in zip(again, fire(address, [asked[at] for at in again]), strict=True):
            told[at] = one
    return told


def test_the_lane_and_the_ordinary_way_sell_each_unit_once(ways: Ways) -> None:
    """300 who want one of 20, each asking by both ways at once: 20 orders, one answer to each."""
    goods = ways.world.goods([20])
    wanted = basket((goods.skus[0], 1))
    asked = [order(ways.world, wanted, str(number)) for number in range(300)]
    with ThreadPoolExecutor(2) as pool:
        by_lane = pool.submit(answered, ways.lane, asked)
        ordinary = answered(ways.ordinary, asked[::-1])[::-1]
    told = by_lane.result()
    assert [(one.status, one.json) for one in told] == [(o.status, o.json) for o in ordinary]
    assert Counter(one.status for one in told) == {201: 20, 409: 280}
    ids = {one.json["id"] for one in told if one.status == 201}
    assert ids == {str(one.id) for one in orders_of(ways.world, goods)}
    assert audited(ways.world, goods) == []
    assert ledger_wrong(ways.world) == []


def test_the_same_attempts_make_a_naive_shop_oversell(database_settings: Settings) -> None:
    assert naive_oversold(database_settings, 300) > 0


def test_a_key_is_one_command_by_whichever_way(ways: Ways) -> None:
    goods = ways.world.goods([5])
    one, two = basket((goods.skus[0], 1)), basket((goods.skus[0], 2))
    (first,) = fire(ways.lane, [order(ways.world, one, "a")])
    (second,) = fire(ways.ordinary, [order(ways.world, one, "b")])
    both = [order(ways.world, one, key) for key in "ab"] * 4
    for address in (ways.lane, ways.ordinary):
        again = fire(address, both)
        assert [one.json for one in again] == [first.json, second.json] * 4
        others = fire(address, [order(ways.world, two, key, cents=2 * CENTS) for key in "ab"])
        assert [(o.status, o.json["type"]) for o in others] == [
            (409, "urn:sanhe:problem:key_reused")
        ] * 2
    assert len(orders_of(ways.world, goods)) == 2


def test_no_channel_can_tell_which_way_its_basket_went(ways: Ways) -> None:
    """Baskets good and bad, all in one batch of the lane and one by one: the same answers."""
    world = ways.world
    plenty, few, nowhere = world.goods([90, 1, 1]).skus
    with world.sanhe.work(actor="admin") as work:
        elsewhere = work.access.add_key("S2 alone", roles=["channel"], places=["S2"])
        work.stock.allot("livestream", "S1", few, quantity=1)
    good = basket((plenty, 1))
    asked: list[tuple[Basket, int, str]] = [
        (good, CENTS, ""),
        (basket((plenty, 1), method="carry"), CENTS, ""),
        ({**good, "member": "m1"}, CENTS, ""),
        (good, CENTS - 1, ""),
        (good, CENTS, elsewhere),
        (basket((plenty, 0)), CENTS, ""),
        (basket(("no such", 1)), CENTS, ""),
        (basket((plenty, 91), method="carry"), 91 * CENTS, ""),
        (basket((plenty, 1), (few, 2)), 3 * CENTS, ""),
        (basket((few, 1)), CENTS, ""),
        ({**basket((few, 1)), "channel": "livestream"}, CENTS, ""),
        ({**good, "currency": "USD"}, CENTS, ""),
        ({**good, "delivery": {"method": "pickup", "place": "S9"}}, CENTS, ""),
        ({**basket((nowhere, 1)), "delivery": {"method": "carry", "place": "S3"}}, CENTS, ""),
    ]

    def told(address: str, way: str) -> list[tuple[int, Any]]:
        requests = [
            order(world, wanted, f"{way}-{number}", cents=cents, by=by)
            for number, (wanted, cents, by) in enumerate(asked)
        ]
        answers = fire(address, requests, ways=len(requests))
        repeated = fire(address, requests, ways=len(requests))
        assert [one.json for one in repeated] == [one.json for one in answers]
        return [(one.status, _without_names(one)) for one in answers]

    one_by_one = told(ways.ordinary, "alone")
    (livestream,) = (n for n, (wanted, _, _) in enumerate(asked) if wanted["channel"] != "web")
    one_by_one[livestream] = (409, None)  # the quota's one unit is sold by then
    by_lane = told(ways.lane, "lane")
    by_lane[livestream] = (409, None)
    assert by_lane == one_by_one
    assert Counter(status for status, _ in by_lane) == {201: 3, 409: 5, 422: 4, 404: 2}
    with world.sanhe.work(actor="reader") as work:
        orders, _ = work.orders.page()
        actors = {event.actor for one in orders for event in work.orders.timeline(one.id)}
    assert actors == {"key channel"}


def _without_names(answer: Answer) -> Any:
    """The body but for what every order has of its own."""
    own = {"id", "number", "expires_at", "ready_at", "arrives_at", "detail"}
    return {name: value for name, value in answer.json.items() if name not in own}


def test_beyond_what_the_lane_holds_many_are_told_to_come_again(ways: Ways) -> None:
    goods = ways.world.goods([9])
    begun, go = Event(), Event()

    def held(ordered: Sequence[Ordered]) -> list[commands.Answer]:
        begun.set()
        assert go.wait(30)
        return place_orders(ways.world.sanhe, ordered)

    lane = Lane(held, wait_seconds=0, most_waiting=2)
    asked = [order(ways.world, basket((goods.skus[0], 1)), str(n)) for n in range(6)]
    with rushing(ways.world.sanhe, lane) as address, ThreadPoolExecutor(6) as pool:
        first = pool.submit(fire, address, asked[:1], ways=1)
        assert begun.wait(30)
        rest = [pool.submit(fire, address, [one], ways=1) for one in asked[1:]]
        until = time.monotonic() + 30
        while sum(one.done() for one in rest) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        turned_away = [one.result()[0] for one in rest if one.done()]
        go.set()
        answers = [one.result()[0] for one in [first, *rest]]
    assert Counter(one.status for one in answers) == {201: 3, 429: 3}
    assert {one.json["type"] for one in turned_away} == {"urn:sanhe:problem:too_many"}
    (again,) = fire(ways.ordinary, asked[3:4])
    assert again.status == 201


def test_a_server_that_is_told_to_end_answers_what_waits(database_settings: Settings) -> None:
    """Ended in the midst of a rush: whoever was let in has an answer, nobody an order untold."""
    with furnished_world(database_settings) as world:
        goods = world.goods([100_000])
        wanted = basket((goods.skus[0], 1))
        sent = 0

        def rush() -> Iterator[Request]:
            nonlocal sent
            while not ended.is_set():
                sent += 1
                yield order(world, wanted, str(sent))

        ended = Event()
        with ThreadPoolExecutor(1) as pool:
            with serving(world.sanhe.settings) as address:
                answers = pool.submit(fire, address, rush(), ways=32)
                while sent < 300:
                    time.sleep(0.01)
            ended.set()
            told = answers.result()
        statuses = Counter(one.status for one in told)
        assert statuses.keys() <= {201, 429, 0}, statuses
        ids = {one.json["id"] for one in told if one.status == 201}
        assert ids == {str(one.id) for one in orders_of(world, goods)}
        assert ledger_wrong(world) == []
