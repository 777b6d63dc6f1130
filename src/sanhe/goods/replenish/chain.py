"""Chains of places (配送链): what a distribution centre needs follows from the places it supplies.

A line whose supplier is a warehouse of ours draws on that warehouse's line of the same SKU. What is
drawn until the warehouse's next order arrives is what the places it supplies order until then. On
its next order day a place orders what it lacks of its level, or less by what it has beyond; on each
one after that what it sells in between, as far ahead as its orders reach. They order in lots of Q
(full cases, minimum quantities), so that a position ends anywhere from the level to Q - 1 above
it: (Q - 1) / 2 more on average, with the variance (Q^2 - 1) / 12 of a uniform distribution (as for
(R, nQ) policies: Axsaeter, Inventory Control, 3rd ed., 5.3). Places sell independently, so the
variances of what they sell are added up (pooled). Where safety stock lies, at the warehouse or at
the places, is chosen by the guaranteed-service model, once for each plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from sanhe.core.errors import BadInput
from sanhe.goods.replenish.covering import Supply
from sanhe.goods.replenish.lines import Lines
from sanhe.goods.replenish.matching import Matched, Texts, encoded, lines_of
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.models.inventory import Bools, Floats, Ints, Limit, best_promise, expected_demand

if TYPE_CHECKING:
    import pyarrow as pa

KINDS: Final = frozenset({"warehouse", "micro_warehouse"})
"""The kinds of places that supply others where supply terms name them as supplier."""

DRAWN: Final = "drawn by the places it supplies"
"""The driver of a warehouse's demand besides its own."""

_WEEK: Final = 7

_PIECE_ARCS: Final = 100_000
"""So many lines that draw on others are looked at together, so that memory stays bounded."""


def warehouses(places: pa.Table | None) -> list[str]:
    """The codes of the places that may supply others."""
    if places is None:
        return []
    pairs = zip(places.column("id").to_pylist(), places.column("kind").to_pylist(), strict=True)
    return [code for code, kind in pairs if kind in KINDS]


def supplying(known: Known) -> list[str]:
    """The places of ours that supply terms name as supplier."""
    if known.terms is None or not (codes := warehouses(known.places)):
        return []
    named = set(known.terms.column("supplier").unique().to_pylist())
    return [code for code in codes if code in named]


@dataclass(frozen=True, slots=True)
class Windowed:
    """Demand over an interval, [K], in base units."""

    mean: Floats
    variance: Floats


@dataclass(frozen=True, slots=True)
class _Above:
    """A forecast on top of another one, known by its name."""

    base: Forecast

    @property
    def id(self) -> str:
        """The id of the forecast below."""
        return self.base.id

    @property
    def method(self) -> str:
        """How it was made."""
        return self.base.method

    @property
    def as_of(self) -> date:
        """The first forecast day."""
        return self.base.as_of


@dataclass(frozen=True, slots=True)
class WithWarehouses(_Above):
    """A forecast with a line for each SKU of a warehouse that others draw on, sold there or not.

    `added`: so many lines at the end have no forecast of their own.
    """

    keys: pa.Table
    mean: npt.NDArray[np.float32]
    counted: Bools
    added: int

    def window(self, keys: pa.Table, days: npt.NDArray[np.int64]) -> Windowed:
        """Own demand of each line over the first `days` days."""
        own = np.flatnonzero(self._forecast(keys))
        mean, variance = np.zeros((2, keys.num_rows))
        found = self.base.window(keys.take(own), np.asarray(days)[own])
        mean[own], variance[own] = found.mean, found.variance
        return Windowed(mean, variance)

    def drivers(self, keys: pa.Table, days: Floats) -> Mapping[str, Floats] | None:
        """What own demand is made of."""
        own = np.flatnonzero(self._forecast(keys))
        found = self.base.drivers(keys.take(own), days[own])
        if found is None:
            return None
        drivers = {name: np.zeros(keys.num_rows) for name in found}
        for name, units in found.items():
            drivers[name][own] = units
        return drivers

    def _forecast(self, keys: pa.Table) -> Bools:
        rows = lines_of(self.keys.column("sku"), self.keys.column("place"), of=keys)
        own: Bools = rows < self.keys.num_rows - self.added
        return own


def with_warehouses(forecast: Forecast, known: Known) -> Forecast:
    """The forecast with the lines of warehouses that others draw on; the same where none lack."""
    import pyarrow as pa
    import pyarrow.compute as pc

    sources = supplying(known)
    if not sources:
        return forecast
    keys = forecast.keys.select(["sku", "place"])
    terms = Matched(known.terms, keys.column("sku"), keys.column("place"))
    supplier = encoded(terms.column("supplier").cast(pa.string()))
    wanted = pa.table({"sku": keys.column("sku"), "place": supplier}).combine_chunks()
    drawn = pc.is_in(wanted.column("place").cast(pa.string()), pa.array(sources, pa.string()))
    wanted = wanted.filter(drawn).cast(keys.schema)
    found = lines_of(keys.column("sku"), keys.column("place"), of=wanted)
    added = wanted.filter(pa.array(found < 0)).group_by(["sku", "place"]).aggregate([])
    added = added.sort_by([("place", "ascending"), ("sku", "ascending")]).select(["sku", "place"])
    if not added.num_rows:
        return forecast
    mean = np.zeros((added.num_rows, forecast.mean.shape[1]), np.float32)
    more = WithWarehouses(
        base=forecast,
        keys=pa.concat_tables([keys, added]),
        mean=np.concatenate([forecast.mean, mean]),
        counted=np.concatenate([forecast.counted, np.ones(added.num_rows, bool)]),
        added=added.num_rows,
    )
    # A warehouse may draw on another one.
    return with_warehouses(more, known)


@dataclass(frozen=True, slots=True)
class Chain:
    """E arcs between N lines of a plan: `customer` draws on `source`, the same SKU elsewhere.

    `depth` [E]: 0 where nobody draws on the customer, else one more than the deepest of those.
    `drawn` [E]: what the customer is expected to draw while an order of the source has to last, at
    levels as they are. `promised_days` [N]: the outbound service time of a source, how long its
    customers wait for what they order.
    """

    customer: Ints
    source: Ints
    depth: Ints
    drawn: Floats
    promised_days: Ints

    @property
    def is_source(self) -> Bools:
        """Which lines others draw on, [N]."""
        flags = np.zeros(self.promised_days.size, bool)
        flags[self.source] = True
        return flags

    def levels(self) -> list[Ints]:
        """The arcs by depth, the customers nobody draws on first."""
        return [np.flatnonzero(self.depth == depth) for depth in np.unique(self.depth)]

    def downstream_gap(self, lines: Lines) -> Ints:
        """What the customers of each line lack of their levels, less what they have beyond, and
        what fills their last lot on average, [N].

        What is beyond counts as long as they would have drawn something.
        """
        gap = np.zeros(lines.moq.size, np.int64)
        half_lot = (lot_size(lines.moq, lines.case_size) - 1) // 2
        # Its own gap is part of a position, and found anew here.
        lack = lines.level() - lines.position() - lines.downstream_gap
        for arcs in self.levels():
            customer = self.customer[arcs]
            owed = lack[customer] + gap[customer]
            least = -np.floor(self.drawn[arcs]).astype(np.int64)
            lacks = np.where(owed > least, owed + half_lot[customer], least)
            np.add.at(gap, self.source[arcs], lacks)
        return gap


def chain_of(sku: pa.DictionaryArray, place: pa.DictionaryArray, supplier: Texts) -> Chain | None:
    """Who draws on whom; `supplier` [N] where a line draws on a place of ours, else None.

    Raises BadInput where places supply each other in a circle.
    """
    import pyarrow as pa

    drawn = pa.array(supplier, pa.string())
    customer = np.flatnonzero(~np.asarray(drawn.is_null()))
    wanted = pa.table({"sku": sku.take(pa.array(customer)), "place": drawn.drop_null()})
    source = lines_of(sku, place, of=wanted)
    customer, source = customer[source >= 0], source[source >= 0]
    if not customer.size:
        return None
    height = np.zeros(len(sku), np.int64)
    for _ in range(len(place.dictionary) + 1):
        before = height.copy()
        np.maximum.at(height, source, height[customer] + 1)
        if (height == before).all():
            nothing = np.zeros(customer.size), np.zeros(len(sku), np.int64)
            return Chain(customer, source, height[customer], *nothing)
    at = int(height.argmax())
    raise BadInput(
        f"{sku[at].as_py()} at {place[at].as_py()} is supplied in a circle",
        place="supply terms",
        remedy="let one of the places be supplied from outside",
    )


def lot_size(moq: Ints, case_size: Ints) -> Ints:
    """The least that a line orders, in full cases."""
    lots: Ints = -(-np.maximum(moq, 1) // case_size) * case_size
    return lots


def promised_days(
    chain: Chain, cover_days: Floats, sd_per_day: Floats, *, holding_cost: Floats
) -> Ints:
    """The outbound service time of every source in whole days, 0 for all other lines, [N].

    By the guaranteed-service model where the chain has two stages and the source sells nothing
    itself. Shoppers don't wait, and in longer chains every source delivers at once.
    """
    deep = np.isin(chain.source, chain.customer) | (chain.depth > 0)
    at_once = sd_per_day > 0
    at_once[chain.source[deep]] = True
    source, at = np.unique(chain.source, return_inverse=True)
    whole = np.ceil(cover_days)
    best = best_promise(
        whole[source],
        holding_cost[source],
        group=at,
        customer_days=whole[chain.customer],
        customer_sd=sd_per_day[chain.customer],
        customer_cost=holding_cost[chain.customer],
    )
    promised = np.zeros(cover_days.size, np.int64)
    promised[source] = np.where(at_once[source], 0, best)
    return promised


def waiting(supply: Supply, chain: Chain) -> Supply:
    """The supply with what customers wait for their sources beyond the agreed lead time."""
    wait = np.zeros_like(supply.due_in)
    wait[chain.customer] = chain.promised_days[chain.source]
    due_in = supply.due_in + wait
    longer = np.maximum(supply.lead_time_days, due_in - supply.order_in)
    lead = np.where(wait > 0, longer, supply.lead_time_days)
    return replace(supply, lead_time_days=lead, due_in=due_in, promised_days=chain.promised_days)


def stock_limit(chain: Chain, free: Ints, own_demand: Floats, *, amount: Ints) -> Limit:
    """What customers can get of each source now: what lies there, less what it sells itself until
    more arrives. A source that promises to deliver later, or whose stock is not known (`free`
    below 0 stands for that), limits nothing. `amount` [N]: base units of a case.
    """
    source, at = np.unique(chain.source, return_inverse=True)
    limited = (chain.promised_days[source] == 0) & (free[source] >= 0)
    group = np.full(free.size, -1, np.int64)
    group[chain.customer] = np.where(limited[at], at, -1)
    room = np.maximum(free[source] - np.rint(own_demand[source]), 0.0)
    return Limit(group, amount.astype(np.float64), room)


@dataclass(frozen=True, slots=True)
class DrawnForecast(_Above):
    """A forecast of `keys` in which sources have the demand of all they supply besides their own.

    `mean` [N, H] by day, what others order as the module says; `counted` [N]. The variance of a
    source adds up those of all that draw on it, directly or not: of line n those of
    below[start[n]:end[n]], each without the last `every` [N] days, which it orders for later;
    `lot_variance` [N] is what their lots add.
    """

    keys: pa.Table
    mean: npt.NDArray[np.float32]
    counted: Bools
    below: Ints
    start: Ints
    end: Ints
    every: Ints
    lot_variance: Floats

    def window(self, keys: pa.Table, days: npt.NDArray[np.int64]) -> Windowed:
        """Demand of each line over the first `days` days, what others draw among it."""
        days = np.broadcast_to(np.asarray(days, np.int64), (keys.num_rows,))
        own, row = self.base.window(keys, days), self._rows(keys)
        at = np.flatnonzero(self.end[row] > self.start[row])
        if not at.size:
            return Windowed(own.mean, own.variance)
        mean, variance = own.mean.copy(), own.variance.copy()
        of = row[at]
        each = self.end[of] - self.start[of]
        asked = np.repeat(np.arange(at.size), each)
        number = np.arange(asked.size) - np.repeat(np.cumsum(each) - each, each)
        below = self.below[self.start[of][asked] + number]
        seen = np.maximum(days[at][asked] - self.every[below], 0)
        drawn = self.base.window(self.keys.take(below), seen)
        variance[at] += np.bincount(asked, drawn.variance, at.size) + self.lot_variance[of]
        mean[at] = expected_demand(self.mean[of], days[at])
        return Windowed(mean, variance)

    def drivers(self, keys: pa.Table, days: Floats) -> Mapping[str, Floats] | None:
        """The drivers of own demand, and what is drawn."""
        found, row = self.base.drivers(keys, days), self._rows(keys)
        if found is None or not (drawn_on := self.end[row] > self.start[row]).any():
            return found
        own = np.sum(list(found.values()), axis=0)
        drawn = np.where(drawn_on, expected_demand(self.mean[row], days) - own, 0.0)
        return {**found, DRAWN: drawn}

    def _rows(self, keys: pa.Table) -> Ints:
        return lines_of(self.keys.column("sku"), self.keys.column("place"), of=keys)


def drawn_forecast(
    forecast: Forecast,
    keys: pa.Table,
    chain: Chain,
    *,
    mean: Floats,
    counted: Bools,
    supply: Supply,
    lots: Ints,
) -> tuple[DrawnForecast, Chain]:
    """The forecast of these lines with what is drawn on sources, and the chain with `drawn`.

    `mean` [N, H] and `counted` [N] are their own, `lots` [N]: the least they order.
    """
    total, drawn = mean.copy(), chain.drawn.copy()
    lasting = np.maximum(supply.next_arrival_in - chain.promised_days, 0.0)
    every = np.maximum(supply.next_order_in - supply.order_in, 1)
    for arcs in chain.levels():
        for piece in np.array_split(arcs, max(arcs.size // _PIECE_ARCS, 1)):
            customer, source = chain.customer[piece], chain.source[piece]
            orders = _orders_by_day(
                total[customer],
                np.rint(supply.next_arrival_in[customer]).astype(np.int64),
                first=supply.order_in[customer],
                every=every[customer],
            )
            np.add.at(total, source, orders)
            drawn[piece] = expected_demand(orders, lasting[source])
    below, above = _ancestry(chain)
    order = np.argsort(above, kind="stable")
    ends = np.searchsorted(above[order], np.arange(len(mean) + 1))
    whole = counted.copy()
    whole[chain.source] = True
    np.logical_and.at(whole, above, counted[below])
    added = (lots[below].astype(np.float64) ** 2 - 1.0) / 12.0
    made = DrawnForecast(
        base=forecast,
        keys=keys,
        mean=total.astype(np.float32),
        counted=whole,
        below=below[order],
        start=ends[:-1],
        end=ends[1:],
        every=every,
        lot_variance=np.bincount(above, added, len(mean)).astype(np.float64),
    )
    return made, replace(chain, drawn=drawn)


def _orders_by_day(mean: Floats, cover: Ints, *, first: Ints, every: Ints) -> Floats:
    """What E lines order by day, [E, H], after their order on day `first` [E].

    `every` [E] days an order brings what is sold in so many, `cover` [E] days ahead; beyond the
    horizon of their daily demand `mean` [E, H] the last week goes on.
    """
    horizon = mean.shape[1]
    week = min(_WEEK, horizon)
    day = np.arange(horizon + int(cover.max(initial=0)) + int(every.max(initial=1)))
    day = np.where(day < horizon, day, horizon - week + (day - horizon) % week)
    until = np.zeros((len(mean), day.size + 1))
    np.cumsum(mean[:, day], axis=1, out=until[:, 1:])
    since = np.arange(horizon) - first[:, None]
    is_order = (since > 0) & (since % every[:, None] == 0)
    end = np.where(is_order, cover[:, None] + since, 0)
    begin = np.where(is_order, end - every[:, None], 0)
    return np.take_along_axis(until, end, axis=1) - np.take_along_axis(until, begin, axis=1)


def _ancestry(chain: Chain) -> tuple[Ints, Ints]:
    """Every line with every one it draws on, directly or through others."""
    parent = np.full(chain.promised_days.size, -1, np.int64)
    parent[chain.customer] = chain.source
    below, above = chain.customer, chain.source
    pairs = []
    while above.size:
        pairs.append((below, above))
        up = parent[above]
        below, above = below[up >= 0], up[up >= 0]
    lower, upper = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return lower, upper
