"""Stores follow their facts in any order, refuse what can't be used, and are found by distance."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from sanhe.core import places as core_places
from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact, FactTypes, PostgresFacts
from sanhe.core.places import Places, Point
from sanhe.core.storage import Database, Transaction
from sanhe.core.values import Json
from sanhe.place.stores import FACT_TYPES, Stores

START = datetime(2024, 6, 1, tzinfo=UTC)
CENTRE = Point(31.2304, 121.4737)


def told(kind: str, place: str, /, *, days: int = 0, key: str = "", **payload: Json) -> Fact:
    moment = START + timedelta(days=days)
    return Fact(
        type=kind,
        source="erp",
        external_id=f"{kind}/{place}/{key}/{days}",
        event_at=moment,
        day=moment.date(),
        place=place,
        payload=payload,
    )


def place_at(place: str, km_north: float, **more: Json) -> Fact:
    latitude = CENTRE.latitude + km_north / 111.195
    given: dict[str, Json] = {
        "name": place,
        "kind": "store",
        "latitude": latitude,
        "longitude": CENTRE.longitude,
    }
    return told("place.described", place, **{**given, **more})


def store(place: str, *, days: int = 0, **more: Json) -> Fact:
    given: dict[str, Json] = {"hours": "09:00-21:00", "pick_capacity_per_hour": 10, **more}
    return told("store.described", place, days=days, **given)


def courier(place: str, name: str, *, days: int = 0, **more: Json) -> Fact:
    given: dict[str, Json] = {"base_fee_cents": 600, "speed_km_per_hour": 15.0, **more}
    return told("courier.offered", place, days=days, key=name, courier=name, **given)


class Retailer:
    """Places and stores on one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self.facts = PostgresFacts(tx, FactTypes(core_places.FACT_TYPES + FACT_TYPES))
        self.places = Places(tx, self.facts)
        self.stores = Stores(tx, self.places)

    def record(self, *facts: Fact) -> UUID:
        batch = self.facts.open_batch(source="erp", name="b")
        self.facts.append(batch, facts)
        return self.follow(batch)

    def follow(self, batch: UUID) -> UUID:
        self.places.apply(batch)
        self.stores.apply(batch)
        return batch


@pytest.fixture
def retailer(database: Database) -> Iterator[Retailer]:
    with database.transaction(actor="planner") as tx:
        yield Retailer(tx)


def test_a_store_is_as_last_described_and_undone(retailer: Retailer) -> None:
    retailer.record(place_at("S1", 0), store("S1", safety_units=2), courier("S1", "rider"))
    later = retailer.record(
        store("S1", days=1, hours="24/7", channels="app, livestream", pick_minutes=5),
        courier("S1", "rider", days=1, offered=False),
        courier("S1", "van", days=1, cut_off="18:00"),
    )
    now = retailer.stores.get("S1", day=date(2024, 6, 2))
    assert (now.pick_minutes, now.safety_units) == (5, 0)
    assert now.channels == {"app", "livestream"}
    assert [(one.name, one.cut_off) for one in now.couriers] == [("van", time(18))]
    before = retailer.stores.get("S1", day=date(2024, 6, 1))
    assert (before.safety_units, [one.name for one in before.couriers]) == (2, ["rider"])
    retailer.follow(retailer.facts.undo(later))
    assert retailer.stores.get("S1", day=date(2024, 6, 2)) == before


def test_a_place_nobody_described_as_a_store_takes_no_orders(retailer: Retailer) -> None:
    retailer.record(place_at("S1", 0))
    with pytest.raises(NotFound, match="takes no orders"):
        retailer.stores.get("S1")
    with pytest.raises(NotFound, match="no place 'S9'"):
        retailer.stores.get("S9")
    assert retailer.stores.all() == []


def test_stores_near_an_address_serve_it_within_their_radius(retailer: Retailer) -> None:
    retailer.record(
        *(place_at(f"S{n}", n) for n in range(1, 5)),
        told("place.described", "S9", name="S9", kind="store"),
        store("S1", channels="app", service_radius_metres=500),
        store("S2", channels="app", service_radius_metres=2500),
        store("S3", service_radius_metres=3500),
        store("S4"),
        store("S9"),
    )

    def near(**options: Any) -> list[str]:
        return [one.store.place.id for one in retailer.stores.near(CENTRE, **options)]

    assert near() == ["S2", "S3", "S4"]
    assert near(channel="livestream") == ["S3", "S4"]
    assert near(within_metres=2100) == ["S1", "S2"]
    (closest, *_) = retailer.stores.near(CENTRE)
    assert closest.metres == pytest.approx(2000, abs=1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (store("S1", hours="always"), "store S1: opening hours 'always'"),
        (store("S1", pick_capacity_per_hour=-1), "store S1: pick_capacity_per_hour is -1"),
        (courier("S1", "rider", speed_km_per_hour=0.0), "courier rider: speed_km_per_hour"),
        (courier("S1", "rider", cut_off="soon"), "courier rider: cut_off 'soon' is no time"),
    ],
)
def test_what_cant_be_used_is_refused_with_its_batch(
    retailer: Retailer, bad: Fact, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        retailer.record(bad)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"latitude": 95.0}, "no point on the earth"),
        ({"latitude": None}, "one coordinate alone"),
    ],
)
def test_coordinates_are_a_point_or_none(
    retailer: Retailer, given: dict[str, Json], message: str
) -> None:
    with pytest.raises(BadInput, match=f"place S1: .*{message}"):
        retailer.record(place_at("S1", 0, **given))


def test_a_distance_known_from_elsewhere() -> None:
    shanghai, beijing = CENTRE, Point(39.9042, 116.4074)
    assert core_places.metres_between(shanghai, beijing) == pytest.approx(1_067_000, rel=0.005)
    assert core_places.metres_between(shanghai, shanghai) == 0
