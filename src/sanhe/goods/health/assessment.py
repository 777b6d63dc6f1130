"""Put sales, stock and money of each SKU × place together and class it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.health import rules
from sanhe.goods.health.labels import before_of, labels, letters
from sanhe.goods.health.layers import BUCKETS, Layers, layers_of
from sanhe.goods.health.rules import Before, Cuts, Sales
from sanhe.goods.replenish import (
    LETTERS,
    Assumptions,
    Known,
    Matched,
    Policy,
    UnitMoney,
    by_priority,
    unit_money,
)
from sanhe.models.inventory import Demand, Floats, Ints, order_up_to

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Window:
    """The days looked at: from `first_day` up to, not including, `as_of`."""

    first_day: date
    as_of: date

    @property
    def days(self) -> int:
        """How many they are."""
        return (self.as_of - self.first_day).days


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """What lines are judged by: cuts of the classes, stand-ins for missing data, the policy."""

    cuts: Cuts
    assumptions: Assumptions
    policy: Policy


@dataclass(frozen=True, slots=True)
class _Lines:
    """What is known of N lines before they are classed.

    Days are counted back from the end of the window; nan = never, or not known.
    """

    sku: list[str]
    place: list[str]
    sales: Sales
    revenue_cents: Floats
    money: UnitMoney
    on_hand: Floats
    since_sale: Floats
    since_receipt: Floats
    in_range: Floats
    layers: Layers

    @property
    def age_days(self) -> Floats:
        """Mean age of what lies there; nan where nothing is known to."""
        return self.layers.mean_age_days(len(self.sku))


def assess(
    history: pa.Table,
    arrivals: pa.Table,
    known: Known,
    *,
    window: Window,
    yardsticks: Yardsticks,
    before: pa.Table | None = None,
) -> pa.Table:
    """The health table, one row for each SKU × place that ever sold or holds stock.

    `history`, `arrivals`: as sale_history.sql and arrivals.sql give them. `before`: an earlier
    table with sku, place, label and pattern; near a cut a line keeps its class of then. Columns:

    - sku, place, label (abc + xyz + margin_class + age_class), abc, xyz, margin_class (M where
      cost or price is not known), age_class (0 nothing known to lie there, 1 fresh, 2 ageing,
      3 old, 4 dead);
    - pattern, basis (what abc goes by), value (of the window, in cents or units by basis),
      quantity, daily_mean, adi, cv2 (null without a sale);
    - price_cents, margin_rate (of a base unit, without tax; null where not known), cost_assumed;
    - on_hand (null = never counted), stock_value_cents, cover_days: how long the stock lasts at
      the present rate, the time to clear it (null = no sale or no stock known);
    - days_since_sale, days_since_receipt, age_days (mean age of what lies there, by the newest
      arrivals; without stock since the last receipt, else since first seen), dead;
    - cents_0_30 to cents_over_180: the stock money by age, adds up to stock_value_cents;
    - order_up_to (the most the policy would raise the stock to, base units), excess_cents (money
      above it), expiring_cents (money that will expire unsold at the present rate).
    """
    import pyarrow as pa

    lines = _lines(history, arrivals, known, window=window, assumptions=yardsticks.assumptions)
    was = Before.nothing(len(lines.sku))
    if before is not None and before.num_rows:
        matched = Matched(before, lines.sku, lines.place)
        was = before_of(
            pa.chunked_array([pa.array(matched.values("label"), pa.string())]),
            pa.chunked_array([pa.array(matched.values("pattern"), pa.string())]),
        )
    columns = {
        "sku": pa.array(lines.sku, pa.string()),
        "place": pa.array(lines.place, pa.string()),
        **_classes(lines, was, cuts=yardsticks.cuts),
        **_held(lines),
    }
    columns |= _beyond(lines, known, columns["label"], yardsticks=yardsticks)
    return pa.table(columns)


def _lines(
    history: pa.Table,
    arrivals: pa.Table,
    known: Known,
    *,
    window: Window,
    assumptions: Assumptions,
) -> _Lines:
    """Match the tables to every SKU × place that they name."""
    skus, places = _keys(history, known.positions)
    sold = Matched(_counted_back(history, ("first_seen", "last_sale"), window), skus, places)
    came = _counted_back(arrivals, ("day",), window)
    seen = sold.numbers("first_seen")
    on_hand = Matched(known.positions, skus, places).numbers("net")
    on_hand = np.where(np.isnan(on_hand), np.nan, np.maximum(on_hand, 0.0))
    return _Lines(
        sku=skus,
        place=places,
        sales=_sales(sold, window),
        revenue_cents=sold.numbers("revenue_cents"),
        money=unit_money(
            skus,
            places,
            terms=known.terms,
            prices=known.prices,
            items=known.items,
            assumptions=assumptions,
        ),
        on_hand=on_hand,
        since_sale=sold.numbers("last_sale"),
        # The newest arrival of a line comes first.
        since_receipt=Matched(came, skus, places).numbers("day"),
        in_range=seen,
        layers=_layers(came, skus, places, on_hand=on_hand, oldest_days=seen),
    )


def _layers(
    came: pa.Table,
    skus: list[str],
    places: list[str],
    *,
    on_hand: Floats,
    oldest_days: Floats,
) -> Layers:
    """The stock of the lines by arrival; arrivals of other lines are left aside."""
    import pyarrow as pa

    index = pa.table({"sku": skus, "place": places, "row": np.arange(len(skus))})
    row = Matched(index, came.column("sku").to_pylist(), came.column("place").to_pylist()).numbers(
        "row"
    )
    ours = ~np.isnan(row)
    return layers_of(
        on_hand,
        row[ours].astype(np.int64),
        age_days=came.column("day").to_numpy()[ours],
        arrived=came.column("quantity").to_numpy()[ours],
        oldest_days=oldest_days,
    )


def _classes(lines: _Lines, before: Before, *, cuts: Cuts) -> dict[str, object]:
    """The columns of the classes and of what they go by."""
    import pyarrow as pa

    money, sales = lines.money, lines.sales
    value, basis = _value(lines, cuts=cuts)
    unknown = money.margin_assumed | money.cost_assumed
    price = np.where(unknown, np.nan, money.cost_cents + money.margin_cents)
    rate = np.full(price.shape, np.nan)
    np.divide(money.margin_cents, price, out=rate, where=price > 0)
    is_dead = rules.dead(
        np.nan_to_num(lines.on_hand).astype(np.int64),
        lines.since_sale,
        lines.in_range,
        dead_days=cuts.dead_days,
    )
    abc = rules.value_classes(value, before.value, cuts=cuts)
    pattern = rules.patterns(sales, before.pattern, band=cuts.band)
    xyz = rules.REGULARITY[pattern]
    margin = rules.margin_classes(rate, before.margin, cuts=cuts)
    age = rules.age_classes(lines.age_days, is_dead, before.age, cuts=cuts)
    return {
        "label": labels(abc, xyz, margin=margin, age=age),
        "abc": letters(LETTERS[0], abc),
        "xyz": letters(LETTERS[1], xyz),
        "margin_class": letters(LETTERS[2], margin),
        "age_class": letters(LETTERS[3], age),
        "pattern": letters(rules.PATTERNS, pattern),
        "basis": pa.repeat(basis, len(value)),
        "value": value,
        "quantity": sales.quantity,
        "daily_mean": sales.daily_mean(),
        "adi": _nullable(sales.interval()),
        "cv2": _nullable(sales.variation()),
        "price_cents": _nullable(price),
        "margin_rate": _nullable(rate),
        "cost_assumed": money.cost_assumed,
        "dead": is_dead,
    }


def _held(lines: _Lines) -> dict[str, object]:
    """The columns of what lies there, its money and its age; null where it was never counted."""
    on_hand, cost = lines.on_hand, lines.money.cost_cents
    rate = lines.sales.daily_mean()
    cover = np.full(on_hand.shape, np.nan)
    np.divide(on_hand, rate, out=cover, where=rate > 0)
    since = np.where(np.isnan(lines.since_receipt), lines.in_range, lines.since_receipt)
    age = lines.age_days
    held_cents = np.rint(on_hand * cost)
    # Rounding the running sums keeps the parts whole cents that add up to the whole.
    edges = np.rint(np.cumsum(lines.layers.by_bucket(len(cost))[:, :-1], axis=1) * cost[:, None])
    parts = np.diff(np.column_stack([np.zeros(len(cost)), edges, held_cents]), axis=1)
    return {
        "on_hand": _whole(on_hand),
        "stock_value_cents": _whole(held_cents),
        "cover_days": _nullable(cover),
        "days_since_sale": _whole(lines.since_sale),
        "days_since_receipt": _whole(lines.since_receipt),
        "age_days": _whole(np.where(np.isnan(age), since, age)),
        **{
            f"cents_{name}": _whole(np.where(np.isnan(held_cents), np.nan, part))
            for name, part in zip(BUCKETS, parts.T, strict=True)
        },
    }


def _beyond(
    lines: _Lines, known: Known, label: object, *, yardsticks: Yardsticks
) -> dict[str, object]:
    """The columns of money that lies beyond need, or beyond its shelf life."""
    import pyarrow as pa
    import pyarrow.compute as pc

    assumed, policy = yardsticks.assumptions, yardsticks.policy
    terms = Matched(by_priority(known.terms), lines.sku, lines.place)
    lead = terms.numbers("lead_time_days")
    lead = np.where(np.isnan(lead), assumed.lead_time_days, lead)
    encoded = pc.dictionary_encode(label)
    names = encoded.dictionary.to_pylist()
    rule = np.array(
        [
            (policy.review_days_of(n), policy.service_of(n)[1], policy.presentation_of(n))
            for n in names
        ],
        np.float64,
    ).reshape(-1, 3)[encoded.indices.to_numpy()]
    review, service, shelf = rule.T
    days, rate = review + lead, lines.sales.daily_mean()
    spread = lines.sales.daily_variance() * days + (assumed.lead_time_sd_days * rate) ** 2
    lying = np.nan_to_num(lines.on_hand) > 0
    level = np.zeros(lying.shape, np.int64)
    demand = Demand(rate * days, spread, np.ones(lying.shape, bool)).take(lying)
    level[lying] = np.maximum(order_up_to(demand, service[lying]), shelf[lying])
    excess = np.maximum(np.nan_to_num(lines.on_hand) - level, 0.0)
    life = Matched(known.items, lines.sku, lines.place).numbers("shelf_life_days")
    cost, none = lines.money.cost_cents, np.isnan(lines.on_hand)
    wasted = lines.layers.expiring(rate, life)
    return {
        "order_up_to": pa.array(level, pa.int64(), mask=~lying),
        "excess_cents": _whole(np.where(none, np.nan, excess * cost)),
        "expiring_cents": _whole(np.where(none, np.nan, wasted * cost)),
    }


def _keys(history: pa.Table, positions: pa.Table | None) -> tuple[list[str], list[str]]:
    """Every SKU × place of the two tables once, sorted."""
    import pyarrow as pa

    names = ["sku", "place"]
    tables = [table.select(names) for table in (history, positions) if table is not None]
    keys = pa.concat_tables(tables, promote_options="permissive").group_by(names).aggregate([])
    keys = keys.sort_by([(name, "ascending") for name in names])
    return keys.column("sku").to_pylist(), keys.column("place").to_pylist()


def _counted_back(table: pa.Table, names: tuple[str, ...], window: Window) -> pa.Table:
    """The table with days in place of dates: how long before the end of the window."""
    import pyarrow as pa
    import pyarrow.compute as pc

    end = pa.scalar(window.as_of, pa.date32()).cast(pa.int32())
    for name in names:
        dates = table.column(name).cast(pa.date32()).cast(pa.int32())
        days = pc.subtract(end, dates).cast(pa.float64())
        table = table.set_column(table.column_names.index(name), name, days)
    return table


def _sales(sold: Matched, window: Window) -> Sales:
    """The sums of the window as arrays; a line without history has sold nothing."""
    seen = sold.numbers("first_seen")
    days = np.minimum(np.where(np.isnan(seen), window.days, seen), window.days)
    return Sales(
        days=days.astype(np.int64),
        sale_days=np.nan_to_num(sold.numbers("sale_days")).astype(np.int64),
        quantity=np.nan_to_num(sold.numbers("quantity")),
        squares=np.nan_to_num(sold.numbers("squares")),
    )


def _value(lines: _Lines, *, cuts: Cuts) -> tuple[Floats, str]:
    """What each line brought in the window, by the best basis that is known."""
    money, quantity = lines.money, lines.sales.quantity
    basis = rules.basis_of(
        ~(money.margin_assumed | money.cost_assumed),
        ~np.isnan(lines.revenue_cents),
        quantity > 0,
        known_share=cuts.known_share,
    )
    if basis == "margin":
        return quantity * money.margin_cents, basis
    if basis == "revenue":
        return np.nan_to_num(lines.revenue_cents), basis
    return quantity, basis


def _nullable(values: Floats) -> pa.Array:
    """Numbers with null where they are not finite."""
    import pyarrow as pa

    return pa.array(values, pa.float64(), mask=~np.isfinite(values))


def _whole(values: Floats) -> pa.Array:
    """Whole numbers with null where there is none."""
    import pyarrow as pa

    missing = ~np.isfinite(values)
    whole: Ints = np.rint(np.where(missing, 0, values)).astype(np.int64)
    return pa.array(whole, pa.int64(), mask=missing)
