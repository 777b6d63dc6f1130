"""What a simulated retailer tells of its places' position, opening hours, picking and couriers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.sim.columns import fact_rows, payload_text, together
from sanhe.sim.master import CITIES

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.values import Json
    from sanhe.sim.master import Place
    from sanhe.sim.world import World

METRES_PER_DEGREE: Final = 111_195.0
CITY_METRES: Final = 5000.0
"""Stores lie around the middle of their city, normally spread by so much each way."""

RIDER: Final[dict[str, Json]] = {
    "courier": "骑手 rider", "base_fee_cents": 600, "per_km_cents": 150, "speed_km_per_hour": 15.0,
    "collect_minutes": 10, "radius_metres": 5000,
}  # fmt: skip
PARCEL: Final[dict[str, Json]] = {
    "courier": "快递 parcel", "base_fee_cents": 800, "speed_km_per_hour": 40.0,
    "collect_minutes": 60, "cut_off": "18:00",
}  # fmt: skip


def position(world: World, place: Place) -> tuple[float, float]:
    """Latitude and longitude of a place, drawn from the world's seed and the place's id alone."""
    rng = np.random.default_rng([world.settings.seed, *place.id.encode()])
    east, north = rng.normal(0.0, CITY_METRES, size=2)
    latitude, longitude = CITIES[place.city][-2:]
    latitude += float(north) / METRES_PER_DEGREE
    longitude += float(east) / (METRES_PER_DEGREE * np.cos(np.radians(latitude)))
    return round(latitude, 6), round(float(longitude), 6)


def store_facts(world: World) -> pa.Table:
    """How every place serves orders, described on the first day: stores by riders and parcels,
    warehouses by parcels."""
    first, places = world.settings.first_day, world.places
    offers = [
        (place, courier)
        for place in places
        for courier in ((RIDER, PARCEL) if place.kind == "store" else (PARCEL,))
    ]
    return together(
        [
            fact_rows(
                "store.described",
                ids=[f"store/{place.id}" for place in places],
                days=[first] * len(places),
                hour=0,
                place=[place.id for place in places],
                payload=[payload_text(_serves(place)) for place in places],
            ),
            fact_rows(
                "courier.offered",
                ids=[f"courier/{place.id}/{courier['courier']}" for place, courier in offers],
                days=[first] * len(offers),
                hour=0,
                place=[place.id for place, _ in offers],
                payload=[payload_text(courier) for _, courier in offers],
            ),
        ]
    )


def _serves(place: Place) -> dict[str, Json]:
    if place.kind != "store":
        return {"hours": "06:00-22:00", "pick_capacity_per_hour": 120, "pick_minutes": 30}
    return {
        "hours": "Mo-Fr 09:00-21:30; Sa,Su 09:00-22:00",
        "pick_capacity_per_hour": max(4, round(12 * place.size)),
        "pick_minutes": 15,
        "service_radius_metres": 8000,
        "safety_units": 1,
    }
