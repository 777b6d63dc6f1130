"""Where goods are in time (时效): the share of demand that could be at the door within hours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sanhe.core.places import Point, metres_between
from sanhe.place.sourcing.policy import Policy
from sanhe.place.sourcing.rules import (
    Need,
    Node,
    Order,
    handed_over_at,
    reaches,
    ready_at,
)

WINDOWS: Final = (timedelta(hours=2), timedelta(hours=24), timedelta(hours=48))
"""The windows that are told."""
MOST_NEAR: Final = 40
"""So many of the nearest places are looked at for one area."""


@dataclass(frozen=True, slots=True)
class Area:
    """Shoppers around a place: units a day of each SKU that they ask for there."""

    place: str
    point: Point
    demand: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Covered:
    """An area's demand in units a day, and how much of it could be at the door within each of the
    windows; `own` is what the place itself could bring within the first."""

    place: str
    per_day: float
    within: tuple[float, ...]
    own: float


def coverage(
    areas: Iterable[Area],
    nodes: Sequence[Node],
    *,
    at: datetime,
    policy: Policy,
    windows: Sequence[timedelta] = WINDOWS,
) -> list[Covered]:
    """What of each area's demand could be at its door within the windows, ordered at a moment.

    A SKU counts as brought within a window when a place that holds a unit of it to sell has a
    courier that comes in time, by the arithmetic of a promise: hours, queue, picking, cut-off,
    distance. More stock, places or couriers make no share smaller.
    """
    return [_covered(area, nodes, at, policy=policy, windows=windows) for area in areas]


def reach_metres(node: Node, *, at: datetime, within: timedelta, policy: Policy) -> float:
    """How far away as the crow flies a place could bring something within a window; 0 = nowhere."""
    ready = ready_at(node, at)
    furthest = 0.0
    for courier in node.store.couriers if ready is not None else ():
        leaves = handed_over_at(node.store, ready, courier) if ready is not None else None
        if leaves is None:
            continue
        riding = within - (leaves - at) - timedelta(minutes=policy.door_minutes)
        hours = riding / timedelta(hours=1)
        metres = 1000 * courier.speed_km_per_hour * hours / policy.detour
        bounds = (courier.radius_metres, node.store.service_radius_metres)
        furthest = max(furthest, min([metres, *(bound for bound in bounds if bound is not None)]))
    return furthest


def _covered(
    area: Area, nodes: Sequence[Node], at: datetime, *, policy: Policy, windows: Sequence[timedelta]
) -> Covered:
    wanted = Order((Need("any", 1),), at, area.point)
    arrivals = []
    for node in _near(area.point, nodes):
        first = min((way.arrives_at for way in reaches(wanted, node, policy)), default=None)
        if first is not None:
            arrivals.append((first - at, node))
    within = tuple(
        _brought(area.demand, [node for takes, node in arrivals if takes <= window])
        for window in windows
    )
    itself = [node for takes, node in arrivals if node.place == area.place and takes <= windows[0]]
    return Covered(area.place, sum(area.demand.values()), within, _brought(area.demand, itself))


def _near(point: Point, nodes: Sequence[Node]) -> list[Node]:
    by_metres = [
        (metres_between(point, node.point), node.place, node) for node in nodes if node.point
    ]
    return [node for *_, node in sorted(by_metres, key=lambda one: one[:2])[:MOST_NEAR]]


def _brought(demand: Mapping[str, float], nodes: Sequence[Node]) -> float:
    held = {sku for node in nodes for sku in demand if node.sellable(sku) > 0}
    return sum(units for sku, units in demand.items() if sku in held)
