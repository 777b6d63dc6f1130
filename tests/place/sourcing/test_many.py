"""Many orders at once: never more than there is, never worse than one by one; the optimum."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, Shortage
from sanhe.place.sourcing import (
    Need,
    Node,
    Order,
    Policy,
    Sourcing,
    choose,
    choose_all,
    nearest_first,
    optimum,
)
from tests.place.sourcing.cities import NOON, RIDER, node, nodes, order, orders

POLICY = Policy()
LOST = 20_000


def one_by_one(
    asked: Sequence[Order], places: Sequence[Node], way: object = choose
) -> list[Sourcing | None]:
    """Each order in turn, by `choose` or `nearest_first`."""
    left = {one.place: one for one in places}
    found: list[Sourcing | None] = []
    for each in asked:
        try:
            chosen = way(each, left.values(), POLICY)  # type: ignore[operator]
        except Shortage:
            found.append(None)
            continue
        found.append(chosen)
        for part in chosen.parts:
            left[part.place] = left[part.place].less(part)
    return found


def weight(found: Sequence[Sourcing | None]) -> tuple[int, int]:
    lost = sum(one is None for one in found)
    return lost, sum(one.weighed_cents for one in found if one is not None)


def cost(found: Sequence[Sourcing | None]) -> int:
    return sum(LOST if one is None else one.cost_cents for one in found)


@settings(max_examples=50)
@given(st.lists(orders(), min_size=1, max_size=6), nodes(most=3))
def test_a_batch_takes_nothing_twice_and_loses_nothing(
    asked: list[Order], places: list[Node]
) -> None:
    asked = [replace(each, at=NOON) for each in asked]
    found = choose_all(asked, places, POLICY)
    assert weight(found) <= weight(one_by_one(asked, places))
    taken: Counter[tuple[str, str]] = Counter()
    ready: defaultdict[str, list[datetime]] = defaultdict(list)
    for one in filter(None, found):
        for part in one.parts:
            ready[part.place].append(part.ready_at)
            for line in part.lines:
                taken[part.place, line.sku] += line.quantity
    by_place = {one.place: one for one in places}
    for (place, sku), count in taken.items():
        assert count <= by_place[place].sellable(sku)
    for place, told in ready.items():
        for waiting, moment in enumerate(sorted(told)):
            queued = replace(by_place[place], open_picks=by_place[place].open_picks + waiting)
            free = replace(queued, available={"A": 99})
            assert moment >= choose(order(), [free], POLICY).ready_at


def test_a_batch_gives_the_last_unit_to_who_has_no_other() -> None:
    """One at a time the first order takes the unit that the second could have had alone."""
    rich, poor = node("rich", 3.0, {"A": 9}), node("poor", 1.0, {"A": 1, "B": 1})
    asked = [order(), order(Need("A", 1), Need("B", 1), point=poor.point)]
    near_only = replace(RIDER, radius_metres=1500)
    poor = replace(poor, store=replace(poor.store, couriers=(near_only,)))
    rich = replace(rich, store=replace(rich.store, couriers=(replace(RIDER, radius_metres=3100),)))
    far = replace(asked[1], point=poor.point)
    naive = one_by_one([asked[0], far], [rich, poor])
    both = choose_all([asked[0], far], [rich, poor], POLICY)
    assert both[0] is not None and both[0].places == ("rich",)
    assert both[1] is not None and both[1].places == ("poor",)
    assert weight(both) < weight(naive)


@settings(max_examples=25, deadline=None)
@given(st.lists(orders(), min_size=1, max_size=4), nodes(most=3))
def test_no_way_of_choosing_goes_below_the_bound(asked: list[Order], places: list[Node]) -> None:
    due = [replace(one, at=NOON, due_at=NOON + timedelta(hours=2)) for one in asked]
    solved = optimum(due, places, POLICY, lost_cents=LOST)
    for found in (
        one_by_one(due, places),
        one_by_one(due, places, nearest_first),
        choose_all(due, places, POLICY),
    ):
        assert cost(found) >= solved.bound_cents - 1e-3
    assert solved.cost_cents is not None and solved.bound_cents <= solved.cost_cents + 1e-3


def test_the_optimum_is_that_of_trying_everything() -> None:
    """The nearest place alone holds both SKUs of the second order; no queue to speak of."""
    few = {"pick_capacity_per_hour": 600, "couriers": (RIDER,)}
    stocks = ({"A": 1, "B": 1}, {"A": 1}, {"A": 1})
    places = [node(f"S{n}", 1 + n, stock, **few) for n, stock in enumerate(stocks)]
    asked = [
        order(*needs, due_at=NOON + timedelta(hours=2))
        for needs in ((Need("A", 1),), (Need("A", 1), Need("B", 1)), (Need("A", 1),))
    ]
    least = LOST * len(asked)
    for given_places in itertools.product([*places, None], repeat=len(asked)):
        left = {one.place: one for one in places}
        total = 0
        for each, place in zip(asked, given_places, strict=True):
            try:
                if place is None:
                    raise Shortage("left out")
                found = choose(each, [left[place.place]], POLICY)
            except Shortage:
                total += LOST
                continue
            total += found.cost_cents
            left[place.place] = left[place.place].less(found.parts[0])
        least = min(least, total)
    solved = optimum(asked, places, POLICY, lost_cents=LOST)
    assert solved.cost_cents == pytest.approx(least, abs=1)
    assert cost(one_by_one(asked, places, nearest_first)) > least


def test_the_optimum_counts_picks() -> None:
    """Six orders of one moment at a place that picks one in half an hour: the last come late."""
    place = node("S", 1.0, {"A": 9}, pick_capacity_per_hour=2, pick_minutes=0)
    asked = [order(due_at=NOON + timedelta(hours=1))] * 6
    found = one_by_one(asked, [place])
    solved = optimum(asked, [place], POLICY, lost_cents=LOST)
    assert solved.cost_cents == pytest.approx(cost(found), rel=0.01)
    freely = replace(place, store=replace(place.store, pick_capacity_per_hour=600))
    assert optimum(asked, [freely], POLICY, lost_cents=LOST).bound_cents < 0.8 * cost(found)


def test_orders_without_a_due_time_have_no_optimum() -> None:
    with pytest.raises(BadInput, match="how late"):
        optimum([order()], [node("S")], POLICY, lost_cents=LOST)
