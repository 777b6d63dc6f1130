"""sanhe's policy in the simulator: uses only what it could know, and keeps to the terms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sanhe.models.forecast import ChampionSettings, GbmSettings
from sanhe.sim import (
    DaysOfCover,
    World,
    conserved,
    panel_of,
    run,
    tiny_world,
    view_after,
)
from sanhe.sim.arrays import Ints
from sanhe.sim.demand import Offers
from sanhe.sim.run import DayView
from sanhe.sim.sanhe_policy import SanhePolicy, times

SMALL = ChampionSettings(
    gbm=GbmSettings(rows=4_000, trees=15, leaves=7, least_rows=20, median=False, threads=1),
    margin=-1.0,
)
"""Small, and so that the global model wins: the simple methods know no promotions."""
START, END = 49, 63


def first_orders(world: World) -> Ints:
    """What sanhe orders on the first order day after START, by line."""
    history = run(world, DaysOfCover(), days=START)
    policy = SanhePolicy(champion=SMALL)
    orders = run(world, policy, days=START + 7, after=history).orders
    mine = orders.only(orders.ordered >= START)
    quantity = np.zeros((7, len(world.lines)), dtype=np.int64)
    quantity[mine.ordered - START, mine.line] = mine.quantity
    return quantity


def changed_offers(world: World, *, known: bool) -> World:
    """The world with half price from START + 7 on, announced before or not.

    Where a promotion is announced already in these days, it stays.
    """
    discount = world.offers.discount.copy()
    published = world.offers.published.copy()
    free = (published < 0) | (published >= START + 7)
    free[: START + 7] = False
    discount[free] = 0.5
    published[free] = START - 10 if known else START + 7
    world.offers = Offers(discount, world.offers.activity, published)
    return world


def test_what_lies_ahead_and_is_not_announced_changes_nothing() -> None:
    plain = first_orders(World(tiny_world(2)))
    hidden = changed_offers(World(tiny_world(2)), known=False)
    hidden.prices[START + 7 :] *= 3
    hidden.weather.temperature[START + 7 :] += 20
    assert (first_orders(hidden) == plain).all()
    assert plain.sum() > 0


def test_what_is_announced_does_change_the_orders() -> None:
    plain = first_orders(World(tiny_world(2)))
    known = first_orders(changed_offers(World(tiny_world(2)), known=True))
    assert (known != plain).any(), "the control of the test above"


def test_demand_not_yet_seen_changes_nothing() -> None:
    plain = first_orders(World(tiny_world(2)))
    world = World(tiny_world(2))
    demand = world.truth.demand.copy()
    demand[START:] *= 5
    world.truth = replace(world.truth, demand=demand)
    busy = first_orders(world)
    assert (busy[0] == plain[0]).all(), "orders of the first morning"
    assert (busy != plain).any(), "the control: later mornings see it"


def test_orders_keep_to_the_terms_and_the_books_stay_whole() -> None:
    world = World(tiny_world(7))
    history = run(world, DaysOfCover(), days=START)
    outcome = run(world, SanhePolicy(champion=SMALL), days=END, after=history)
    assert conserved(outcome).all()
    assert outcome.policy == "sanhe"
    assert (outcome.orders.ordered >= START).sum() > 0


def test_the_same_world_gets_the_same_orders() -> None:
    assert (first_orders(World(tiny_world(3))) == first_orders(World(tiny_world(3)))).all()


class Spy:
    """Keeps the view of the last morning."""

    name = "spy"

    def __init__(self) -> None:
        self.view: DayView | None = None

    def order(self, view: DayView) -> Ints:
        self.view = view
        return DaysOfCover().order(view)


def test_lead_times_are_measured_from_what_was_delivered() -> None:
    world, spy = World(tiny_world(4)), Spy()
    outcome = run(world, spy, days=70)
    assert spy.view is not None
    table = times(spy.view).to_pylist()
    done = outcome.orders.only(outcome.orders.arrives < 69)
    assert sum(row["n"] for row in table) == len(done)
    days = (done.arrives - done.ordered)[world.lines.sku[done.line] == 2]
    row = next(row for row in table if row["sku"] == world.items[2].id)
    assert row["mean_days"] == pytest.approx(days.mean())
    assert row["sd_days"] == pytest.approx(days.std(ddof=1))


def test_the_future_of_open_orders_is_hidden() -> None:
    spy = Spy()
    run(World(tiny_world(4)), spy, days=70)
    assert spy.view is not None
    assert len(spy.view.open_orders) > 0
    assert (spy.view.open_orders.arrives == 0).all()
    assert (spy.view.open_orders.delivered == 0).all()
    assert (spy.view.deliveries.arrives < spy.view.index).all()


def test_the_panel_holds_what_was_seen_and_nothing_else() -> None:
    world = World(tiny_world(5))
    outcome = run(world, DaysOfCover(), days=START)
    lines, panel = panel_of(view_after(world, outcome), horizon_days=14)
    assert panel.sales.shape == (len(lines), START)
    listed = np.arange(START)[:, None] >= world.lines.listed_from[lines]
    assert (np.isnan(panel.sales.T) == ~listed).all()
    seen = np.nan_to_num(panel.sales.T)
    assert (seen == np.where(listed, outcome.sales[:, lines], 0)).all()
    assert ((outcome.opened_empty[:, lines] & listed) == panel.opened_empty.T).all()
    assert panel.known.shape[1] == START + 14
