"""From tables of what is known to arrays the rules can work on; gaps are filled and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish.assumptions import Assumptions
from sanhe.goods.replenish.chain import (
    Chain,
    chain_of,
    drawn_forecast,
    lot_size,
    promised_days,
    stock_limit,
    supplying,
    waiting,
)
from sanhe.goods.replenish.covering import Expiring, Supply, demands, until_expiry
from sanhe.goods.replenish.expiring import DatedLots, dated_lots
from sanhe.goods.replenish.lines import Lines, Shared
from sanhe.goods.replenish.matching import (
    Matched,
    Texts,
    as_texts,
    by_distinct,
    by_priority,
    encoded,
    lines_of,
    whole,
)
from sanhe.goods.replenish.money import UnitMoney, unit_money
from sanhe.goods.replenish.policy import Policy
from sanhe.goods.replenish.ports import Forecast, Known
from sanhe.goods.replenish.sharing import Parties, shared_by
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


@dataclass(frozen=True, slots=True)
class Prepared:
    """N lines ready to compute, with what is needed to explain them.

    `assumed`: by the name of an input the lines in which it was assumed, [N]. `class_rules`: of
    each line the settings that its class steers, with the class of the policy that set them.
    `lots`: those of the stock that expire before the cover of their line ends. `shared`: the
    limits that these lines share. `chain`: which of them draw on others.
    """

    forecast: Forecast
    sku: Texts
    place: Texts
    item_name: Texts
    label: Texts
    mean: Floats
    lines: Lines
    until_arrival: Demand
    supply: Supply
    shelf_life_days: Floats
    lots: DatedLots
    stock_known_since: Texts
    assumed: Mapping[str, Bools]
    class_rules: pa.MapArray
    shared: Shared
    chain: Chain | None


@dataclass(frozen=True, slots=True)
class _Given:
    """What is at hand for N lines while they are prepared."""

    sku: pa.DictionaryArray
    place: pa.DictionaryArray
    label: Texts
    mean: Floats
    known: Known
    policy: Policy
    assumptions: Assumptions
    items: Matched
    terms: Matched
    stock: Matched
    gaps: dict[str, Bools]


@dataclass(frozen=True, slots=True)
class _OpenOrders:
    """Open orders of N lines: in time, due after the cover, and the overdue part of the first."""

    within: Ints
    later: Ints
    overdue: Ints


@dataclass(frozen=True, slots=True)
class _Setting:
    """N lines with their supply and the forecast to plan from: `own_mean` [N, H] is what each
    sells itself, without what others draw on it."""

    given: _Given
    forecast: Forecast
    counted: Bools
    supply: Supply
    money: UnitMoney
    chain: Chain | None
    own_mean: Floats


def prepare(
    forecast: Forecast,
    known: Known,
    *,
    policy: Policy,
    assumptions: Assumptions,
    rows: Ints | None = None,
) -> Prepared:
    """All lines of the forecast, or those of `rows`, with what is known; gaps are assumed."""
    chosen: slice | Ints = slice(None) if rows is None else rows
    keys = forecast.keys if rows is None else forecast.keys.take(rows)
    given = _given(
        keys,
        np.asarray(forecast.mean[chosen], np.float64),
        known,
        policy=policy,
        assumptions=assumptions,
    )
    counted = np.asarray(forecast.counted, bool)[chosen]
    at = _setting(forecast, keys, given, counted=counted)
    given, forecast, supply = at.given, at.forecast, at.supply
    until_arrival, until_next = demands(forecast, keys, at.counted, supply=supply)
    life = np.nan_to_num(given.items.numbers("shelf_life_days"), nan=np.inf)
    expiry = until_expiry(forecast, keys, at.counted, arrives_in=supply.arrives_in, life=life)
    lots = dated_lots(known.lots, forecast, keys, cover_days=supply.next_arrival_in)
    lines = _lines(
        at,
        until_next=until_next,
        service_level=_service_level(at, until_next=until_next, until_expiry=expiry),
        life=life,
        lots=lots,
    )
    return Prepared(
        forecast=forecast,
        sku=as_texts(given.sku),
        place=as_texts(given.place),
        item_name=given.items.texts("name"),
        label=given.label,
        mean=given.mean,
        lines=lines,
        until_arrival=until_arrival,
        supply=supply,
        shelf_life_days=life,
        lots=lots,
        stock_known_since=_as_written(given.stock.column("known_since")),
        assumed=given.gaps,
        class_rules=_class_rules(given),
        shared=_shared(at, lines),
        chain=at.chain,
    )


def _setting(forecast: Forecast, keys: pa.Table, given: _Given, *, counted: Bools) -> _Setting:
    """How the lines are supplied, and what is drawn on those that supply others."""
    supply, money = _supply(given, forecast.as_of), _money(given)
    plain = _Setting(given, forecast, counted, supply, money, None, given.mean)
    stopped = Matched(given.known.stopped, given.sku, given.place).found
    source = supply.supplier.copy()
    source[~supply.by_place | stopped] = None
    chain = chain_of(given.sku, given.place, source) if supply.by_place.any() else None
    if chain is None:
        return plain
    cover = np.maximum(np.ceil(supply.next_arrival_in), 1.0)
    window = forecast.window(keys, cover.astype(np.int64))
    promised = promised_days(
        chain,
        supply.next_arrival_in,
        np.sqrt(window.variance / cover),
        holding_cost=money.cost_cents,
    )
    chain = replace(chain, promised_days=promised)
    supply = waiting(supply, chain)
    drawn, chain = drawn_forecast(
        forecast,
        keys,
        chain,
        mean=given.mean,
        counted=counted,
        supply=supply,
        lots=lot_size(_moq(given), _case_size(given)),
    )
    return replace(
        plain,
        given=replace(given, mean=np.asarray(drawn.mean, np.float64)),
        forecast=drawn,
        counted=drawn.counted,
        supply=supply,
        chain=chain,
    )


def _shared(at: _Setting, lines: Lines) -> Shared:
    """The limits that the lines share; what is missing to keep one is noted."""
    given, supply = at.given, at.supply
    parties = Parties(
        supplier=encoded(supply.supplier),
        place=given.place,
        due_in=supply.due_in,
        daily=given.mean.mean(axis=1),
        open_orders=_orders_of_lines(given, at.forecast.as_of),
    )
    shared = shared_by(lines, parties, terms=given.terms, policy=given.policy, gaps=given.gaps)
    if at.chain is None:
        return shared
    free = np.where(given.gaps["on_hand"], -1, np.maximum(lines.free(), 0))
    sold = expected_demand(at.own_mean, supply.arrives_in)
    limit = stock_limit(at.chain, free, sold, amount=lines.case_size)
    return replace(shared, limits={**shared.limits, "source_stock": limit})


def _given(
    keys: pa.Table, mean: Floats, known: Known, *, policy: Policy, assumptions: Assumptions
) -> _Given:
    """Match the tables to the lines."""
    skus, places = encoded(keys.column("sku")), encoded(keys.column("place"))
    labels = Matched(known.classes, skus, places).column("label")
    return _Given(
        sku=skus,
        place=places,
        label=as_texts(labels.cast("string").fill_null("")),
        mean=np.maximum(mean, 0.0),
        known=known,
        policy=policy,
        assumptions=assumptions,
        items=Matched(known.items, skus, places),
        terms=_terms(known, skus, places),
        stock=Matched(known.positions, skus, places),
        gaps={},
    )


def _terms(known: Known, skus: pa.DictionaryArray, places: pa.DictionaryArray) -> Matched:
    """The supply terms of each line; no place supplies itself."""
    import pyarrow as pa

    table = by_priority(known.terms)
    terms = Matched(table, skus, places)
    if table is None or not (sources := supplying(known)):
        return terms
    own = np.flatnonzero(terms.texts("supplier") == as_texts(places))
    if own.size:
        outside = np.flatnonzero(~np.isin(table.column("supplier").to_numpy(), sources))
        other = Matched(
            table.take(pa.array(outside)), skus.take(pa.array(own)), places.take(pa.array(own))
        )
        terms.rows[own] = -1
        terms.rows[own[other.found]] = outside[other.rows[other.found]]
    return terms


def _service_level(at: _Setting, *, until_next: Demand, until_expiry: Expiring) -> Floats:
    """The level the costs justify: waste counts for goods that expire."""
    given, supply, money = at.given, at.supply, at.money
    policy = given.policy
    costs = unit_costs(
        money.cost_cents,
        money.margin_cents,
        review_days=supply.next_arrival_in - supply.arrives_in,
        holding_rate_per_year=policy.holding_rate_per_year,
        goodwill_rate=policy.goodwill_rate,
    )
    lowest = by_distinct(given.label, lambda label: policy.service_of(label)[0])
    highest = by_distinct(given.label, lambda label: policy.service_of(label)[1])
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
    given.gaps["unit_cost_cents"] = money.cost_assumed
    given.gaps["margin"] = money.margin_assumed
    given.gaps["tax_rate"] = money.tax_assumed
    return money


def _lines(
    at: _Setting, *, until_next: Demand, service_level: Floats, life: Floats, lots: DatedLots
) -> Lines:
    """The arrays the rules work on."""
    given, supply, money, chain = at.given, at.supply, at.money, at.chain
    orders = _open_orders(given, at.forecast.as_of, supply)
    on_hand, reserved = _on_hand(given), whole(given.stock.numbers("reserved"), 0)
    leaving, transferred_in = _transfers(given)
    before = sellable_within(given.mean, supply.arrives_in)
    lines = Lines(
        until_next=until_next,
        service_level=service_level,
        on_hand=on_hand,
        expiring=lots.unsold(on_hand, reserved + leaving),
        on_order=orders.within,
        on_order_overdue=orders.overdue,
        on_order_after_cover=orders.later,
        transferred_in=transferred_in,
        reserved=reserved,
        leaving=leaving,
        downstream_gap=np.zeros(len(on_hand), np.int64),
        presentation=_presentation(given, chain),
        moq=_moq(given),
        case_size=_case_size(given),
        sold_before=before,
        sold_fresh=sellable_within(given.mean, supply.arrives_in + life) - before,
        can_order=supply.can_order,
        blocked=Matched(given.known.stopped, given.sku, given.place).found,
        unit_cost_cents=money.cost_cents,
        margin_cents=money.margin_cents,
    )
    if chain is None:
        return lines
    return replace(lines, downstream_gap=chain.downstream_gap(lines))


def _supply(given: _Given, today: date) -> Supply:
    """Supplier, lead time and order days of each line; measured lead times win over agreed."""
    import pyarrow.compute as pc

    terms, assumptions = given.terms, given.assumptions
    given.gaps["supplier"] = ~terms.found
    named = terms.column("supplier").cast("string")
    given_name = pc.if_else(pc.equal(named, ""), None, named)
    suppliers = as_texts(given_name.fill_null(assumptions.supplier))
    least = given.policy.measured_from_deliveries
    measured = _measured(given.known.lead_times, encoded(suppliers), given.sku, least=least)
    mean, sd = measured.numbers("mean_days"), np.nan_to_num(measured.numbers("sd_days"))
    lead = np.where(measured.found, mean, terms.numbers("lead_time_days"))
    deviation = np.where(measured.found, sd, np.nan)
    given.gaps["lead_time_days"] = np.isnan(lead)
    given.gaps["lead_time_sd_days"] = np.isnan(deviation)
    lead = np.where(np.isnan(lead), assumptions.lead_time_days, lead)
    agreed = whole(terms.numbers("lead_time_days"), assumptions.lead_time_days)
    deviation = np.where(np.isnan(deviation), assumptions.lead_time_sd_days, deviation)
    review = by_distinct(given.label, given.policy.review_days_of).astype(np.int64)
    weekdays = terms.texts("order_weekdays")
    order_in, next_order_in = _waits(weekdays, review, today)
    return Supply(
        supplier=suppliers,
        order_weekdays=weekdays,
        lead_time_days=lead,
        lead_time_sd_days=deviation,
        review_days=review,
        order_in=order_in,
        next_order_in=next_order_in,
        due_in=order_in + agreed,
        by_place=_by_place(suppliers, supplying(given.known)),
        promised_days=np.zeros(len(lead), np.int64),
    )


def _by_place(suppliers: Texts, sources: list[str]) -> Bools:
    """Which lines a place of ours supplies."""
    if not sources:
        return np.zeros(len(suppliers), bool)
    by_place: Bools = by_distinct(suppliers, lambda code: float(code in sources)) > 0
    return by_place


def _waits(weekdays: Texts, review: Ints, today: date) -> tuple[Ints, Ints]:
    """Days to the next order day and to the one after it, once for each calendar and review."""
    calendars = encoded(weekdays)
    names = [*calendars.dictionary.to_pylist(), None]
    code = np.asarray(calendars.indices.fill_null(len(names) - 1), np.int64)
    pairs, at = np.unique(code * (review.max(initial=0) + 1) + review, return_inverse=True)
    which, reviews = np.divmod(pairs, review.max(initial=0) + 1)
    asked = [names[number] for number in which]
    waits = order_waits(asked, today, review_days=reviews.tolist())
    return waits.next_days[at], waits.following_days[at]


def _measured(
    table: pa.Table | None, suppliers: pa.DictionaryArray, skus: pa.DictionaryArray, *, least: int
) -> Matched:
    """Lead times measured from enough deliveries, of the supplier's SKU or of the supplier."""
    import pyarrow.compute as pc

    enough = None if table is None else table.filter(pc.greater_equal(table.column("n"), least))
    return Matched(enough, suppliers, skus, on=("supplier", "sku"))


def _as_written(moments: pa.Array) -> Texts:
    """Each value as text, worked out once for each distinct one; None where there is none."""
    codes = moments.dictionary_encode()
    distinct = [None if value is None else str(value) for value in codes.dictionary.to_pylist()]
    texts: Texts = np.array([*distinct, None], object)
    return texts[np.asarray(codes.indices.fill_null(len(distinct)), np.int64)]


def _on_hand(given: _Given) -> Ints:
    """Counted stock, or days of expected demand where it was never counted."""
    unknown = np.asarray(given.stock.column("known_since").is_null())
    given.gaps["on_hand"] = unknown
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
    agreed = np.nan_to_num(given.terms.numbers("lead_time_days"))
    lead = np.maximum(agreed, supply.lead_time_days)
    ends = np.ceil(supply.next_order_in + lead).astype(np.int64)
    row, quantity, due_in = _orders_of_lines(given, today)
    after = due_in >= ends[row]
    np.add.at(later, row[after], quantity[after])
    np.add.at(within, row[~after], quantity[~after])
    late = due_in < 0
    np.add.at(overdue, row[late], quantity[late])
    return found


def _transfers(given: _Given) -> tuple[Ints, Ints]:
    """Of each line what is to leave for other places, and what others have decided to give it."""
    decided = given.known.transfers
    leaving = _sums(given, given.known.leaving)
    if decided is None:
        return leaving, np.zeros(len(leaving), np.int64)
    away = decided.select(["sku", "giver", "quantity"]).rename_columns(["sku", "place", "quantity"])
    return leaving + _sums(given, away), _sums(given, decided)


def _sums(given: _Given, table: pa.Table | None) -> Ints:
    """The sum of the quantities of a table for each line."""
    total = np.zeros(len(given.sku), np.int64)
    if table is not None and table.num_rows:
        row = lines_of(given.sku, given.place, of=table)
        quantity = np.asarray(table.column("quantity").to_numpy(), np.int64)
        np.add.at(total, row[row >= 0], quantity[row >= 0])
    return total


def _orders_of_lines(given: _Given, today: date) -> tuple[Ints, Ints, Ints]:
    """The line, quantity and days until due (0 = no day is named) of each open order of a line."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = given.known.on_order
    if table is None or table.num_rows == 0:
        none = np.zeros(0, np.int64)
        return none, none, none
    row = lines_of(given.sku, given.place, of=table)
    due = table.column("due").cast(pa.date32()).cast(pa.int32())
    days = pc.subtract(due, (today - date(1970, 1, 1)).days).fill_null(0)
    mine = row >= 0
    quantity = np.asarray(table.column("quantity").to_numpy(), np.int64)
    return row[mine], quantity[mine], np.asarray(days.to_numpy(), np.int64)[mine]


def _presentation(given: _Given, chain: Chain | None) -> Ints:
    """The shelf minimum of each line: its own, or the policy's for its class; none where only
    other places draw."""
    by_class = by_distinct(given.label, given.policy.presentation_of)
    if chain is not None:
        by_class[chain.is_source] = 0.0
    own = Matched(given.known.presentation, given.sku, given.place).numbers("units")
    return whole(np.where(np.isnan(own), by_class, own), 0)


def _class_rules(given: _Given) -> pa.MapArray:
    """Which classes of the policy steer each line; its own shelf minimum wins over its class's."""
    import pyarrow as pa

    labels = encoded(given.label)
    steered = [given.policy.class_rules(label) for label in labels.dictionary.to_pylist()]
    without = [
        {name: rule for name, rule in rules.items() if name != "presentation.units"}
        for rules in steered
    ]
    distinct = [list(rules.items()) for rules in (*steered, *without)]
    own = Matched(given.known.presentation, given.sku, given.place).numbers("units")
    code = np.asarray(labels.indices, np.int64) + np.where(np.isnan(own), 0, len(steered))
    return pa.array(distinct, pa.map_(pa.string(), pa.string())).take(pa.array(code))


def _moq(given: _Given) -> Ints:
    """The least quantity: assumed where nothing was agreed, 1 where the agreement names none."""
    found = given.terms.found
    given.gaps["moq"] = ~found
    agreed = np.where(found, given.terms.numbers("moq"), given.assumptions.moq)
    return np.maximum(whole(agreed, 1), 1)


def _case_size(given: _Given) -> Ints:
    """Base units in a case: the supplier's, or the item's, or what is assumed."""
    agreed = given.terms.numbers("case_size")
    size = np.where(np.isnan(agreed), given.items.numbers("case_size"), agreed)
    missing = np.isnan(size) & ~given.terms.found
    given.gaps["case_size"] = missing
    return np.maximum(whole(np.where(missing, given.assumptions.case_size, size), 1), 1)
