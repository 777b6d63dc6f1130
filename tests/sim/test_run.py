"""The day: stock is conserved, goods spoil first in first out, orders are kept to the terms."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.sim import DaysOfCover, DayView, OrderUpTo, World, conserved, run, tiny_world
from sanhe.sim.arrays import Ints
from sanhe.sim.book import in_stock_share, spoiled
from tests.sim.worlds import tiny, tiny_history


class Whims:
    """Orders at random, within the terms: for properties that hold for any policy."""

    name = "whims"

    def __init__(self, seed: int, most_cases: int) -> None:
        self._rng, self._most = np.random.default_rng(seed), most_cases

    def order(self, view: DayView) -> Ints:
        cases = self._rng.integers(0, self._most + 1, len(view.lines))
        quantity = cases * view.lines.case_size
        allowed = view.orderable & (quantity >= view.lines.moq)
        return np.where(allowed, quantity, 0)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 50), whim=st.integers(0, 1000), most=st.integers(0, 6))
def test_stock_is_conserved_under_any_policy(seed: int, whim: int, most: int) -> None:
    world = World(tiny_world(seed, history_days=40))
    outcome = run(world, Whims(whim, most), days=60)
    assert conserved(outcome).all()
    assert (outcome.closing >= 0).all() and (outcome.waste >= 0).all()
    came = outcome.orders.arrives < 60
    opening_stock = np.where(world.lines.listed_from < 60, world.supply.opening_stock, 0)
    received = outcome.orders.delivered[came].sum() + opening_stock.sum()
    assert outcome.received.sum() == received
    assert outcome.on_order.sum() == outcome.orders.quantity[~came].sum()


def test_the_check_of_conservation_can_fail() -> None:
    outcome = tiny_history()
    outcome_closing = outcome.closing.copy()
    outcome_closing[10, 3] += 1
    from dataclasses import replace

    assert not conserved(replace(outcome, closing=outcome_closing)).all()


def spoiled_by_hand(life: int, received: list[int], wanted: list[int]) -> list[int]:
    """Waste by day, cohort by cohort: the slow way the fast rule is held against."""
    shelf: deque[list[int]] = deque()
    waste = []
    for day, (goods_in, demand) in enumerate(zip(received, wanted, strict=True)):
        if goods_in:
            shelf.append([day, goods_in])
        left = demand
        while left and shelf:
            sold = min(left, shelf[0][1])
            shelf[0][1] -= sold
            left -= sold
            if not shelf[0][1]:
                shelf.popleft()
        gone = 0
        while shelf and life and shelf[0][0] <= day - life + 1:
            gone += shelf.popleft()[1]
        waste.append(gone)
    return waste


@settings(max_examples=200, deadline=None)
@given(
    life=st.integers(0, 6),
    days=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25),
)
def test_goods_spoil_first_in_first_out(life: int, days: list[tuple[int, int]]) -> None:
    received = [goods_in for goods_in, _ in days]
    wanted = [demand for _, demand in days]
    so_far = np.cumsum(received)[:, None]
    gone, stock, waste = np.zeros(1, dtype=np.int64), 0, []
    for index, (goods_in, demand) in enumerate(days):
        stock += goods_in
        sold = min(stock, demand)
        gone = gone + sold
        lost = spoiled(np.array([life]), so_far, gone, index=index)
        gone = gone + lost
        stock -= sold + int(lost[0])
        waste.append(int(lost[0]))
    assert waste == spoiled_by_hand(life, received, wanted)


def test_the_share_in_stock_is_that_of_evenly_spread_demand() -> None:
    count = 4000
    moment = ((np.arange(count) + 0.5) / count).astype(np.float32)
    share = in_stock_share(np.full(count, 9), np.full(count, 3), moment)
    assert share.mean() == pytest.approx(3 / 10, abs=0.002)  # the mean of Beta(3, 7)
    whole = in_stock_share(np.array([2, 0, 5]), np.array([3, 0, 0]), moment[:3])
    assert list(whole) == [1.0, 0.0, 0.0]


def test_a_run_in_two_parts_is_the_run_in_one() -> None:
    world = tiny()
    first = run(world, DaysOfCover(), days=40)
    both = run(world, DaysOfCover(), days=70, after=first)
    whole = tiny_history()
    for name in ("opening", "received", "sales", "waste", "closing", "on_order"):
        assert (getattr(both, name) == getattr(whole, name)).all()
    assert (both.orders.arrives == whole.orders.arrives).all()
    assert (both.from_day, whole.from_day) == (40, 0)


def test_deliveries_come_late_and_short_at_about_the_settings_share() -> None:
    world = World(tiny_world(9))
    orders = run(world, DaysOfCover(), days=70).orders
    late, short = (orders.arrives > orders.due).mean(), (orders.delivered < orders.quantity).mean()
    assert 0.03 < late < 0.35
    assert 0.005 < short < 0.2
    assert (orders.delivered % world.lines.case_size[orders.line] == 0).all()
    assert (orders.due - orders.ordered == world.lines.lead_time_days[orders.line]).all()


class Wrong:
    """A policy that breaks one term."""

    name = "wrong"

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def order(self, view: DayView) -> Ints:
        lines = view.lines
        quantity = np.zeros(len(lines), dtype=np.int64)
        if self._fault == "negative":
            quantity[0] = -lines.case_size[0]
        elif self._fault == "closed":
            closed = np.flatnonzero(~view.orderable)
            quantity[closed[:1]] = lines.moq[closed[:1]]
        elif self._fault == "part case":
            odd = int(np.flatnonzero(view.orderable & (lines.case_size > 1))[0])
            quantity[odd] = lines.moq[odd] + 1
        return quantity


@pytest.mark.parametrize("fault", ["negative", "closed", "part case"])
def test_orders_against_the_terms_are_refused(fault: str) -> None:
    with pytest.raises(BadInput, match="can't be ordered"):
        run(tiny(), Wrong(fault), days=14)


def test_days_past_the_world_are_refused() -> None:
    world = tiny()
    with pytest.raises(BadInput, match="days"):
        run(world, DaysOfCover(), days=world.settings.days + 1)


def test_a_policy_can_not_write_to_the_books() -> None:
    class Forger:
        name = "forger"

        def order(self, view: DayView) -> Ints:
            view.sales[:] = 0
            return view.on_order

    with pytest.raises(ValueError, match="read-only"):
        run(tiny(), Forger(), days=5)


def test_levels_are_kept_up() -> None:
    world = tiny()
    levels = np.full(len(world.lines), 30, dtype=np.int64)
    outcome = run(world, OrderUpTo(levels), days=70)
    position = outcome.closing[-1] + outcome.on_order
    longest_gap = 7 * world.truth.mean.max() * 4
    assert (position <= np.maximum(levels, world.supply.opening_stock) + 24).all()
    assert position.min() > -longest_gap
