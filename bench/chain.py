"""What planning a chain as one is worth: a warehouse and its stores on recorded demand.

FreshRetailNet's daily sales of stores in one city are the demand at the stores; the warehouse, its
supplier, cases, shelf life and costs come from bench/assumptions_chain.toml. Every morning the
product's own arithmetic (`goods.replenish`) plans all lines of

    own history     each level by its own: the warehouse by what stores ordered of it
    dependent       the warehouse by what its stores will draw, delivering at once
    chain           the same, with service times by the guaranteed-service model
    transfers       chain, and what one store does not need moves to another

with the same forecasts at the stores. `dependent` is run where `chain` promises anything but 0.
Stores order in full cases. Stock of the whole chain in days, what it threw away and
what it moved are read at the fill that `own history` reaches at its 0.95 service level.

    python -m bench.chain --data FILE [--seeds 5]
"""

import argparse
import dataclasses
import datetime
import tomllib
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bench.results_file import Figure, Row, write_results
from sanhe.goods.replenish import (
    Assumptions,
    Known,
    Moving,
    Policy,
    Prepared,
    Transfers,
    compute,
    planned_transfers,
    prepare,
    with_transfers,
    with_warehouses,
)
from sanhe.models.inventory import expected_demand
from sanhe.models.replay import Standing, days_at, half_width

ASSUMED: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "assumptions_chain.toml").read_text("utf-8")
)
LEVELS = (0.50, 0.65, 0.80, 0.90, 0.95, 0.98, 0.995)
"""Service levels of the curve."""
BASE_LEVEL = 0.95
POLICIES = ("own history", "dependent", "chain", "transfers")
HORIZON_DAYS = 28
WAREHOUSE = "DC"

Ints = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class World:
    """K SKUs in P stores: demand [T, K, P] in base units, and what suppliers ask, [K]."""

    demand: Ints
    first_day: datetime.date
    lead_days: Ints
    case: Ints
    supplier_case: Ints

    @property
    def skus(self) -> list[str]:
        """Codes of the SKUs."""
        return [f"K{number:03d}" for number in range(self.demand.shape[1])]

    @property
    def places(self) -> list[str]:
        """Codes of the stores."""
        return [f"S{number:02d}" for number in range(self.demand.shape[2])]


def read_sales(path: Path) -> tuple[Ints, Ints, datetime.date, F64]:
    """Store and product of each series of the largest city, the first day, and sales [N, T]."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    columns = ["city_id", "store_id", "product_id", "dt", "sale_amount"]
    table = pq.read_table(path, columns=columns)
    cities = table.column("city_id").value_counts()
    largest = max(cities.to_pylist(), key=lambda one: one["counts"])["values"]
    table = table.filter(pc.equal(table.column("city_id"), largest))
    data = {name: table.column(name).to_numpy() for name in columns}
    first = data["dt"].min()
    day = (data["dt"] - first).astype("timedelta64[D]").astype(np.int64)
    key = data["store_id"].astype(np.int64) * 1_000_000 + data["product_id"]
    series, at = np.unique(key, return_inverse=True)
    sales = np.zeros((series.size, int(day.max()) + 1))
    sales[at, day] = data["sale_amount"]
    return (
        series // 1_000_000,
        series % 1_000_000,
        datetime.date.fromisoformat(str(first)[:10]),
        sales,
    )


def world_of(
    sales: tuple[Ints, Ints, datetime.date, F64], given: Mapping[str, Any], *, seed: int
) -> World:
    """The stores with most series, and SKUs drawn among those sold in three quarters of them."""
    store, product, first, amount = sales
    stores, cases = int(given["stores"]), given.get("case_days", ASSUMED["case_days"])
    rng = np.random.default_rng(seed)
    names, count = np.unique(store, return_counts=True)
    chosen = rng.permutation(names[np.argsort(-count, kind="stable")][: 3 * stores])[:stores]
    place = {int(code): at for at, code in enumerate(chosen)}
    mine = np.isin(store, chosen)
    offered, sold_in = np.unique(product[mine], return_counts=True)
    often = offered[sold_in >= max(0.75 * stores, 1)]
    picked = rng.permutation(often)[: ASSUMED["skus"]]
    number = {int(code): at for at, code in enumerate(picked)}
    demand = np.zeros((amount.shape[1], len(picked), stores))
    for row in np.flatnonzero(mine & np.isin(product, picked)):
        demand[:, number[int(product[row])], place[int(store[row])]] = amount[row]
    units = np.rint(demand * ASSUMED["base_units"]).astype(np.int64)
    in_store = units.mean(axis=(0, 2))
    days = rng.uniform(*cases, len(picked))
    low, high = ASSUMED["supplier_lead_days"]
    return World(
        demand=units,
        first_day=first,
        lead_days=rng.integers(low, high + 1, len(picked)),
        case=np.maximum(np.rint(in_store * days), 1).astype(np.int64),
        supplier_case=np.maximum(
            np.rint(in_store * stores * ASSUMED["supplier_case_days"]), 1
        ).astype(np.int64),
    )


@dataclasses.dataclass(frozen=True)
class Window:
    """Mean and variance of demand over an interval, [N]."""

    mean: F64
    variance: F64


@dataclasses.dataclass(frozen=True)
class Morning:
    """A forecast by weekday means of the past: [N, H] base units; `daily_variance` [N].

    `sums`: past demand by which variances of sums are measured, of lines that have it. `rows`: by
    SKU and place.
    """

    as_of: datetime.date
    keys: pa.Table
    mean: NDArray[np.float32]
    daily_variance: F64
    sums: Mapping[int, F64]
    rows: Mapping[tuple[str, str], int]
    id: str = "morning"
    method: str = "weekday means"

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Measured quantities, not counts."""
        return np.zeros(len(self.mean), bool)

    def window(self, keys: pa.Table, days: NDArray[np.int64]) -> Window:
        """Demand of each line of `keys` over its first `days` days."""
        asked = zip(keys["sku"].to_pylist(), keys["place"].to_pylist(), strict=True)
        row = np.array([self.rows[key] for key in asked], np.int64)
        length = np.broadcast_to(np.asarray(days, np.int64), row.shape)
        mean = expected_demand(self.mean[row], length) if row.size else np.zeros(0)
        variance = self.daily_variance[row] * length
        for at in np.flatnonzero(np.isin(row, list(self.sums))):
            past, span = self.sums[int(row[at])], int(length[at])
            if 0 < span < past.size // 2:
                variance[at] = np.convolve(past, np.ones(span), "valid").var()
        return Window(mean, variance)

    def drivers(self, keys: pa.Table, days: F64) -> None:
        """Not opened into drivers."""


class Chain:
    """The chain while it runs. Stock [lines, life]: by days it may still be sold, the last first.

    Lines are K x P stores, then K of the warehouse. Orders of stores wait at the warehouse until
    it has the goods, the oldest first.
    """

    def __init__(self, world: World, policy: str, level: float) -> None:
        _, self.k, self.p = world.demand.shape
        self.world, self.policy = world, policy
        self.life = int(ASSUMED["shelf_life_days"])
        self.lines = self.k * self.p
        moving = Moving()
        if policy == "transfers":
            moving = Moving(
                ASSUMED["moving_cents_per_line"], lead_time_days=ASSUMED["moving_lead_days"]
            )
        self.rules = Policy(
            lowest_service=level,
            highest_service=level,
            holding_rate_per_year=ASSUMED["holding_rate_per_year"],
            moving=moving,
        )
        self.assumptions = dataclasses.replace(Assumptions.load(), lead_time_sd_days=0.0)
        self.stock = np.zeros((self.lines + self.k, self.life), np.int64)
        self.coming = np.zeros_like(self.stock)
        self.bought: dict[int, Ints] = {}
        self.waiting: list[tuple[int, Ints]] = []
        self.ordered: list[Ints] = list(world.demand[: ASSUMED["history_days"]].sum(axis=2))
        names = [(sku, place) for sku in world.skus for place in world.places]
        names += [(sku, WAREHOUSE) for sku in world.skus]
        self.keys = pa.table({"sku": [n for n, _ in names], "place": [n for _, n in names]})
        self.rows = {name: row for row, name in enumerate(names)}
        self.fixed = self._fixed()
        self.wasted = self.moves = self.moved = 0
        self.promised: list[float] = []
        self._open_with_stock()

    def _open_with_stock(self) -> None:
        """Four days of demand at each store and at the warehouse."""
        mean = self.world.demand[: ASSUMED["history_days"]].mean(axis=0)
        own = np.concatenate([mean.ravel(), mean.sum(axis=1)])
        self.stock[:, -1] = np.rint(4 * own)

    def _fixed(self) -> Known:
        """What does not change: items, terms, places, prices."""
        world, chained = self.world, self.policy != "own history"
        rows = [
            {"sku": sku, "place": None, "supplier": WAREHOUSE, "case_size": int(case)}
            | {"lead_time_days": ASSUMED["store_lead_days"]}
            for sku, case in zip(world.skus, world.case.tolist(), strict=True)
        ]
        rows += [
            {"sku": sku, "place": WAREHOUSE, "supplier": "V", "case_size": case}
            | {"lead_time_days": lead}
            for sku, case, lead in zip(
                world.skus, world.supplier_case.tolist(), world.lead_days.tolist(), strict=True
            )
        ]
        terms = [
            {**row, "unit_cost_cents": ASSUMED["unit_cost_cents"], "moq": 1, "priority": 1}
            for row in rows
        ]
        price = ASSUMED["unit_cost_cents"] / (1 - ASSUMED["margin_rate"])
        places = [*world.places, WAREHOUSE]
        stores = len(world.places)
        return Known(
            items=pa.table(
                {
                    "sku": world.skus,
                    "name": world.skus,
                    "base_unit": ["each"] * self.k,
                    "case_size": world.case,
                    "shelf_life_days": [self.life] * self.k,
                }
            ),
            terms=pa.Table.from_pylist(terms),
            prices=pa.table(
                {
                    "sku": world.skus,
                    "place": pa.nulls(self.k, pa.string()),
                    "price_cents": [100.0 * price] * self.k,
                    "per_units": [100] * self.k,
                    "tax_included": [False] * self.k,
                    "tax_rate": [0.0] * self.k,
                }
            ),
            places=pa.table(
                {
                    "id": places,
                    "kind": ["store"] * stores + ["warehouse"],
                    "parent": pa.array([WAREHOUSE] * stores + [None], pa.string()),
                    "region": ["city"] * (stores + 1),
                }
            )
            if chained
            else None,
        )

    def day(self, today: int) -> tuple[Ints, Ints]:
        """One day: arrivals, plan, shipping, sales, ageing; demand and sales of the stores."""
        arrived = self.bought.pop(today, None)
        self.stock += self.coming
        self.coming[:] = 0
        if arrived is not None:
            self.stock[self.lines :, -1] += arrived
        self._ship(today)
        prepared, moves = self._plan(today)
        quantity = compute(prepared.lines, prepared.shared).quantity
        if moves is not None:
            self._move(moves)
        due = today + self.world.lead_days
        for day in np.unique(due):
            some = np.where(due == day, quantity[self.lines :], 0)
            self.bought[int(day)] = self.bought.get(int(day), np.zeros(self.k, np.int64)) + some
        self.ordered.append(quantity[: self.lines].reshape(self.k, self.p).sum(axis=1))
        self.waiting.append((today, quantity[: self.lines].copy()))
        self._ship(today)
        demand = self.world.demand[today].reshape(-1)
        sold = _taken(self.stock[: self.lines], demand)
        self.stock[: self.lines] -= sold
        self.wasted += int(self.stock[:, 0].sum())
        self.stock[:, :-1] = self.stock[:, 1:].copy()
        self.stock[:, -1] = 0
        self.coming[:, :-1] = self.coming[:, 1:].copy()
        self.coming[:, -1] = 0
        return demand, sold.sum(axis=1)

    def _ship(self, today: int) -> None:
        """What stores ordered leaves in full cases as far as the warehouse has them, shared in
        proportion."""
        left = []
        for day, wanted in self.waiting:
            stock = self.stock[self.lines :]
            asked = wanted.reshape(self.k, self.p)
            total = asked.sum(axis=1)
            share = np.minimum(1.0, stock.sum(axis=1) / np.maximum(total, 1))
            cases, case = asked // self.world.case[:, None], self.world.case[:, None]
            sent = np.floor(cases * share[:, None] + 1e-9).astype(np.int64)
            room = stock.sum(axis=1) // self.world.case - sent.sum(axis=1)
            rest = cases - sent
            before = np.cumsum(rest, axis=1) - rest
            sent = (sent + np.clip(room[:, None] - before, 0, rest)) * case
            ends, lots = np.cumsum(sent, axis=1), np.cumsum(stock, axis=1)
            overlap = np.minimum(ends[:, :, None], lots[:, None, :]) - np.maximum(
                (ends - sent)[:, :, None], (lots - stock)[:, None, :]
            )
            parts = np.maximum(overlap, 0)
            self.stock[self.lines :] -= parts.sum(axis=1)
            self.coming[: self.lines] += parts.reshape(self.lines, self.life)
            if (asked > sent).any():
                left.append((day, (asked - sent).reshape(-1)))
        self.waiting = left

    def _move(self, moves: Transfers) -> None:
        """Transfers leave at once and arrive the next day, the first to expire first."""
        least = ASSUMED["moving_lead_days"]
        rows = zip(moves.giver.tolist(), moves.taker.tolist(), moves.quantity.tolist(), strict=True)
        for giver, taker, quantity in rows:
            lots = self.stock[giver : giver + 1].copy()
            lots[:, :least] = 0
            sent = _taken(lots, np.array([quantity]))[0]
            self.stock[giver] -= sent
            self.coming[taker] += sent
            self.moves += 1
            self.moved += int(sent.sum())

    def _plan(self, today: int) -> tuple[Prepared, Transfers | None]:
        """The product's plan of this morning."""
        known, morning = self._known(today), self._morning(today)
        forecast = with_warehouses(morning, known)
        prepared = prepare(forecast, known, policy=self.rules, assumptions=self.assumptions)
        if prepared.chain is not None:
            self.promised.append(float((prepared.supply.promised_days[self.lines :] > 0).mean()))
        moves = planned_transfers(prepared, known, self.rules)
        return (prepared if moves is None else with_transfers(prepared, moves)), moves

    def _morning(self, today: int) -> Morning:
        """Weekday means of the past four weeks, smoothed by the SKU's share of each weekday."""
        back = ASSUMED["history_days"]
        past = self.world.demand[today - back : today].astype(float)
        weekday = np.arange(today, today + HORIZON_DAYS) % 7
        of_week = past.sum(axis=2).reshape(back // 7, 7, self.k).mean(axis=0) + 1e-9
        share = of_week / of_week.mean(axis=0)
        # Row 0 of the past is the weekday of `today`, as it begins whole weeks earlier.
        ahead = share[(weekday - today) % 7]
        mean = past.mean(axis=0)[:, :, None] * ahead.T[:, None, :]
        spread = past - mean[:, :, :7].transpose(2, 0, 1)[np.arange(back) % 7]
        variance = spread.var(axis=0).reshape(-1)
        rows = mean.reshape(self.lines, HORIZON_DAYS)
        sums: dict[int, F64] = {}
        if self.policy == "own history":
            orders = np.array(self.ordered[-2 * back :], float)
            level = orders[-back:].mean(axis=0)
            own = np.repeat(level[:, None], HORIZON_DAYS, axis=1)
            sums = {self.lines + sku: orders[:, sku] for sku in range(self.k)}
            own_variance = orders.var(axis=0)
        else:
            own = np.zeros((self.k, HORIZON_DAYS))
            # A crumb of demand of its own makes a warehouse deliver at once.
            own_variance = np.full(self.k, 1e-12 if self.policy == "dependent" else 0.0)
        return Morning(
            self.world.first_day + datetime.timedelta(days=today),
            self.keys,
            np.concatenate([rows, own]).astype(np.float32),
            np.concatenate([variance, own_variance]),
            sums,
            self.rows,
        )

    def _known(self, today: int) -> Known:
        """What the systems know on this morning."""
        date = self.world.first_day + datetime.timedelta(days=today)
        line, left = np.nonzero(self.stock)
        lots = {
            **{name: self.keys[name].take(pa.array(line)) for name in ("sku", "place")},
            "expires": pa.array(
                [date + datetime.timedelta(days=days) for days in left.tolist()], pa.date32()
            ),
            "quantity": self.stock[line, left],
        }
        orders = [
            (day, np.concatenate([np.zeros(self.lines, np.int64), quantity]))
            for day, quantity in self.bought.items()
        ]
        nothing = np.zeros(self.k, np.int64)
        owed = sum((quantity for _, quantity in self.waiting), np.zeros(self.lines, np.int64))
        orders.append((today + 1, self.coming.sum(axis=1)))
        orders.append((today + 1, np.concatenate([owed, nothing])))
        parts = []
        for day, quantity in orders:
            rows = np.flatnonzero(quantity)
            due = date + datetime.timedelta(days=day - today)
            parts.append(
                self.keys.take(pa.array(rows))
                .append_column("quantity", pa.array(quantity[rows]))
                .append_column("due", pa.array([due] * len(rows), pa.date32()))
            )
        leaving = owed.reshape(self.k, self.p).sum(axis=1)
        count = len(self.stock)
        return dataclasses.replace(
            self.fixed,
            positions=pa.table(
                {
                    "sku": self.keys["sku"],
                    "place": self.keys["place"],
                    "net": self.stock.sum(axis=1),
                    "reserved": np.zeros(count, np.int64),
                    "known_since": ["2024-01-01"] * count,
                }
            ),
            lots=pa.table(lots),
            on_order=pa.concat_tables(parts),
            leaving=pa.table(
                {"sku": self.world.skus, "place": [WAREHOUSE] * self.k, "quantity": leaving}
            ),
        )


def _taken(stock: Ints, wanted: Ints) -> Ints:
    """What is taken of each lot, the first to expire first, [lines, life]."""
    before = np.cumsum(stock, axis=1) - stock
    return np.clip(wanted[:, None] - before, 0, stock)


def ran(world: World, policy: str, level: float) -> dict[str, float]:
    """One policy at one service level through all days: its figures after the warm-up."""
    chain = Chain(world, policy, level)
    first = ASSUMED["history_days"]
    counted = first + ASSUMED["warm_days"]
    held = sold = asked = 0.0
    for today in range(first, len(world.demand)):
        demand, served = chain.day(today)
        if today == counted:
            chain.wasted = chain.moves = chain.moved = 0
        if today >= counted:
            held += float(chain.stock.sum() + chain.coming.sum())
            sold += float(served.sum())
            asked += float(demand.sum())
    return {
        "days": held / max(sold, 1.0),
        "fill": sold / max(asked, 1.0),
        "waste": chain.wasted / max(sold, 1.0),
        "moves": float(chain.moves),
        "moved": chain.moved / max(sold, 1.0),
        "moving_cents": chain.moves * ASSUMED["moving_cents_per_line"],
        "sold": sold,
        "promising": float(np.mean(chain.promised)) if chain.promised else 0.0,
    }


def at_fill(curve: list[list[dict[str, float]]], name: str, fill: F64) -> F64:
    """A figure of a policy at this fill, by seed; `curve` by level and seed."""
    points = [
        Standing(np.array([one[name] for one in level]), np.array([one["fill"] for one in level]))
        for level in curve
    ]
    return days_at(points, fill)


def of_world(
    given: Mapping[str, Any], sales: Any, seeds: int
) -> tuple[dict[str, float], list[Row]]:
    """The figures of one world: every policy at the fill of `own history` at its base level."""
    policies = given.get("policies", POLICIES)
    curves: dict[str, list[list[dict[str, float]]]] = {name: [] for name in policies}
    worlds = [world_of(sales, given, seed=seed) for seed in range(seeds)]
    for name in policies:
        for level in LEVELS:
            curves[name].append([ran(world, name, level) for world in worlds])
            mean = {k: np.mean([one[k] for one in curves[name][-1]]) for k in ("days", "fill")}
            print(given["name"], name, level, mean, flush=True)
    base = curves["own history"][LEVELS.index(BASE_LEVEL)]
    fill = np.array([one["fill"] for one in base])
    figures: dict[str, float] = {"fill": float(fill.mean())}
    before = at_fill(curves["own history"], "days", fill)
    for name in policies:
        key = name.replace(" ", "_")
        days = at_fill(curves[name], "days", fill)
        figures[f"{key}_days"] = float(np.nanmean(days))
        figures[f"{key}_waste"] = float(np.nanmean(at_fill(curves[name], "waste", fill)))
        figures[f"{key}_saved_share"] = float(np.nanmean(1 - days / before))
        saved = (1 - days / before)[np.isfinite(days)]
        figures[f"{key}_saved_share_half_width"] = half_width(saved)
        figures[f"{key}_seeds_at_fill"] = int(np.isfinite(days).sum())
    figures["promising_share"] = float(
        np.mean([o["promising"] for o in curves["chain"][LEVELS.index(BASE_LEVEL)]])
    )
    figures["moved_share"] = float(np.nanmean(at_fill(curves["transfers"], "moved", fill)))
    figures |= _money(curves, fill)
    rows: list[Row] = [
        {"world": given["name"], "policy": name, "level": level}
        | {key: round(float(np.mean([one[key] for one in point])), 4) for key in point[0]}
        for name in policies
        for level, point in zip(LEVELS, curves[name], strict=True)
    ]
    return {key: round(value, 4) for key, value in figures.items()}, rows


def _money(curves: Mapping[str, list[list[dict[str, float]]]], fill: F64) -> dict[str, float]:
    """What transfers save in waste and what they cost to move, in cents a hundred units sold."""
    cost, sold = ASSUMED["unit_cost_cents"], at_fill(curves["transfers"], "sold", fill)
    waste = [at_fill(curves[name], "waste", fill) for name in ("chain", "transfers")]
    moving = at_fill(curves["transfers"], "moving_cents", fill) / sold
    return {
        "waste_saved_cents_per_100": float(np.nanmean(100 * cost * (waste[0] - waste[1]))),
        "moving_cents_per_100": float(np.nanmean(100 * moving)),
    }


def main() -> None:
    """Run all worlds and write bench/results/chain.json."""
    parser = argparse.ArgumentParser(description="A warehouse and its stores planned as one")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    asked = parser.parse_args()
    sales = read_sales(asked.data)
    figures: dict[str, Figure] = {"seeds": asked.seeds}
    rows: list[Row] = []
    worlds = ASSUMED["world"]
    with ProcessPoolExecutor() as pool:
        found = pool.map(of_world, worlds, [sales] * len(worlds), [asked.seeds] * len(worlds))
        for given, (of, points) in zip(worlds, found, strict=True):
            figures[given["name"].replace(" ", "_")] = of
            rows += points
            print(given["name"], of, flush=True)
    print(write_results("chain", {**figures, "points": rows}))


if __name__ == "__main__":
    main()
