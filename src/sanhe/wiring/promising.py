"""The map of promises: which part of the demand around each place could be there in time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from math import fsum
from typing import TYPE_CHECKING, Final

from sanhe.place.sourcing import WINDOWS, Area, Covered, Node, Policy, coverage, reach_metres

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.places import Place
    from sanhe.wiring.sanhe import Sanhe

MOST_PAIRS: Final = 60_000
"""So many SKU × place are looked at: the SKUs that are asked for most."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the map: what of the demand around it is covered, and how far it reaches
    itself within each window, in metres."""

    place: Place
    covered: Covered
    reach: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PromiseMap:
    """The spots, and what was looked at: `skus` of them, with `share` of all demand. `unplaced`
    are places with demand whose position nobody told."""

    at: datetime
    windows: tuple[timedelta, ...]
    spots: tuple[Spot, ...]
    skus: int
    share: float
    unplaced: tuple[str, ...]


def promise_map(sanhe: Sanhe, lines: pa.Table, *, at: datetime, channel: str = "web") -> PromiseMap:
    """What could be at the door within the windows, were it ordered on a channel at a moment.

    `lines` have sku, place and forecast_per_day. The stock is that of all stores as it lies now:
    another place may bring what one does not have.
    """
    demand: dict[str, dict[str, float]] = defaultdict(dict)
    by_sku: dict[str, float] = defaultdict(float)
    columns = (lines.column(name).to_pylist() for name in ("sku", "place", "forecast_per_day"))
    for sku, place, units in zip(*columns, strict=True):
        if units and units > 0:
            demand[place][sku] = float(units)
            by_sku[sku] += float(units)
    with sanhe.work(actor="promises") as work:
        policy = work.sourcing.policy
        stores = [one for one in work.stores.all() if one.sells_on(channel)]
        most = max(1, MOST_PAIRS // max(1, len(stores)))
        skus = set(nlargest(most, by_sku, key=lambda sku: (by_sku[sku], sku)))
        nodes = work.nodes.of(stores, skus, channel=channel)
        places = work.places.of(list(demand))
    areas = [
        Area(name, place.point, {sku: n for sku, n in demand[name].items() if sku in skus})
        for name, place in sorted(places.items())
        if place.point is not None
    ]
    covered = coverage(areas, nodes, at=at, policy=policy)
    by_place = {node.place: node for node in nodes}
    return PromiseMap(
        at=at,
        windows=WINDOWS,
        spots=tuple(
            Spot(places[one.place], one, _reach(by_place.get(one.place), at, policy))
            for one in covered
        ),
        skus=len(skus),
        share=fsum(by_sku[sku] for sku in skus) / max(fsum(by_sku.values()), 1e-9),
        unplaced=tuple(sorted(set(demand) - {area.place for area in areas})),
    )


def _reach(node: Node | None, at: datetime, policy: Policy) -> tuple[float, ...]:
    if node is None:
        return (0.0,) * len(WINDOWS)
    return tuple(reach_metres(node, at=at, within=window, policy=policy) for window in WINDOWS)
