"""Turn computed lines into proposals a person can judge, column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from sanhe.core.ahead import ahead
from sanhe.core.decisions import ProposalTable
from sanhe.goods.replenish.effects import Effects, effects
from sanhe.goods.replenish.matching import Texts
from sanhe.goods.replenish.policy import KIND
from sanhe.goods.replenish.prepared import Prepared
from sanhe.goods.replenish.rules import Outcome
from sanhe.goods.replenish.words import reasons, warnings
from sanhe.models.inventory import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

_STOCK: Final = (
    *("on_hand", "expiring", "on_order", "on_order_overdue", "on_order_after_cover"),
    *("transferred_in", "reserved", "leaving", "downstream_gap"),
)
"""The inputs of the stock position, as `Lines` has them."""

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many lines of how many are done."""

METHOD = "order-up-to/1"
"""The method of the arithmetic and its version."""

PIECE_LINES = 32_768
"""So many lines become proposals at a time, so that memory stays bounded."""


def proposals(
    prepared: Prepared,
    outcome: Outcome,
    rows: Ints,
    *,
    valid_until: datetime | None,
    progress: Progress | None = None,
) -> Iterator[ProposalTable]:
    """One proposal for each of these lines, in their order, many to a table.

    The next table is computed while the last one is used.
    """
    pieces = (rows[at : at + PIECE_LINES] for at in range(0, len(rows), PIECE_LINES))
    done = 0
    for table in ahead(
        _table(prepared, outcome, effects(prepared, outcome, piece), valid_until=valid_until)
        for piece in pieces
    ):
        done += table.num_rows
        if progress is not None:
            progress(done, len(rows))
        yield ProposalTable(KIND, table)


def _table(
    prepared: Prepared, outcome: Outcome, bought: Effects, *, valid_until: datetime | None
) -> pa.Table:
    """The proposals of the lines of `bought`."""
    import pyarrow as pa

    rows = bought.rows
    until = pa.scalar(valid_until, pa.timestamp("us", "UTC"))
    columns = {
        "sku": _texts(prepared.sku[rows]),
        "place": _texts(prepared.place[rows]),
        "value": outcome.quantity[rows],
        "value_cents": _value_cents(prepared, outcome, rows),
        "terms": _lists(np.ones((len(rows), outcome.terms.shape[1]), bool), outcome.terms[rows]),
        "label": _texts(prepared.label[rows]),
        "valid_until": pa.repeat(until, len(rows)),
        "reason": _reasons(prepared, outcome, bought),
        "method": pa.repeat(f"{METHOD} on {prepared.forecast.method}", len(rows)),
        "inputs": _struct(_inputs(prepared, bought)),
        "constraints": _names_of(outcome.hits, rows),
        "alternatives": _alternatives(bought),
        "expected": _expected(bought),
    }
    return pa.table(columns)


def _inputs(prepared: Prepared, bought: Effects) -> dict[str, pa.Array]:
    """The snapshot: what the lines were computed from."""
    import pyarrow as pa

    rows = bought.rows
    lines, supply = prepared.lines, prepared.supply
    today = prepared.forecast.as_of

    def day(days_ahead: Floats) -> pa.Array:
        ahead, at = np.unique(np.ceil(days_ahead[rows]).astype(np.int64), return_inverse=True)
        names = [(today + timedelta(days=days)).isoformat() for days in ahead.tolist()]
        return pa.array(names, pa.string()).take(at)

    demand = lines.until_next.take(rows)
    values = {
        "as_of": pa.repeat(today.isoformat(), len(rows)),
        "forecast_run": pa.repeat(prepared.forecast.id, len(rows)),
        "item_name": _texts(prepared.item_name[rows]),
        "supplier": _texts(supply.supplier[rows]),
        "order_on": day(supply.order_in.astype(np.float64)),
        "arrives_on": day(supply.arrives_in),
        "next_arrival_on": day(supply.next_arrival_in),
        "cover_days": _rounded(supply.next_arrival_in[rows]),
        "lead_time_days": _rounded(supply.lead_time_days[rows]),
        "lead_time_sd_days": _rounded(supply.lead_time_sd_days[rows]),
        "review_days": pa.array(supply.review_days[rows]),
        "promised_days": pa.array(supply.promised_days[rows]),
        "by_place": pa.array(supply.by_place[rows]),
        "due_days": pa.array((supply.due_in - supply.order_in)[rows], mask=~supply.by_place[rows]),
        "service_level": _rounded(lines.service_level[rows]),
        "demand_mean": _rounded(demand.mean),
        "demand_sd": _rounded(np.sqrt(demand.variance)),
        "distribution": pa.array(["continuous", "counts"]).take(demand.counted.astype(np.int64)),
        **{name: pa.array(getattr(lines, name)[rows]) for name in _STOCK},
        "stock_known_since": _texts(prepared.stock_known_since[rows]),
        "presentation_units": pa.array(lines.presentation[rows]),
        "moq": pa.array(lines.moq[rows]),
        "case_size": pa.array(lines.case_size[rows]),
        "shelf_life_days": _rounded(prepared.shelf_life_days[rows]),
        "unit_cost_cents": _rounded(lines.unit_cost_cents[rows], 4),
        "margin_cents": _rounded(lines.margin_cents[rows], 4),
        "cover_before_days": _rounded(bought.cover_before_days, 1),
        "cover_after_days": _rounded(bought.chosen.cover_days, 1),
        "expected_fill": _rounded(bought.chosen.fill, 4),
        "stock_out_risk": _rounded(bought.stock_out_risk, 4),
        "forecast_by_day": _forecast_by_day(prepared, rows),
        "assumed": _names_of(prepared.assumed, rows),
        "class_rules": prepared.class_rules.take(pa.array(rows)),
    }
    drivers = _drivers(prepared, rows)
    lots = _lots(prepared, rows)
    return (
        values
        | ({"drivers": _struct(drivers)} if drivers else {})
        | ({"expiring_lots": lots} if lots is not None else {})
    )


def _lots(prepared: Prepared, rows: Ints) -> pa.ListArray | None:
    """The lots of each line that expire before the next arrival; None where no line has any."""
    import pyarrow as pa

    lots, today = prepared.lots, prepared.forecast.as_of
    at = np.full(len(prepared.sku), -1, np.int64)
    at[rows] = np.arange(len(rows))
    mine = np.flatnonzero(at[lots.line] >= 0)
    if not mine.size:
        return None
    mine = mine[np.argsort(at[lots.line[mine]], kind="stable")]
    last_days = [today + timedelta(days=days - 1) for days in lots.days[mine].tolist()]
    told = _struct(
        {
            "expires": pa.array([day.isoformat() for day in last_days], pa.string()),
            "quantity": pa.array(lots.quantity[mine]),
            "demand_until_then": _rounded(lots.demand[mine]),
        }
    )
    each = np.bincount(at[lots.line[mine]], minlength=len(rows))
    ends = pa.array(np.concatenate([[0], np.cumsum(each)]), pa.int32())
    return pa.ListArray.from_arrays(ends, told)


def _forecast_by_day(prepared: Prepared, rows: Ints) -> pa.ListArray:
    """Expected demand of each day until the next order arrives."""
    by_day = np.round(prepared.mean[rows], 3)
    ends = np.ceil(prepared.supply.next_arrival_in[rows])
    return _lists(np.arange(by_day.shape[1]) < ends[:, None], by_day)


def _drivers(prepared: Prepared, rows: Ints) -> dict[str, pa.Array]:
    """What the demand over the cover is made of, by driver; empty where that is not known."""
    import pyarrow as pa

    keys = pa.table({"sku": _texts(prepared.sku[rows]), "place": _texts(prepared.place[rows])})
    found = prepared.forecast.drivers(keys, prepared.supply.next_arrival_in[rows])
    return {name: _rounded(units) for name, units in (found or {}).items()}


def _expected(bought: Effects) -> pa.StructArray:
    """What each order saves from being short, in units, with its 90 % interval."""
    import pyarrow as pa

    return _struct(
        {
            "metric": pa.repeat("shortage_avoided_units", len(bought.rows)),
            "value": pa.array(np.round(bought.avoided, 3)),
            "low": pa.array(np.round(bought.avoided_low, 3)),
            "high": pa.array(np.round(bought.avoided_high, 3)),
        }
    )


def _reasons(prepared: Prepared, outcome: Outcome, bought: Effects) -> pa.StringArray:
    """The sentence of each line, with a warning where stock may run out before the arrival."""
    import pyarrow.compute as pc

    rows, supply = bought.rows, prepared.supply
    told = reasons(
        outcome.terms[rows],
        days=supply.next_arrival_in[rows],
        case_size=prepared.lines.case_size[rows],
        hits={name: hit[rows] for name, hit in outcome.hits.items()},
    )
    warned = warnings(
        bought.cover_before_days, supply.arrives_in[rows], ordered=outcome.quantity[rows] != 0
    )
    return pc.binary_join_element_wise(told, warned, "")


def _alternatives(bought: Effects) -> pa.ListArray:
    """The other quantities that are open to each line."""
    import pyarrow as pa

    quantity, fill, cover = (
        np.stack([getattr(choice, name) for choice in bought.others], axis=1)
        for name in ("quantity", "fill", "cover_days")
    )
    is_open = quantity >= 0
    others = _struct(
        {
            "quantity": pa.array(quantity[is_open]),
            "expected_fill": _rounded(fill[is_open], 4),
            "cover_days": _rounded(cover[is_open], 1),
        }
    )
    return pa.ListArray.from_arrays(_ends(is_open), others)


def _value_cents(prepared: Prepared, outcome: Outcome, rows: Ints) -> Ints:
    """The money of each line in whole cents, half a cent rounded up."""
    exact = outcome.quantity[rows] * prepared.lines.unit_cost_cents[rows]
    cents: Ints = np.floor(exact + 0.5 + 1e-9).astype(np.int64)
    return cents


def _rounded(values: Floats, digits: int = 3) -> pa.DoubleArray:
    """Numbers for a record: rounded, and null where they are not finite."""
    import pyarrow as pa

    return pa.array(np.round(values, digits), pa.float64(), mask=~np.isfinite(values))


def _names_of(flags: Mapping[str, Bools], rows: Ints) -> pa.ListArray:
    """The names whose flag is set, of each row, in their order."""
    import pyarrow as pa

    is_set = np.stack([flag[rows] for flag in flags.values()], axis=1)
    names = pa.array(flags, pa.string()).take(np.nonzero(is_set)[1])
    return pa.ListArray.from_arrays(_ends(is_set), names)


def _lists(kept: Bools, values: Ints | Floats) -> pa.ListArray:
    """Of each row of `values` [N, K] those that are kept."""
    import pyarrow as pa

    return pa.ListArray.from_arrays(_ends(kept), pa.array(values[kept]))


def _ends(kept: Bools) -> pa.Int32Array:
    """Where the list of each row begins and ends among all that is kept."""
    import pyarrow as pa

    return pa.array(np.concatenate([[0], np.cumsum(kept.sum(axis=1))]), pa.int32())


def _struct(columns: Mapping[str, pa.Array]) -> pa.StructArray:
    import pyarrow as pa

    return pa.StructArray.from_arrays(list(columns.values()), names=list(columns))


def _texts(values: Texts) -> pa.StringArray:
    import pyarrow as pa

    return pa.array(values, pa.string())
