"""From tables of what is known to arrays the rules can work on; gaps are filled and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.matching import Matched, by_priority, whole
from sanhe.goods.replenish.money import UnitMoney, unit_money
from sanhe.goods.replenish.policy import Policy
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.goods.replenish.rules import Lines
from sanhe.goods.suppliers import order_waits
from sanhe.models.inventory import (
    Bools,
    Demand,
    Floats,
    Ints,
    critical_ratio,
    expected_demand,
    perishable_ratio,
    sellable_within,
    unit_costs,
)

if TYPE_CHECKING:
    import pyarrow as pa


LONGEST_DAYS = 365
"""Goods that keep longer count as keeping a year: no order covers more."""


@dataclass(frozen=True, slots=True)
class Supply:
    """How each line is supplied, [N]; `order_weekdays` as ISO numbers in text, empty = any.

    `lead_time_days` and `lead_time_sd_days` are measured or agreed. `order_in`: days until the
    supplier takes the next order (0 = today), `next_order_in`: until the one after it.
    """

    supplier: tuple[str, ...]
    order_weekdays: tuple[str | None, ...]
    lead_time_days: Floats
    lead_time_sd_days: Floats
    review_days: Ints
    order_in: Ints
    next_order_in: Ints

    @property
    def can_order(self) -> Bools:
        """Whether the order day comes before the next review, so that today's has to use it."""
        ready: Bools = self.order_in < self.review_days
        return ready

    @property
    def arrives_in(self) -> Floats:
        """Days until an order of the next order day arrives."""
        return self.order_in + self.lead_time_days

    @property
    def next_arrival_in(self) -> Floats:
        """Days until the order after it arrives: how long this order has to last."""
        return self.next_order_in + self.lead_time_days


@dataclass(frozen=True, slots=True)
class Prepared:
    """N lines ready to compute, with what is needed to explain them.

    `assumed[i]`: names of the inputs of line i that were assumed. `class_rules[i]`: the settings
    that its class steers, with the class of the policy that set them.
    """

    forecast: Forecast
    sku: tuple[str, ...]
    place: tuple[str, ...]
    item_name: tuple[str | None, ...]
    label: tuple[str, ...]
    mean: Floats
    lines: Lines
    until_arrival: Demand
    supply: Supply
    shelf_life_days: Floats
    stock_known_since: tuple[str | None, ...]
    assumed: tuple[tuple[str, ...], ...]
    class_rules: tuple[Mapping[str, str], ...]


class _Gaps:
    """Collects the names of the inputs that were assumed, line by line."""

    def __init__(self, lines: int) -> None:
        self.names: list[tuple[str, ...]] = [()] * lines

    def add(self, name: str, missing: Bools) -> None:
        for row in np.flatnonzero(missing):
            self.names[row] = (*self.names[row], name)


@dataclass(frozen=True, slots=True)
class _Given:
    """What is at hand for N lines while they are prepared."""

    sku: tuple[str, ...]
    place: tuple[str, ...]
    label: tuple[str, ...]
    mean: Floats
    known: Known
    policy: Policy
    assumptions: Assumptions
    items: Matched
    terms: Matched
    stock: Matched
    gaps: _Gaps


@dataclass(frozen=True, slots=True)
class _OpenOrders:
    """Open orders of N lines: in time, due after the cover, and the overdue part of the first."""

    within: Ints
    later: Ints
    overdue: Ints


@dataclass(frozen=True, slots=True)
class _Expiring:
    """The lines that expire, and their demand until then."""

    rows: Ints
    demand: Demand


def prepare(
    forecast: Forecast,
    known: Known,
    *,
    policy: Policy,
    assumptions: Assumptions,
    rows: Ints | None = None,
) -> Prepared:
    """All lines of the forecast, or those of `rows`, with what is known; gaps are assumed."""
    chosen = np.arange(forecast.keys.num_rows) if rows is None else rows
    keys = forecast.keys.take(chosen)
    given = _given(
        keys,
        np.asarray(forecast.mean, np.float64)[chosen],
        known,
        policy=policy,
        assumptions=assumptions,
    )
    supply = _supply(given, forecast.as_of)
    counted = np.asarray(forecast.counted, bool)[chosen]
    until_arrival, until_next = (
        _demand_over(forecast, keys, counted, days=days, sd=supply.lead_time_sd_days)
        for days in (supply.arrives_in, supply.next_arrival_in)
    )
    life = given.items.numbers("shelf_life_days")
    life = np.where(np.isnan(life), np.inf, life)
    money = _money(given)
    service_level = _service_level(
        given,
        supply,
        money,
        until_next=until_next,
        until_expiry=_until_expiry(
            forecast, keys, counted, arrives_in=supply.arrives_in, life=life
        ),
    )
    orders = _open_orders(given, forecast.as_of, supply)
    return Prepared(
        forecast=forecast,
        sku=given.sku,
        place=given.place,
        item_name=tuple(given.items.values("name")),
        label=given.label,
        mean=given.mean,
        lines=_lines(
            given,
            supply,
            money,
            until_next=until_next,
            service_level=service_level,
            life=life,
            orders=orders,
        ),
        until_arrival=until_arrival,
        supply=supply,
        shelf_life_days=life,
        stock_known_since=_known_since(given),
        assumed=tuple(given.gaps.names),
        class_rules=_class_rules(given),
    )


def _given(
    keys: pa.Table, mean: Floats, known: Known, *, policy: Policy, assumptions: Assumptions
) -> _Given:
    """Match the tables to the lines."""
    skus = tuple(keys.column("sku").to_pylist())
    places = tuple(keys.column("place").to_pylist())
    labels = Matched(known.classes, skus, places).values("label")
    return _Given(
        sku=skus,
        place=places,
        label=tuple(label or "" for label in labels),
        mean=np.maximum(mean, 0.0),
        known=known,
        policy=policy,
        assumptions=assumptions,
        items=Matched(known.items, skus, places),
        terms=Matched(by_priority(known.terms), skus, places),
        stock=Matched(known.positions, skus, places),
        gaps=_Gaps(len(skus)),
    )


def _service_level(
    given: _Given,
    supply: Supply,
    money: UnitMoney,
    *,
    until_next: Demand,
    until_expiry: _Expiring,
) -> Floats:
    """The level the costs justify: waste counts for goods that expire."""
    policy = given.policy
    costs = unit_costs(
        money.cost_cents,
        money.margin_cents,
        review_days=supply.next_arrival_in - supply.arrives_in,
        holding_rate_per_year=policy.holding_rate_per_year,
        goodwill_rate=policy.goodwill_rate,
    )
    bounds = {label: policy.service_of(label) for label in set(given.label)}
    both = np.array([bounds[label] for label in given.label], np.float64).reshape(-1, 2)
    lowest, highest = both.T
    level = critical_ratio(costs, lowest=lowest, highest=highest)
    rows = until_expiry.rows
    level[rows] = perishable_ratio(
        costs.take(rows),
        until_next.take(rows),
        until_expiry.demand,
        lowest=lowest[rows],
        highest=highest[rows],
    )
    return level


def _money(given: _Given) -> UnitMoney:
    """Cost and margin of each line; what was assumed is noted."""
    money = unit_money(
        given.sku,
        given.place,
        terms=given.known.terms,
        prices=given.known.prices,
        items=given.known.items,
        assumptions=given.assumptions,
    )
    given.gaps.add("unit_cost_cents", money.cost_assumed)
    given.gaps.add("margin", money.margin_assumed)
    given.gaps.add("tax_rate", money.tax_assumed)
    return money


def _lines(
    given: _Given,
    supply: Supply,
    money: UnitMoney,
    *,
    until_next: Demand,
    service_level: Floats,
    life: Floats,
    orders: _OpenOrders,
) -> Lines:
    """The arrays the rules work on."""
    before = sellable_within(given.mean, supply.arrives_in)
    return Lines(
        until_next=until_next,
        service_level=service_level,
        on_hand=_on_hand(given),
        on_order=orders.within,
        on_order_overdue=orders.overdue,
        on_order_after_cover=orders.later,
        reserved=whole(given.stock.numbers("reserved"), 0),
        presentation=_presentation(given),
        moq=_moq(given),
        case_size=_case_size(given),
        sold_before=before,
        sold_fresh=sellable_within(given.mean, supply.arrives_in + life) - before,
        can_order=supply.can_order,
        blocked=Matched(given.known.stopped, given.sku, given.place).found,
        unit_cost_cents=money.cost_cents,
        margin_cents=money.margin_cents,
    )


def _supply(given: _Given, today: date) -> Supply:
    """Supplier, lead time and order days of each line; measured lead times win over agreed."""
    terms, assumptions = given.terms, given.assumptions
    given.gaps.add("supplier", ~terms.found)
    suppliers = tuple(v or assumptions.supplier for v in terms.values("supplier"))
    lead = terms.numbers("lead_time_days")
    deviation = np.full(lead.shape, np.nan)
    measured = _measured(given.known.lead_times, given.policy.measured_from_deliveries)
    for row, key in enumerate(zip(suppliers, given.sku, strict=True)):
        if (times := measured.get(key) or measured.get((key[0], None))) is not None:
            lead[row], deviation[row] = times
    given.gaps.add("lead_time_days", np.isnan(lead))
    given.gaps.add("lead_time_sd_days", np.isnan(deviation))
    lead = np.where(np.isnan(lead), assumptions.lead_time_days, lead)
    deviation = np.where(np.isnan(deviation), assumptions.lead_time_sd_days, deviation)
    review = np.array([given.policy.review_days_of(label) for label in given.label], np.int64)
    weekdays = tuple(terms.values("order_weekdays"))
    waits = order_waits(weekdays, today, review_days=review.tolist())
    return Supply(
        supplier=suppliers,
        order_weekdays=weekdays,
        lead_time_days=lead,
        lead_time_sd_days=deviation,
        review_days=review,
        order_in=waits.next_days,
        next_order_in=waits.following_days,
    )


def _until_expiry(
    forecast: Forecast, keys: pa.Table, counted: Bools, *, arrives_in: Floats, life: Floats
) -> _Expiring:
    """Demand until what arrives with this order expires, of the lines that do expire."""
    rows = np.flatnonzero(np.isfinite(life))
    days = np.minimum(np.floor(arrives_in[rows] + life[rows]), LONGEST_DAYS).astype(np.int64)
    window = forecast.window(keys.take(rows), days)
    return _Expiring(rows, Demand(window.mean, window.variance, counted[rows]))


def _measured(
    table: pa.Table | None, least: int
) -> dict[tuple[str, str | None], tuple[float, float]]:
    """Mean and deviation of lead times measured from enough deliveries."""
    if table is None:
        return {}
    rows = table.select(["supplier", "sku", "mean_days", "sd_days", "n"]).to_pylist()
    return {
        (row["supplier"], row["sku"]): (float(row["mean_days"]), float(row["sd_days"] or 0.0))
        for row in rows
        if row["n"] >= least
    }


def _demand_over(
    forecast: Forecast, keys: pa.Table, counted: Bools, *, days: Floats, sd: Floats
) -> Demand:
    """Demand over `days` days (fractions between two whole ones) whose length deviates by `sd`.

    Var[D] = variance over the mean length + Var[T] m^2, m the daily mean (Silver, Pyke &
    Thomas, 4th ed., 6.10).
    """
    full = np.floor(days).astype(np.int64)
    part = days - full
    low = forecast.window(keys, full)
    high = forecast.window(keys, full + 1) if part.any() else low
    mean = (1.0 - part) * low.mean + part * high.mean
    variance = (1.0 - part) * low.variance + part * high.variance
    rate = np.divide(mean, days, out=np.zeros_like(mean), where=days > 0)
    return Demand(mean, variance + (sd * rate) ** 2, counted)


def _on_hand(given: _Given) -> Ints:
    """Counted stock, or days of expected demand where it was never counted."""
    unknown = np.array([v is None for v in given.stock.values("known_since")], bool)
    given.gaps.add("on_hand", unknown)
    days = np.full(len(given.mean), given.assumptions.on_hand_days)
    counted = given.stock.numbers("net")
    assumed = np.rint(expected_demand(given.mean, days))
    return whole(np.where(unknown | np.isnan(counted), assumed, counted), 0)


def _open_orders(given: _Given, today: date, supply: Supply) -> _OpenOrders:
    """Sort open orders by whether they arrive before the order after this one would.

    That is judged by the longer of the agreed and the measured lead time: what was ordered today
    always counts, however quick the supplier has become. No due date counts as in time.
    """
    within, later, overdue = (np.zeros(len(given.sku), np.int64) for _ in range(3))
    found = _OpenOrders(within, later, overdue)
    table = given.known.on_order
    if table is None or table.num_rows == 0:
        return found
    row_of = {key: row for row, key in enumerate(zip(given.sku, given.place, strict=True))}
    agreed = np.nan_to_num(given.terms.numbers("lead_time_days"))
    lead = np.maximum(agreed, supply.lead_time_days)
    ends = np.ceil(supply.next_order_in + lead).astype(int).tolist()
    columns = [table.column(name).to_pylist() for name in ("sku", "place", "quantity", "due")]
    for sku, place, quantity, due in zip(*columns, strict=True):
        row = row_of.get((sku, place))
        if row is None:
            continue
        if due is not None and due >= today + timedelta(days=ends[row]):
            later[row] += quantity
            continue
        within[row] += quantity
        if due is not None and due < today:
            overdue[row] += quantity
    return found


def _presentation(given: _Given) -> Ints:
    """The shelf minimum of each line: its own, or the policy's for its class."""
    by_class = np.array([given.policy.presentation_of(v) for v in given.label], np.float64)
    own = Matched(given.known.presentation, given.sku, given.place).numbers("units")
    return whole(np.where(np.isnan(own), by_class, own), 0)


def _known_since(given: _Given) -> tuple[str | None, ...]:
    """Since when the stock of each line is known; None = it was never counted."""
    return tuple(None if v is None else str(v) for v in given.stock.values("known_since"))


def _class_rules(given: _Given) -> tuple[Mapping[str, str], ...]:
    """Which classes of the policy steer each line; its own shelf minimum wins over its class's."""
    steered = {label: given.policy.class_rules(label) for label in set(given.label)}
    rules: list[Mapping[str, str]] = [steered[label] for label in given.label]
    own = Matched(given.known.presentation, given.sku, given.place).numbers("units")
    for row in np.flatnonzero(~np.isnan(own)).tolist():
        rules[row] = {key: of for key, of in rules[row].items() if key != "presentation.units"}
    return tuple(rules)


def _moq(given: _Given) -> Ints:
    """The least quantity: assumed where nothing was agreed, 1 where the agreement names none."""
    found = given.terms.found
    given.gaps.add("moq", ~found)
    agreed = np.where(found, given.terms.numbers("moq"), given.assumptions.moq)
    return np.maximum(whole(agreed, 1), 1)


def _case_size(given: _Given) -> Ints:
    """Base units in a case: the supplier's, or the item's, or what is assumed."""
    agreed = given.terms.numbers("case_size")
    size = np.where(np.isnan(agreed), given.items.numbers("case_size"), agreed)
    missing = np.isnan(size) & ~given.terms.found
    given.gaps.add("case_size", missing)
    return np.maximum(whole(np.where(missing, given.assumptions.case_size, size), 1), 1)
