"""The loop on a real database: what is ordered comes, and both sides keep the same books."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput
from sanhe.core.storage import Database
from sanhe.sim import DaysOfCover, LiveWorld, World, conserved, run, simulate, tiny_world
from tests.simulation.shop import Installation, LevelPlanner

HISTORY_DAYS, LIVE_DAYS = 35, 10


@pytest.fixture
def world() -> World:
    """A tiny world with a short history."""
    return World(tiny_world(8, history_days=HISTORY_DAYS))


def planner_of(world: World, shop: Installation) -> LevelPlanner:
    lines, terms = world.lines, {}
    for line, key in enumerate(zip(world.sku_ids, world.place_ids, strict=True)):
        supplier = world.suppliers[lines.supplier[line]]
        case, moq = int(lines.case_size[line]), int(lines.moq[line])
        terms[key] = (supplier.id, case, moq, supplier.order_weekdays)
    return LevelPlanner(shop, terms)


def books_agree(world: World, live: LiveWorld, shop: Installation) -> bool:
    """Whether the installation's stock and open orders are those of the world."""
    keys = list(zip(world.sku_ids, world.place_ids, strict=True))
    on_hand = {key: int(live.on_hand[line]) for line, key in enumerate(keys)}
    on_order = {key: int(live.on_order[line]) for line, key in enumerate(keys)}
    told = shop.on_order(live.today)
    return shop.on_hand() == on_hand and {key: told.get(key, 0) for key in keys} == on_order


def test_orders_come_and_both_sides_keep_the_same_books(
    world: World, database: Database, clock: FixedClock
) -> None:
    history = run(world, DaysOfCover(), days=HISTORY_DAYS)
    shop = Installation(database, clock)
    for name, facts in world.facts(history).items():
        shop.record(name, facts)
    live = LiveWorld(world, history)
    assert books_agree(world, live, shop)
    planner = planner_of(world, shop)
    for _ in range(LIVE_DAYS):
        live.place(planner.plan(live.today))
        for name, facts in live.trade().items():
            shop.record(name, facts)
        assert books_agree(world, live, shop), live.today
    outcome = live.outcome()
    assert conserved(outcome).all()
    mine = outcome.orders.only(outcome.orders.ordered >= HISTORY_DAYS)
    came = mine.arrives < live.index
    assert came.sum() > 10, "sanhe's own orders were delivered"
    assert (mine.delivered[came] < mine.quantity[came]).any(), "some of them short"
    # The control: a unit more on either side is seen.
    live._book.closing[live.index - 1, 0] += 1
    assert not books_agree(world, live, shop)


def test_the_loop_ends_on_the_day_it_should(
    world: World, database: Database, clock: FixedClock
) -> None:
    history = run(world, DaysOfCover(), days=HISTORY_DAYS)
    shop = Installation(database, clock)
    for name, facts in world.facts(history).items():
        shop.record(name, facts)
    heard: list[tuple[int, int]] = []
    live = LiveWorld(world, history)
    outcome = simulate(
        planner_of(world, shop),
        live,
        days=3,
        progress=lambda done, days: heard.append((done, days)),
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]
    assert outcome.days == HISTORY_DAYS + 3
    assert live.today == world.settings.as_of + timedelta(days=3)
    assert "sales" in shop.deliveries


def orders_of(world: World, line: int, quantity: int) -> pa.Table:
    return pa.table(
        {
            "order": ["PO-1"],
            "line": ["1"],
            "sku": [world.sku_ids[line]],
            "place": [world.place_ids[line]],
            "quantity": [quantity],
        }
    )


def test_an_order_on_a_closed_day_waits_for_the_next_order_day(world: World) -> None:
    live = LiveWorld(world, run(world, DaysOfCover(), days=HISTORY_DAYS))
    today = live.today.weekday()
    closed = ~world.lines.order_weekday[:, today]
    line = int(closed.argmax())
    wait = next(d for d in range(8) if world.lines.order_weekday[line, (today + d) % 7])
    before = live.on_order
    live.place(orders_of(world, line, 48))
    placed = live.outcome().orders
    assert live.on_order[line] - before[line] == 48
    assert wait > 0 and int(placed.ordered[-1]) == HISTORY_DAYS + wait
    assert int(placed.due[-1]) == HISTORY_DAYS + wait + int(world.lines.lead_time_days[line])


def test_orders_nobody_can_deliver_are_refused(world: World) -> None:
    live = LiveWorld(world, run(world, DaysOfCover(), days=HISTORY_DAYS))
    with pytest.raises(BadInput, match="units"):
        live.place(orders_of(world, 0, 0))
    unknown = orders_of(world, 0, 6).set_column(2, "sku", pa.array(["SKU-9999"]))
    with pytest.raises(BadInput, match="not sold"):
        live.place(unknown)


def test_the_same_orders_meet_the_same_fate_as_in_a_run(world: World) -> None:
    """A live world fed with the old policy's orders ends like a run of the old policy."""
    history = run(world, DaysOfCover(), days=HISTORY_DAYS)
    whole = run(world, DaysOfCover(), days=HISTORY_DAYS + 14, after=history)
    live = LiveWorld(world, history)
    for index in range(HISTORY_DAYS, HISTORY_DAYS + 14):
        today = whole.orders.only(whole.orders.ordered == index)
        live.place(
            pa.table(
                {
                    "order": [f"PO-{index}"] * len(today),
                    "line": [str(number) for number in range(len(today))],
                    "sku": [world.sku_ids[line] for line in today.line],
                    "place": [world.place_ids[line] for line in today.line],
                    "quantity": today.quantity,
                }
            )
        )
        live.trade()
    assert (live.outcome().closing == whole.closing).all()
    assert (live.outcome().sales == whole.sales).all()
