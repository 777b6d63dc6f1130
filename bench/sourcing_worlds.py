"""The worlds of bench.sourcing: the meal-delivery instances as shops, and simulated cities.

Every assumption is a constant here, kept before the policy was tuned. The meal-delivery set tells
where and when people order, where shops lie, how long preparation takes, the couriers' speed and
the latest click-to-door time; it has no goods: what is ordered and what lies where is drawn.
Courier fleets are taken as large enough.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from sanhe.core.places import Place, Point
from sanhe.place.sourcing import Need, Order, Policy
from sanhe.place.stores import Courier, Store, opening_hours

MIDNIGHT = datetime(2024, 6, 3, tzinfo=UTC)
METRES_PER_DEGREE = 111_195.08
MARGIN_CENTS = 1500
LOST_CENTS = 8000
LINES = (0.55, 0.30, 0.15)

MEAL_SKUS = 300
MEAL_COVER = 2.0
MEAL_PEAK_CAPACITY = 1.5
MEAL_COURIER = {"base_fee_cents": 500, "per_km_cents": 120, "radius_metres": 8000}

CITY_SKUS, CITY_ORDERS, CITY_STORES, CITY_MICROS, CITY_KM = 500, 1000, 40, 4, 30.0
CITY_RIDER = Courier("rider", 600, 15.0, per_km_cents=150, collect_minutes=10, radius_metres=5000)
CITY_VAN = Courier("van", 900, 25.0, per_km_cents=60, collect_minutes=30, radius_metres=15_000)
CITY_PARCEL = Courier("parcel", 700, 12.0, collect_minutes=60)
CITY_DC_KM = 250.0
REGION_KM = 150.0
WINDOWS_HOURS = ((2.0, 0.5), (8.0, 0.2), (24.0, 0.3))


@dataclass(frozen=True)
class World:
    """Stores with their first stock, the day's orders by time, and the demand that is expected.

    `expected` are the units of each SKU that a planner would expect at each place over the day.
    `policy` holds what is given (roads, picking, lateness), not what is tuned.
    """

    name: str
    stores: tuple[Store, ...]
    stock: dict[str, dict[str, int]]
    expected: dict[str, dict[str, float]]
    orders: tuple[Order, ...]
    policy: Policy
    ends: datetime


def at_metres(east: float, north: float) -> Point:
    """A point so many metres from (0, 0), where degrees of both kinds are equally long."""
    return Point(north / METRES_PER_DEGREE, east / METRES_PER_DEGREE)


def placed(place: str, kind: str, point: Point) -> Place:
    """A place at a point."""
    return Place(place, place, kind, latitude=point.latitude, longitude=point.longitude)


def popularity(skus: int) -> np.ndarray:
    """Zipf's law with exponent 0.8."""
    weights = np.arange(1, skus + 1, dtype=float) ** -0.8
    return weights / weights.sum()


def drawn_needs(rng: np.random.Generator, chances: np.ndarray) -> tuple[Need, ...]:
    """One to three lines of one unit each."""
    lines = 1 + int(rng.choice(3, p=LINES))
    skus = rng.choice(len(chances), size=lines, replace=False, p=chances)
    return tuple(Need(f"K{sku:03d}", 1, MARGIN_CENTS) for sku in sorted(skus))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def meal_world(folder: Path) -> World:
    """One instance of the meal-delivery set; restaurants stand for shops."""
    (given,) = _rows(folder / "instance_parameters.txt")
    asked, shops = _rows(folder / "orders.txt"), _rows(folder / "restaurants.txt")
    # The seed of an instance is that of its city, whatever its preparation times.
    rng = np.random.default_rng(int(folder.name[0]))
    preparation = defaultdict(list)
    for row in asked:
        preparation[row["restaurant"]].append(int(row["ready_time"]) - int(row["placement_time"]))
    usual = median(minutes for each in preparation.values() for minutes in each)
    hourly = np.bincount([int(row["placement_time"]) // 60 for row in asked])
    capacity = math.ceil(MEAL_PEAK_CAPACITY * int(hourly.max()) / len(shops))
    courier = Courier(
        "courier",
        speed_km_per_hour=float(given["meters_per_minute"]) * 60 / 1000,
        collect_minutes=int(given["pickup service minutes"]),
        **MEAL_COURIER,
    )
    stores = tuple(
        Store(
            place=placed(row["restaurant"], "store", at_metres(float(row["x"]), float(row["y"]))),
            time_zone="UTC",
            hours=opening_hours("24/7"),
            pick_capacity_per_hour=capacity,
            pick_minutes=round(median(preparation.get(row["restaurant"]) or [usual])),
            couriers=(courier,),
        )
        for row in shops
    )
    latest = timedelta(minutes=int(given["maximum click-to-door"]))
    chances = popularity(MEAL_SKUS)
    orders = []
    for row in asked:
        at = MIDNIGHT + timedelta(minutes=int(row["placement_time"]))
        point = at_metres(float(row["x"]), float(row["y"]))
        needs = drawn_needs(rng, chances)
        orders.append(Order(needs, at, point, due_at=at + latest, time_zone="UTC"))
    orders.sort(key=lambda order: order.at)
    stock = drawn_stock(rng, chances, stores, demand=_units(len(orders)), cover=MEAL_COVER)
    policy = Policy(detour=1.0, door_minutes=float(given["dropoff service minutes"]))
    return World(
        folder.name,
        stores,
        stock,
        shared_demand(stock, chances, _units(len(orders))),
        tuple(orders),
        policy,
        MIDNIGHT + timedelta(days=1),
    )


def _units(orders: int) -> float:
    return orders * sum((number + 1) * share for number, share in enumerate(LINES))


def drawn_stock(
    rng: np.random.Generator,
    chances: np.ndarray,
    stores: tuple[Store, ...],
    *,
    demand: float,
    cover: float,
) -> dict[str, dict[str, int]]:
    """Each shop carries the popular SKUs rather than the others; together `cover` × the demand."""
    carried = rng.random((len(stores), len(chances))) < np.clip(
        0.75 * (chances / chances.max()) ** 0.25, 0.1, 1.0
    )
    carried[rng.integers(len(stores), size=len(chances)), np.arange(len(chances))] = True
    each = cover * demand * chances / carried.sum(axis=0)
    units = np.where(carried, 1 + rng.poisson(np.broadcast_to(each, carried.shape)), 0)
    return {
        store.place.id: {f"K{sku:03d}": int(row[sku]) for sku in np.flatnonzero(row)}
        for store, row in zip(stores, units, strict=True)
    }


def shared_demand(
    stock: dict[str, dict[str, int]], chances: np.ndarray, demand: float
) -> dict[str, dict[str, float]]:
    """A plain forecast: the demand of an SKU in equal parts among those that carry it."""
    carriers: dict[str, int] = defaultdict(int)
    for held in stock.values():
        for sku in held:
            carriers[sku] += 1
    return {
        place: {sku: demand * float(chances[int(sku[1:])]) / carriers[sku] for sku in held}
        for place, held in stock.items()
    }


def city_world(seed: int, *, even: bool = False, region: bool = False) -> World:
    """A city of 30 km with stores, micro-warehouses and a regional DC 250 km away.

    `even` is the world in which the nearest is as good as any: every place holds everything and
    picks as fast as is asked for, and one courier goes everywhere at one price per km. `region`
    is five towns over 150 km of which two have stores; micro-warehouses lie in the other three
    and one of the two.
    """
    rng = np.random.default_rng(1000 + seed)
    width = (REGION_KM if region else CITY_KM) * 1000
    centres = rng.uniform(5000, width - 5000, size=(5, 2))
    first = 1 if region else 0
    spread = rng.uniform(1500, 4000, size=5)

    def somewhere(towns: int = 5) -> Point:
        centre = int(rng.integers(towns))
        east, north = centres[centre] + rng.normal(0, spread[centre], size=2)
        return at_metres(float(east), float(north))

    stores = [
        _city_store(rng, f"ST-{n:02d}", somewhere(2 if region else 5), even=even)
        for n in range(CITY_STORES)
    ]
    micros = [
        Store(
            place=placed(f"MW-{n}", "micro_warehouse", at_metres(*map(float, centres[first + n]))),
            time_zone="UTC",
            hours=opening_hours("07:00-23:00"),
            pick_capacity_per_hour=30,
            pick_minutes=10,
            couriers=(CITY_RIDER, CITY_VAN),
        )
        for n in range(0 if even else CITY_MICROS)
    ]
    far = [_regional_dc()] if not even else []
    chances = popularity(CITY_SKUS)
    orders = _city_orders(rng, chances, somewhere)
    demand = _units(CITY_ORDERS)
    stock = drawn_stock(rng, chances, tuple(stores), demand=demand, cover=0.8)
    if even:
        stock = {place: {f"K{n:03d}": 1000 for n in range(CITY_SKUS)} for place in stock}
    for store in micros:
        stock[store.place.id] = {
            f"K{n:03d}": 1 + int(rng.poisson(0.3 * demand * chances[n]))
            for n in range(int(0.6 * CITY_SKUS))
        }
    for store in far:
        stock[store.place.id] = {f"K{n:03d}": 1000 for n in range(CITY_SKUS)}
    kind = "even city" if even else "region" if region else "city"
    near = {place: held for place, held in stock.items() if place != "DC"}
    return World(
        f"{kind} {seed}",
        (*stores, *micros, *far),
        stock,
        {**shared_demand(near, chances, demand), **({"DC": {}} if far else {})},
        tuple(orders),
        Policy(),
        MIDNIGHT + timedelta(days=1),
    )


def _city_orders(
    rng: np.random.Generator, chances: np.ndarray, somewhere: Callable[[], Point]
) -> list[Order]:
    """A day's orders from eight to ten at night, with peaks at noon and in the evening."""
    day = np.array([0.2, 0.6, 1, 1, 1.4, 1.2, 0.8, 0.8, 1, 1.6, 1.8, 1.4, 0.8, 0.4])
    hours = 8 + rng.choice(len(day), size=CITY_ORDERS, p=day / day.sum())
    moments = sorted(hours * 60 + rng.integers(0, 60, size=CITY_ORDERS))
    orders = []
    for minute in moments:
        at = MIDNIGHT + timedelta(minutes=int(minute))
        window = WINDOWS_HOURS[int(rng.choice(3, p=[share for _, share in WINDOWS_HOURS]))][0]
        due = at + timedelta(hours=window)
        needs = drawn_needs(rng, chances)
        orders.append(Order(needs, at, somewhere(), due_at=due, time_zone="UTC"))
    return orders


def _city_store(rng: np.random.Generator, place: str, point: Point, *, even: bool) -> Store:
    anywhere = Courier("rider", 600, 15.0, per_km_cents=150, collect_minutes=10)
    return Store(
        place=placed(place, "store", point),
        time_zone="UTC",
        hours=opening_hours("24/7" if even else "09:00-21:00"),
        pick_capacity_per_hour=600 if even else int(rng.integers(2, 7)),
        pick_minutes=15,
        safety_units=0,
        couriers=(anywhere,) if even else (CITY_RIDER, CITY_VAN),
    )


def _regional_dc() -> Store:
    return Store(
        place=placed("DC", "warehouse", at_metres(CITY_DC_KM * 1000, 0.0)),
        time_zone="UTC",
        hours=opening_hours("06:00-22:00"),
        pick_capacity_per_hour=200,
        pick_minutes=30,
        couriers=(CITY_PARCEL,),
    )


def without_micros(world: World) -> World:
    """The same city without its micro-warehouses; what lay there lies in the DC."""
    gone = {store.place.id for store in world.stores if store.place.kind == "micro_warehouse"}
    stock = {place: dict(held) for place, held in world.stock.items() if place not in gone}
    for place in gone:
        for sku, units in world.stock[place].items():
            stock["DC"][sku] = stock["DC"].get(sku, 0) + units
    return World(
        f"{world.name} without micro-warehouses",
        tuple(store for store in world.stores if store.place.id not in gone),
        stock,
        {place: held for place, held in world.expected.items() if place not in gone},
        world.orders,
        world.policy,
        world.ends,
    )
