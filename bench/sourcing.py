"""Sourcing against nearest-first and against the solved optimum: cost and lateness, in one table.

    PYTHONPATH=src:. python -m bench.sourcing tune --data DATA/grubhub_mdrp
    PYTHONPATH=src:. python -m bench.sourcing --data DATA/grubhub_mdrp [--seconds 120]

Two sets: the Grubhub meal-delivery instances as shops, and simulated cities (see
bench.sourcing_worlds for what is assumed). `tune` tries weights on one half of each set, the even
seeds. The run without it takes the weights of `Policy` as they are and reports the other half.
Orders come one by one; stock and queues are left as each choice leaves them. Costs are what is
paid: couriers, picking, compensation for lateness, and a sum for each order lost. The optimum
knows all orders beforehand; where it is not solved to 1 % in time, it is not told. In the even
city nearest-first is as good as any: no gain, no harm.
"""

import argparse
import itertools
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bench.results_file import Row, write_results
from bench.sourcing_worlds import (
    LOST_CENTS,
    World,
    city_world,
    meal_world,
    without_micros,
)
from sanhe.core.errors import Shortage
from sanhe.place.sourcing import (
    Method,
    Node,
    Optimum,
    Order,
    Policy,
    Sourcing,
    choose,
    choose_all,
    nearest_first,
    optimum,
    promises,
)
from sanhe.place.stores import Store

SCARCITY_WEIGHTS = (0.0, 0.1, 0.3)
PLACES = 12
MOST_GAP = 0.01
WAVE = timedelta(minutes=5)
CITIES = 3
MOST_IN_WAVES = 1000

Choose = Callable[[Order, Sequence[Node], Policy], Sourcing]


@dataclass(frozen=True)
class Day:
    """What a day cost in cents with all that is lost or late, and how many orders were."""

    cost_cents: int
    late: int
    lost: int
    split: int
    orders: int

    @property
    def late_share(self) -> float:
        """Orders that came late or not at all."""
        return (self.late + self.lost) / self.orders


class Shops:
    """The places through a day: what was taken is gone, and queues are worked off."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stock = {place: dict(held) for place, held in world.stock.items()}
        self._open = {store.place.id: 0.0 for store in world.stores}
        self._seen = world.orders[0].at
        self._expected: dict[str, dict[str, float]] = {}
        self._hour: datetime | None = None

    def nodes(self, at: datetime) -> list[Node]:
        """The places at a moment, not before the last one asked for."""
        self._look_ahead(at)
        for store in self.world.stores:
            place = store.place.id
            if self._open[place]:
                done = _open_hours(store, self._seen, at) * store.pick_capacity_per_hour
                self._open[place] = max(0.0, self._open[place] - done)
        self._seen = at
        return [
            Node(
                store,
                self._stock[store.place.id],
                self._open[store.place.id],
                self._expected[store.place.id],
            )
            for store in self.world.stores
        ]

    def take(self, sourcing: Sourcing) -> None:
        """Take what a sourcing takes."""
        for part in sourcing.parts:
            self._open[part.place] += 1
            for line in part.lines:
                self._stock[part.place][line.sku] -= line.quantity
                assert self._stock[part.place][line.sku] >= 0

    def _look_ahead(self, at: datetime) -> None:
        """Expected demand shrinks with the hours that are left of the day."""
        hour = at.replace(minute=0, second=0)
        if hour != self._hour:
            self._hour = hour
            first, ends = self.world.orders[0].at, self.world.ends
            left = max(0.0, (ends - at) / (ends - first))
            self._expected = {
                place: {sku: units * left for sku, units in held.items()}
                for place, held in self.world.expected.items()
            }


def _open_hours(store: Store, since: datetime, until: datetime) -> float:
    total = timedelta()
    for opens, closes in store.hours.spans(since, time_zone=store.time_zone):
        if opens >= until:
            break
        total += min(closes, until) - opens
    return total / timedelta(hours=1)


def run(world: World, way: Choose, policy: Policy) -> Day:
    """A day of a world, each order chosen for when it comes."""
    shops = Shops(world)
    found: list[Sourcing | None] = []
    for order in world.orders:
        try:
            sourcing = way(order, shops.nodes(order.at), policy)
        except Shortage:
            found.append(None)
            continue
        shops.take(sourcing)
        found.append(sourcing)
    return _day(world, found)


def run_in_waves(world: World, policy: Policy) -> Day:
    """A day in which orders wait up to five minutes, and are chosen for together."""
    shops = Shops(world)
    found: list[Sourcing | None] = []
    first = world.orders[0].at

    def wave(order: Order) -> int:
        return (order.at - first) // WAVE

    for number, group in itertools.groupby(world.orders, key=wave):
        at = first + (number + 1) * WAVE
        waiting = [replace(order, at=at) for order in group]
        chosen = choose_all(waiting, shops.nodes(at), policy)
        for sourcing in filter(None, chosen):
            shops.take(sourcing)
        found += chosen
    return _day(world, found)


def _day(world: World, found: Sequence[Sourcing | None]) -> Day:
    sent = [(o, s) for o, s in zip(world.orders, found, strict=True) if s is not None]
    lost = len(found) - len(sent)
    return Day(
        cost_cents=sum(s.cost_cents for _, s in sent) + LOST_CENTS * lost,
        late=sum(order.due_at is not None and s.arrives_at > order.due_at for order, s in sent),
        lost=lost,
        split=sum(len(s.parts) > 1 for _, s in sent),
        orders=len(found),
    )


def worlds(data: Path, *, tuning: bool) -> Iterator[tuple[str, World]]:
    """The worlds of one half: even seeds to tune on, odd ones to report."""
    for folder in sorted(data.glob("*s1p100")):
        if (int(folder.name[0]) % 2 == 0) == tuning:
            yield "meals", meal_world(folder)
    for seed in range(2 * CITIES):
        if (seed % 2 == 0) == tuning:
            yield "city", city_world(seed)
    if not tuning:
        for seed in (1,):
            yield "even city", city_world(seed, even=True)


def tune(data: Path) -> None:
    """Try weights on the half to tune on; prints cost over nearest-first's for each."""
    half = list(worlds(data, tuning=True))
    nearest = [run(world, nearest_first, world.policy) for _, world in half]
    print("scarcity meals city both")
    for scarcity in SCARCITY_WEIGHTS:
        ratios: dict[str, list[float]] = {"meals": [], "city": []}
        for (kind, world), base in zip(half, nearest, strict=True):
            policy = replace(world.policy, scarcity=scarcity)
            ratios[kind].append(run(world, choose, policy).cost_cents / base.cost_cents)
        each = [sum(found) / len(found) for found in ratios.values()]
        shown = " ".join(f"{ratio:.4f}" for ratio in (*each, sum(each) / 2))
        print(f"{scarcity:8.2f} {shown}", flush=True)


def measured(kind: str, world: World, *, seconds: float) -> Row:
    """One row of the table: a world by every way of choosing."""
    begun = time.perf_counter()
    policy = world.policy
    nearest = run(world, nearest_first, policy)
    at = time.perf_counter()
    ours = run(world, choose, policy)
    choose_ms = 1000 * (time.perf_counter() - at) / len(world.orders)
    in_waves = len(world.orders) <= MOST_IN_WAVES and kind != "even city"
    waves = run_in_waves(world, policy) if in_waves else None
    nodes = Shops(world).nodes(world.orders[0].at)
    at = time.perf_counter()
    solved = optimum(
        world.orders, nodes, policy, lost_cents=LOST_CENTS, most_places=PLACES, seconds=seconds
    )
    least = min(day.cost_cents for day in (nearest, ours, waves) if day is not None)
    assert solved.bound_cents <= least, f"{world.name}: the bound {solved.bound_cents} > {least}"
    bound = solved.bound_cents if _is_solved(solved) else None
    row: Row = {
        "set": kind,
        "world": world.name,
        "orders": len(world.orders),
        "nearest_first_cents_per_order": nearest.cost_cents / nearest.orders,
        "cents_per_order": ours.cost_cents / ours.orders,
        "waves_cents_per_order": waves and waves.cost_cents / waves.orders,
        "bound_cents_per_order": bound and bound / ours.orders,
        "cost_ratio_to_nearest": ours.cost_cents / nearest.cost_cents,
        "cost_ratio_to_optimum": bound and ours.cost_cents / bound,
        "nearest_first_ratio_to_optimum": bound and nearest.cost_cents / bound,
        "late_share": ours.late_share,
        "nearest_first_late_share": nearest.late_share,
        "waves_late_share": waves and waves.late_share,
        "lost": ours.lost,
        "nearest_first_lost": nearest.lost,
        "split_share": ours.split / ours.orders,
        "nearest_first_split_share": nearest.split / nearest.orders,
        "choose_ms": choose_ms,
        "solve_seconds": time.perf_counter() - at,
    }
    row = {name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()}
    print(row, f"{time.perf_counter() - begun:.0f} s", flush=True)
    return row


def _is_solved(found: Optimum) -> bool:
    """Whether the best found lies so near the bound that this tells the optimum."""
    if found.cost_cents is None:
        return False
    return found.cost_cents - found.bound_cents <= MOST_GAP * found.cost_cents


def deliverable(world: World) -> dict[Method, float]:
    """The share of orders for which each window could be promised with the first stock."""
    nodes = Shops(world).nodes(world.orders[0].at)
    counts = dict.fromkeys(Method, 0)
    for order in world.orders:
        for method in {promise.method for promise in promises(order, nodes, world.policy)}:
            counts[method] += 1
    return {method: count / len(world.orders) for method, count in counts.items()}


def shares() -> list[Row]:
    """Windows that could be promised in cities and regions, with and without micro-warehouses."""
    rows: list[Row] = []
    for seed, region in itertools.product(range(1, 2 * CITIES, 2), (False, True)):
        whole = city_world(seed, region=region)
        for world in (whole, without_micros(whole)):
            found = deliverable(world)
            rows.append(
                {
                    "world": world.name,
                    **{
                        f"{method}_share": round(found[method], 4)
                        for method in (Method.TWO_HOUR, Method.SAME_DAY, Method.WITHIN_24_HOURS)
                    },
                }
            )
            print(rows[-1], flush=True)
    return rows


def mean(rows: Sequence[Row], kind: str, name: str) -> float:
    """The mean of a column over the worlds of a set that have it: not all are solved."""
    values = [float(v) for row in rows if row["set"] == kind and (v := row[name]) is not None]
    return round(sum(values) / len(values), 4)


def main(arguments: Sequence[str]) -> None:
    """Tune, or measure and write bench/results/sourcing.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["tune", "measure"], default="measure")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=120.0)
    given = parser.parse_args(arguments)
    if given.what == "tune":
        tune(given.data)
        return
    rows = [
        measured(kind, world, seconds=given.seconds)
        for kind, world in worlds(given.data, tuning=False)
    ]
    keep(rows)


def keep(rows: Sequence[Row]) -> None:
    """Write the figures of the rows, and the shares that can be promised."""
    kinds = list(dict.fromkeys(str(row["set"]) for row in rows))
    headline = {
        name: {kind: mean(rows, kind, name) for kind in kinds}
        for name in (
            *("cost_ratio_to_nearest", "cost_ratio_to_optimum", "late_share"),
            *("nearest_first_ratio_to_optimum", "nearest_first_late_share"),
        )
    }
    path = write_results(
        "sourcing",
        {**headline, "scarcity": Policy().scarcity, "worlds": list(rows), "deliverable": shares()},
    )
    print(path)


if __name__ == "__main__":
    main(sys.argv[1:])
