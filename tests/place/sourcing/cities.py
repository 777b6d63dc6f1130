"""Small cities for the tests of sourcing: places, couriers and orders drawn by Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from hypothesis import strategies as st

from sanhe.core.places import Place, Point
from sanhe.place.sourcing import Need, Node, Order
from sanhe.place.stores import Courier, Store, opening_hours

ZONE = "Asia/Shanghai"
CENTRE = Point(31.2304, 121.4737)
NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)  # Monday, 12:00 in Shanghai
RIDER = Courier("rider", 600, 15.0, per_km_cents=100, collect_minutes=10, radius_metres=6000)
PARCEL = Courier("parcel", 800, 40.0, collect_minutes=60, cut_off=time(17))
SKUS = ("A", "B", "C")


def node(place: str, km: float = 1.0, stock: Mapping[str, int] | None = None, **more: Any) -> Node:
    """A place `km` north of the centre; what is not told is plain."""
    at = Place(
        place, place, "store", latitude=CENTRE.latitude + km / 111.195, longitude=CENTRE.longitude
    )
    of_node = {name: more.pop(name) for name in ("open_picks", "expected") if name in more}
    given = {
        "hours": "00:00-24:00", "pick_capacity_per_hour": 10, "pick_minutes": 15,
        "couriers": (RIDER, PARCEL), **more,
    }  # fmt: skip
    hours = opening_hours(given.pop("hours"))
    store = Store(place=at, time_zone=ZONE, hours=hours, **given)
    return Node(store, stock if stock is not None else {"A": 10}, **of_node)


def order(*needs: Need, at: datetime = NOON, **more: Any) -> Order:
    """An order from the centre; one unit of A where nothing is told."""
    return Order(needs or (Need("A", 1),), at, **{"point": CENTRE, **more})


@st.composite
def nodes(draw: st.DrawFn, least: int = 1, most: int = 4) -> list[Node]:
    """Places that differ in everything."""
    count = draw(st.integers(least, most))
    return [
        node(
            f"S{number}",
            draw(st.floats(0, 12)),
            draw(st.dictionaries(st.sampled_from(SKUS), st.integers(0, 6))),
            hours=draw(st.sampled_from(HOURS)),
            pick_capacity_per_hour=draw(st.integers(0, 12)),
            pick_minutes=draw(st.integers(0, 40)),
            service_radius_metres=draw(st.sampled_from([None, 5000])),
            safety_units=draw(st.integers(0, 2)),
            couriers=tuple(draw(st.sets(st.sampled_from([RIDER, PARCEL, LATE])))),
            open_picks=draw(st.integers(0, 30)),
            expected=draw(st.dictionaries(st.sampled_from(SKUS), st.floats(0, 8))),
        )
        for number in range(count)
    ]


HOURS = ("24/7", "09:00-21:00", "Mo-Fr 08:00-12:00,14:00-18:00", "Sa,Su 10:00-16:00")
LATE = Courier("evening", 400, 20.0, per_km_cents=50, collect_minutes=5, cut_off=time(20, 30))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Orders of one to three SKUs at any time of a week."""
    wanted = draw(st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1))
    needs = tuple(Need(sku, count, draw(st.integers(0, 3000))) for sku, count in wanted.items())
    minute = draw(st.integers(0, 7 * 24 * 60))
    at = datetime.fromtimestamp(NOON.timestamp() + 60 * minute, UTC)
    return order(*needs, at=at)
