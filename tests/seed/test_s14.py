"""S14 two-hour delivery, from outside: one promise engine over the retailer's own files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.place.sourcing import Method, Need, Order, Policy, choose, promises
from tests.seed.stores import HOME, NOON, nodes, opened_stores
from tests.wiring.installation import installed, opened

ONE = (Need("TEA", 1),)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("promise")
    with installed(server, folder / "home") as settings:
        with opened(settings) as sanhe:
            opened_stores(sanhe, folder)
        yield settings


def windows(retailer: Settings, at: datetime, stock: dict[str, int], **queues: float) -> set[str]:
    with opened(retailer) as sanhe:
        places = nodes(sanhe, {place: {"TEA": units} for place, units in stock.items()}, **queues)
    return {str(one.method) for one in promises(Order(ONE, at, HOME), places, Policy())}


def test_what_is_promised_follows_stock_hours_and_queue(retailer: Settings) -> None:
    every = {"two_hour", "same_day", "within_24_hours", "within_48_hours", "ship", "pick_up"}
    later = every - {"two_hour", "same_day"}
    assert windows(retailer, NOON, {"S1": 5, "DC": 50}) == every
    # The last unit of a store is for who walks in; from 150 km away it comes the day after.
    assert windows(retailer, NOON, {"S1": 1, "DC": 50}) == later
    # Fourteen orders before it, of which the store picks six an hour: not in two hours.
    assert windows(retailer, NOON, {"S1": 5}, S1=14) == every - {"two_hour"}
    late = NOON + timedelta(hours=9)  # 21:00: closed until nine
    assert windows(retailer, late, {"S1": 5}) == later
    assert windows(retailer, NOON, {}) == set()


def test_checkout_keeps_what_the_product_page_promised(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        places = nodes(sanhe, {"S1": {"TEA": 5}, "M1": {"TEA": 5}, "DC": {"TEA": 50}})
    asked = Order(ONE, NOON, HOME)
    offered = {one.method: one for one in promises(asked, places, Policy())}
    promise = offered[Method.TWO_HOUR]
    assert promise.place == "S1"
    assert promise.ready_at.astimezone(SHANGHAI).strftime("%H:%M") == "12:15"
    # 1 km is 1.3 km of road at 15 km/h, and five minutes at the door: 6.00 + 1.95 + 2.00 yuan.
    assert promise.arrives_at.astimezone(SHANGHAI).strftime("%H:%M") == "12:25"
    assert promise.cost_cents == 995
    ordered = choose(Order(ONE, NOON, HOME, by=promise.due_at), places, Policy())
    assert (ordered.places, ordered.cost_cents) == (promise.places, promise.cost_cents)
    assert ordered.arrives_at == promise.arrives_at <= promise.due_at
