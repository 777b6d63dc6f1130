"""The share of demand that could be there in time: monotone, and what a promise would say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings

from sanhe.core.places import Point
from sanhe.place.sourcing import (
    Area,
    Method,
    Need,
    Node,
    Order,
    Policy,
    coverage,
    promises,
    reach_metres,
)
from tests.place.sourcing.cities import nodes, orders

POLICY = Policy()


def areas(places: list[Node]) -> list[Area]:
    """Each place's surroundings ask for every SKU that any place holds, in falling numbers."""
    skus = sorted({sku for node in places for sku in node.available})
    asked = {sku: float(len(skus) - number) for number, sku in enumerate(skus)}
    return [Area(node.place, node.point, asked) for node in places if node.point]


@given(nodes(), orders())
@settings(max_examples=60, deadline=None)
def test_a_share_grows_with_time_stock_and_places(places: list[Node], asked: Order) -> None:
    for index, found in enumerate(coverage(areas(places), places, at=asked.at, policy=POLICY)):
        assert 0 <= found.own <= found.within[0] <= found.within[1] <= found.within[2]
        assert found.within[2] <= found.per_day + 1e-9
        fewer = coverage(areas(places)[index : index + 1], places[1:], at=asked.at, policy=POLICY)
        assert all(less <= more for less, more in zip(fewer[0].within, found.within, strict=True))
        empty = [replace(node, available={}) for node in places]
        none = coverage(areas(places)[index : index + 1], empty, at=asked.at, policy=POLICY)
        assert none[0].within == (0, 0, 0)


@given(nodes(), orders())
@settings(max_examples=60, deadline=None)
def test_what_is_covered_can_be_promised_and_nothing_else(places: list[Node], asked: Order) -> None:
    windows = {0: Method.TWO_HOUR, 1: Method.WITHIN_24_HOURS}
    for area in areas(places):
        for sku in area.demand:
            single = Area(area.place, area.point, {sku: 1.0})
            (found,) = coverage([single], places, at=asked.at, policy=POLICY)
            offered = {
                one.method
                for one in promises(Order((Need(sku, 1),), asked.at, area.point), places, POLICY)
            }
            for at, method in windows.items():
                assert (found.within[at] == 1.0) == (method in offered), (area.place, sku, method)


@given(nodes(), orders())
@settings(max_examples=60, deadline=None)
def test_a_place_comes_as_far_as_it_says_and_no_further(places: list[Node], asked: Order) -> None:
    window = timedelta(hours=2)
    for node in places:
        reach = reach_metres(node, at=asked.at, within=window, policy=POLICY)
        assert node.point is not None
        for metres, comes in ((0.98 * reach, reach > 0), (1.02 * reach + 50, False)):
            north = Point(node.point.latitude + metres / 111_195, node.point.longitude)
            area = Area("there", north, {"X": 1.0})
            stocked = replace(node, available={"X": 10**6})
            (found,) = coverage([area], [stocked], at=asked.at, policy=POLICY)
            assert (found.within[0] == 1.0) == comes, (node.place, reach, metres)
