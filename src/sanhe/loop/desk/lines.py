"""Lays a plan out: one row for each SKU × place with all that a page shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.goods.health import BUCKETS
from sanhe.goods.replenish import TERMS, Matched
from sanhe.loop.desk.rules import KINDS, Judged, exceptions
from sanhe.models.inventory import Floats

if TYPE_CHECKING:
    import pyarrow as pa

BASIS: Final = ("demand_mean", "demand_sd", "service_level", "lead_time_days", "wait_days")
"""What the order-up-to level came from, kept for the explanation of lines without a decision."""

LEVEL: Final = ("demand_over_cover", "safety_stock", "presentation_top_up", "downstream_gap")
"""The terms that say how much a line needs."""

AGES: Final = tuple(f"cents_{bucket}" for bucket in BUCKETS)
"""The stock money by the age of what lies there."""

_FROM_HEALTH: Final = (
    *("daily_mean", "price_cents", "margin_rate", "stock_value_cents"),
    *("expiring_cents", "dead", "days_since_sale", "age_days"),
    *AGES,
)


def lay_out(plan: pa.Table, health: pa.Table, *, items: pa.Table, places: pa.Table) -> pa.Table:
    """Every line that was planned, sells or holds stock, by SKU and place.

    plan: as `goods.replenish` keeps it; health: as `Health.table` gives it; items: sku, name,
    category; places: id, region. Columns: sku, place, region, item_name, category, supplier,
    label; on_hand (null = never counted), on_order, reserved, forecast_per_day, cover_days
    (stock over forecast, null without demand or stock known), quantity (to order), unit_cost_cents,
    value_cents (to order, at cost); the columns of BASIS and TERMS; those of `Health.table` that
    pages show; exception (one of KINDS or null) and exception_cents.
    """
    import pyarrow as pa

    skus, sites = _keys(plan, health)
    planned, held = Matched(plan, skus, sites), Matched(health, skus, sites)
    of_item = Matched(items, skus, sites)
    stock = _stock(planned, held)
    texts = {
        "region": Matched(places, sites, sites, on=("id", "place")).column("region"),
        "item_name": _first(planned.column("item_name"), of_item.column("name")),
        "category": of_item.column("category"),
        "supplier": planned.column("supplier"),
        "label": _first(planned.column("label"), held.column("label")),
    }
    return pa.table(
        {
            "sku": skus,
            "place": sites,
            **{name: column.cast(pa.string()) for name, column in texts.items()},
            **stock,
            **{name: _some(planned.numbers(name)) for name in BASIS},
            **{f"term_{name}": _whole(_term(planned, name)) for name in TERMS},
            **{name: held.column(name) for name in _FROM_HEALTH},
        }
    )


def _stock(planned: Matched, held: Matched) -> dict[str, pa.Array]:
    """Stock, demand, order and exception of each line."""
    import pyarrow as pa

    on_hand, cost = held.numbers("on_hand"), _unit_cost(planned, held)
    demand_days = planned.numbers("lead_time_days") + planned.numbers("wait_days")
    per_day = planned.numbers("demand_mean") / np.maximum(demand_days, 1e-9)
    per_day = np.where(planned.found, per_day, held.numbers("daily_mean"))
    judged = _judged(planned, held, per_day=per_day, cost=cost)
    kind, cents = exceptions(judged)
    quantity = np.nan_to_num(planned.numbers("quantity"))
    with np.errstate(divide="ignore", invalid="ignore"):
        cover = np.where(per_day > 0, on_hand / per_day, np.nan)
    named = pa.array(np.maximum(kind, 0), pa.int32(), mask=kind < 0)
    return {
        "on_hand": _whole(on_hand),
        "on_order": _whole(-_term(planned, "on_order")),
        "reserved": _whole(_term(planned, "reserved")),
        "forecast_per_day": _some(per_day),
        "cover_days": _some(cover),
        "quantity": _whole(quantity),
        "unit_cost_cents": _some(cost),
        "value_cents": _whole(np.rint(quantity * np.nan_to_num(cost))),
        "excess_cents": _whole(judged.excess_cents),
        "exception": pa.DictionaryArray.from_arrays(named, list(KINDS)).cast(pa.string()),
        "exception_cents": _whole(cents),
    }


def _judged(planned: Matched, held: Matched, *, per_day: Floats, cost: Floats) -> Judged:
    """What the lines are judged by."""
    return Judged(
        on_hand=held.numbers("on_hand"),
        on_order=-_term(planned, "on_order"),
        per_day=per_day,
        lead_time_days=planned.numbers("lead_time_days"),
        refused=-_term(planned, "not_orderable"),
        unit_cost_cents=cost,
        unit_margin_cents=held.numbers("price_cents") * held.numbers("margin_rate"),
        stock_cents=held.numbers("stock_value_cents"),
        excess_cents=_excess(planned, held, cost=cost),
        expiring_cents=held.numbers("expiring_cents"),
        dead=held.numbers("dead") > 0,
    )


def _excess(planned: Matched, held: Matched, *, cost: Floats) -> Floats:
    """The money of stock beyond what the line needs, [N].

    As health judges it by the line's own sales, and of a planned line no more than lies above its
    level in the plan: a warehouse holds what its stores will draw.
    """
    level = np.maximum(sum(_term(planned, name) for name in LEVEL), 0.0)
    beyond = np.maximum(held.numbers("on_hand") - level, 0.0) * cost
    judged = held.numbers("excess_cents")
    return np.where(planned.found, np.fmin(judged, beyond), judged)


def sums(lines: pa.Table) -> pa.Table:
    """The day's sums by place and category, from `lay_out`: what the cockpit adds up.

    Columns: region, place, category; lines, counted (stock known), sold_out (of those, none on
    hand though it sells); stock_cents, excess_cents, expiring_cents, dead_cents at cost; a day:
    cost_a_day, revenue_a_day, margin_a_day of the expected demand (without tax), missed_a_day (of
    the revenue, that of sold-out lines); order_cents and orders (lines to order).
    """
    on_hand, per_day = (
        _numbers(lines, "on_hand"),
        np.nan_to_num(_numbers(lines, "forecast_per_day")),
    )
    cost = np.nan_to_num(_numbers(lines, "unit_cost_cents"))
    price = _numbers(lines, "price_cents")
    price = np.where(np.isnan(price), cost, price)
    margin = np.nan_to_num(_numbers(lines, "margin_rate")) * price
    stock = np.nan_to_num(_numbers(lines, "stock_value_cents"))
    dead = _numbers(lines, "dead") > 0
    counted = ~np.isnan(on_hand)
    sold_out = counted & (np.nan_to_num(on_hand) <= 0) & (per_day > 0)
    of = {
        "counted": counted,
        "sold_out": sold_out,
        "stock_cents": stock,
        "excess_cents": np.nan_to_num(_numbers(lines, "excess_cents")),
        "expiring_cents": np.nan_to_num(_numbers(lines, "expiring_cents")),
        "dead_cents": stock * dead,
        "cost_a_day": per_day * cost,
        "revenue_a_day": per_day * price,
        "margin_a_day": per_day * margin,
        "missed_a_day": per_day * price * sold_out,
        "order_cents": np.nan_to_num(_numbers(lines, "value_cents")),
        "orders": _numbers(lines, "quantity") > 0,
    }
    return _summed(lines, ["region", "place", "category"], of)


def classes(lines: pa.Table) -> pa.Table:
    """The stock by class, place and category, from `lay_out`: what inventory health adds up.

    Columns: region, place, category, label; lines, dead_lines; stock_cents, dead_cents,
    excess_cents, expiring_cents; moving_cents (of the stock, what sells) and its cost_a_day; the
    stock by age in the columns of AGES.
    """
    stock = np.nan_to_num(_numbers(lines, "stock_value_cents"))
    cover = np.nan_to_num(_numbers(lines, "cover_days"))
    dead = _numbers(lines, "dead") > 0
    of = {
        "stock_cents": stock,
        "dead_lines": dead,
        "dead_cents": stock * dead,
        "moving_cents": stock * (cover > 0),
        "cost_a_day": np.divide(stock, cover, out=np.zeros_like(stock), where=cover > 0),
        **{
            name: np.nan_to_num(_numbers(lines, name))
            for name in ("excess_cents", "expiring_cents", *AGES)
        },
    }
    return _summed(lines, ["region", "place", "category", "label"], of)


def _summed(lines: pa.Table, keys: list[str], of: Mapping[str, Any]) -> pa.Table:
    """The sums of columns by key, as numbers, and how many `lines`."""
    import pyarrow as pa

    table = lines.select(keys)
    for name, values in of.items():
        table = table.append_column(name, pa.array(np.asarray(values, np.float64)))
    asked = [*((name, "sum") for name in of), ([], "count_all")]
    summed = table.group_by(keys).aggregate(asked)
    names = [name.removesuffix("_sum") for name in summed.column_names]
    return summed.rename_columns(["lines" if name == "count_all" else name for name in names])


def _keys(plan: pa.Table, health: pa.Table) -> tuple[pa.Array, pa.Array]:
    """The lines of the plan and those that only hold stock or sell, sorted by SKU and place."""
    import pyarrow as pa

    known = Matched(plan, health.column("sku"), health.column("place")).found
    rest = health.select(["sku", "place"]).filter(pa.array(~known))
    text = {"sku": pa.string(), "place": pa.string()}
    both = pa.concat_tables(
        [
            pa.table({name: table.column(name).cast(kind) for name, kind in text.items()})
            for table in (plan, rest)
        ]
    ).sort_by([("sku", "ascending"), ("place", "ascending")])
    return both.column("sku").combine_chunks(), both.column("place").combine_chunks()


def _unit_cost(planned: Matched, held: Matched) -> Floats:
    """What a base unit costs: as planned, else what its stock is worth."""
    cost = planned.numbers("unit_cost_cents")
    with np.errstate(divide="ignore", invalid="ignore"):
        by_stock = held.numbers("stock_value_cents") / held.numbers("on_hand")
    return np.where(np.isnan(cost), np.where(np.isfinite(by_stock), by_stock, np.nan), cost)


def _term(planned: Matched, name: str) -> Floats:
    """A term of the arithmetic, none where the line was not planned."""
    found: Floats = np.nan_to_num(planned.numbers(name))
    return found


def _first(one: pa.Array, other: pa.Array) -> pa.Array:
    """The one where it is told, else the other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.coalesce(one.cast(pa.string()), other.cast(pa.string()))


def _whole(values: Floats) -> pa.Array:
    import pyarrow as pa

    unknown = np.isnan(values)
    return pa.array(np.where(unknown, 0, values).astype(np.int64), mask=unknown)


def _some(values: Floats) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, mask=~np.isfinite(values))


def _numbers(table: pa.Table, name: str) -> Floats:
    import pyarrow as pa

    column = table.column(name).cast(pa.float64()).combine_chunks()
    found: Floats = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
    return found
