"""The desk's tables in the lake, and the queries that pages ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sanhe.core.errors import BadInput, Code, NotFound
from sanhe.core.lake import current_facts, rows_of
from sanhe.goods.health import COVER_BARS, COVER_DAYS
from sanhe.loop.desk.filters import Filters
from sanhe.loop.desk.lines import AGES

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake, LakeTable
    from sanhe.core.values import Json

FOLDER: Final = "desk/"
LINES: Final = "desk/lines"
"""What lists show: small enough to be held in memory by a process that serves pages."""

ARITHMETIC: Final = "desk_arithmetic"
"""The rest of each line, which is looked at one line at a time."""

CLASSES: Final = "desk/classes"
"""The sums by class that inventory health shows."""

SHOWN: Final = (
    *("sku", "place", "region", "item_name", "category", "supplier", "label", "on_hand"),
    *("on_order", "reserved", "forecast_per_day", "cover_days", "quantity", "value_cents"),
    *("lead_time_days", "stock_value_cents", "excess_cents", "expiring_cents", "margin_rate"),
    *("exception", "exception_cents", "age_days", "days_since_sale", "dead"),
)
"""The columns of lists."""

_FOUND_BY: Final = "found_by"
_POSITION: Final = "position"
"""Where a line stands among all by SKU and place: what orders lines of equal value, as a number,
which sorts five times as fast as the two texts."""

_FORM: Final = 2
"""The form in which lines are kept; those of another form are as none."""

DAYS: Final = "desk/day/"
KEPT_DAYS: Final = 91
"""So many days' sums stay: a quarter."""

SORTS: Final = SHOWN
"""The columns a page may be sorted by."""

_INTO: Final = ("purchase.received", "stock.moved")
_OUT_OF: Final = ("sale.day", "sale.line")
"""The facts that move stock: what comes in (a move out is below zero), and what goes out."""

_WHERE: Final[Mapping[str, str]] = {
    "region": "region = $region",
    "place": "place = $place",
    "category": "(category = $category OR starts_with(category, $category || '/'))",
    "supplier": "supplier = $supplier",
    "label": "starts_with(label, $label)",
    "text": "contains(found_by, $text)",
    "ordered": "(quantity > 0) = $ordered",
    "excepted": "(exception IS NOT NULL) = $excepted",
    "kind": "exception = $kind",
    "slow": "(dead OR cover_days >= 91) = $slow",
}
_SUMS: Final = (
    *("lines", "counted", "sold_out", "stock_cents", "excess_cents", "expiring_cents"),
    *("dead_cents", "cost_a_day", "revenue_a_day", "margin_a_day", "missed_a_day"),
    *("order_cents", "orders"),
)


def keep(lake: Lake, day: date, *, lines: pa.Table, sums: pa.Table, classes: pa.Table) -> None:
    """Lay out the lines in the place of the earlier ones, and keep the sums of the day.

    They come by SKU and place, as `lay_out` gives them: so one of them is quick to find.
    """
    keep_sums(lake, day, sums)
    for old in days(lake)[:-KEPT_DAYS]:
        lake.drop(DAYS + old.isoformat())
    import pyarrow as pa
    import pyarrow.compute as pc

    # Before the lists, so that what they show can be opened.
    rest = [name for name in lines.column_names if name not in SHOWN]
    lake.write(CLASSES, classes)
    lake.write(ARITHMETIC, lines.select(["sku", "place", *rest]))
    words = (pc.fill_null(lines.column(name), "") for name in ("sku", "item_name", "place"))
    shown = lines.select(list(SHOWN))
    found_by = pc.utf8_lower(pc.binary_join_element_wise(*words, "\n"))
    position = pa.array(range(shown.num_rows), pa.int32())
    shown = shown.append_column(_FOUND_BY, found_by).append_column(_POSITION, position)
    lake.write(LINES, shown, details={"as_of": day.isoformat(), "form": _FORM})


def keep_sums(lake: Lake, day: date, sums: pa.Table) -> None:
    """Keep the sums of a day."""
    lake.write(DAYS + day.isoformat(), sums, details={"as_of": day.isoformat()})


def days(lake: Lake) -> list[date]:
    """The days whose sums are kept, the oldest first."""
    found = (name for name in lake.tables() if name.startswith(DAYS))
    return sorted(date.fromisoformat(name.removeprefix(DAYS)) for name in found)


def newest(lake: Lake) -> date | None:
    """The day the lines are of; None before the first plan."""
    kept = _laid_out(lake)
    return None if kept is None else date.fromisoformat(str(kept.details["as_of"]))


def as_of(lake: Lake) -> date:
    """The day the lines are of. Raises NotFound before the first plan."""
    found = newest(lake)
    if found is None:
        raise NotFound(
            "nothing is planned yet: run sanhe plan, or sanhe demo to try it", code=Code.NOT_PLANNED
        )
    return found


def page(
    lake: Lake, filters: Filters, *, sort: str, descending: bool, window: tuple[int, int]
) -> tuple[pa.Table, int, date]:
    """The filtered lines in their order from an offset on, so many; how many in all; their day.

    Lines without a value stand last, equal ones by SKU and place. Raises BadInput for a column
    that can't be sorted by, NotFound before the first plan.
    """
    where, given = _where(filters)
    # The whole order is a column of numbers, which a lake in memory keeps: a page however deep is
    # then a slice of it.
    sql = f"""
    SELECT {_POSITION} FROM "{LINES}" WHERE {where} ORDER BY {_order(sort, descending=descending)}
    """  # noqa: S608 -- constants
    while True:
        day, kept = as_of(lake), _laid_out(lake)
        order = lake.query(sql, given, tables=[LINES])[_POSITION]
        offset, limit = window
        rows = _at(lake, order.slice(offset, limit))
        if _laid_out(lake) == kept:  # else a plan was laid out in between
            return rows, len(order), day


def _at(lake: Lake, positions: pa.ChunkedArray) -> pa.Table:
    """The lines at these positions, in this order."""
    import pyarrow.compute as pc

    sql = f"""
    SELECT {", ".join(SHOWN)}, {_POSITION} FROM "{LINES}"
    WHERE {_POSITION} IN (SELECT unnest(CAST($positions AS INTEGER[])))
    """  # noqa: S608 -- constants
    rows = lake.query(sql, {"positions": positions.to_pylist()}, tables=[LINES])
    return rows.take(pc.index_in(positions, rows[_POSITION])).drop_columns([_POSITION])


def lines(lake: Lake, filters: Filters, *, sort: str, descending: bool) -> pa.Table:
    """All the filtered lines in their order; see `page`."""
    where, given = _where(filters)
    order = _order(sort, descending=descending)
    sql = f'SELECT {", ".join(SHOWN)} FROM "{LINES}" WHERE {where} ORDER BY {order}'  # noqa: S608
    return lake.query(sql, given, tables=[LINES])


def line(lake: Lake, sku: str, place: str) -> dict[str, Any]:
    """One line. Raises NotFound."""
    key: dict[str, str] = {"sku": sku, "place": place}
    columns = ", ".join(SHOWN)
    sql = f'SELECT {columns} FROM "{LINES}" WHERE sku = $sku AND place = $place'  # noqa: S608
    shown = lake.query(sql, {**key}, tables=[LINES]).to_pylist()
    rest = rows_of(lake, ARITHMETIC, key).to_pylist()
    if not shown or not rest:
        raise NotFound(f"no line of {sku} at {place}: check the codes, or plan again")
    return {**rest[0], **shown[0]}


def exception_sums(lake: Lake, filters: Filters) -> list[dict[str, Any]]:
    """Of each kind of exception: kind, lines, cents."""
    where, given = _where(filters)
    sql = f"""
    SELECT exception AS kind, count(*) AS lines, CAST(sum(exception_cents) AS BIGINT) AS cents
    FROM "{LINES}" WHERE exception IS NOT NULL AND {where} GROUP BY ALL ORDER BY cents DESC, kind
    """  # noqa: S608 -- constants
    rows: list[dict[str, Any]] = lake.query(sql, given, tables=[LINES]).to_pylist()
    return rows


def day_sums(lake: Lake, filters: Filters, *, by: str | None = None) -> list[dict[str, Any]]:
    """The sums of every kept day in order, or of the newest day `by` region or category.

    Of the filters those of region, place and category count.
    """
    kept = [DAYS + day.isoformat() for day in days(lake)]
    if not kept:
        return []
    where, given = _where(_placed(filters))
    added = ", ".join(f"sum({name}) AS {name}" for name in _SUMS)
    if by is not None:
        sql = f"""
        SELECT "{by}" AS name, {added} FROM "{kept[-1]}" WHERE {where}
        GROUP BY "{by}" ORDER BY stock_cents DESC
        """  # noqa: S608 -- constants
        rows: list[dict[str, Any]] = lake.query(sql, given, tables=kept[-1:]).to_pylist()
        return rows
    day = f"SELECT '{{}}' AS day, {added} FROM \"{{}}\" WHERE {where}"  # noqa: S608 -- constants
    every = " UNION ALL ".join(day.format(name.removeprefix(DAYS), name) for name in kept)
    found: list[dict[str, Any]] = lake.query(
        f"{every} ORDER BY day", given, tables=kept
    ).to_pylist()
    return found


def stock_changes(lake: Lake, first_day: date, as_of: date) -> pa.Table:
    """What came in less what went out, at cost, from `first_day` until before `as_of`.

    Columns: day, region, place, category, cents. Of lines whose stock is known alone.
    """
    sources = current_facts(lake, [*_INTO, *_OUT_OF])
    each = "SELECT sku, place, day, {}coalesce(quantity, 0) AS units FROM ({})"
    moved = "\nUNION ALL\n".join(
        each.format(sign, sources.sql[kind])
        for sign, kinds in (("", _INTO), ("-", _OUT_OF))
        for kind in kinds
    )
    sql = f"""
    SELECT m.day, l.region, l.place, l.category,
        CAST(sum(m.units * a.unit_cost_cents) AS DOUBLE) AS cents
    FROM ({moved}) AS m
    JOIN "{LINES}" AS l ON l.sku = m.sku AND l.place = m.place AND l.on_hand IS NOT NULL
    JOIN "{ARITHMETIC}" AS a ON a.sku = m.sku AND a.place = m.place
    WHERE m.day >= CAST($first_day AS DATE) AND m.day < CAST($as_of AS DATE)
    GROUP BY ALL
    """  # noqa: S608 -- constants
    days: dict[str, Json] = {"first_day": first_day.isoformat(), "as_of": as_of.isoformat()}
    return lake.query(sql, days, tables=[*sources.tables, LINES, ARITHMETIC])


def class_sums(lake: Lake, filters: Filters) -> list[dict[str, Any]]:
    """The sums of each class that occurs, by its first two letters: abc, xyz, lines and money."""
    where, given = _where(_placed(filters, label=filters.label))
    names = ("lines", "dead_lines", "stock_cents", "dead_cents", "excess_cents", "expiring_cents")
    added = ", ".join(f"sum({name}) AS {name}" for name in (*names, *AGES))
    sql = f"""
    SELECT label[1] AS abc, label[2] AS xyz, {added},
        CASE WHEN sum(cost_a_day) > 0 THEN sum(moving_cents) / sum(cost_a_day) END AS cover_days
    FROM "{CLASSES}" WHERE {where} GROUP BY abc, xyz ORDER BY abc, xyz
    """  # noqa: S608 -- constants
    rows: list[dict[str, Any]] = lake.query(sql, given, tables=[CLASSES]).to_pylist()
    return rows


def cover_sums(lake: Lake, filters: Filters) -> list[dict[str, Any]]:
    """Lines and stock money by the bar of COVER_BARS that their cover falls into, by its place."""
    where, given = _where(_placed(filters, label=filters.label))
    steps = " ".join(f"WHEN cover_days < {days} THEN {at}" for at, days in enumerate(COVER_DAYS))
    sql = f"""
    SELECT CASE WHEN coalesce(cover_days, 0) <= 0 THEN {len(COVER_BARS) - 1} {steps}
        ELSE {len(COVER_BARS) - 2} END AS bar, count(*) AS lines,
        CAST(sum(stock_value_cents) AS DOUBLE) AS stock_cents
    FROM "{LINES}" WHERE on_hand > 0 AND {where} GROUP BY bar ORDER BY bar
    """  # noqa: S608 -- constants
    rows: list[dict[str, Any]] = lake.query(sql, given, tables=[LINES]).to_pylist()
    return rows


def scopes(lake: Lake) -> dict[str, list[Any]]:
    """What the lines can be filtered by: places with region, categories, suppliers, labels."""
    one = f'SELECT DISTINCT {{}} FROM "{LINES}" WHERE {{}} IS NOT NULL ORDER BY ALL'  # noqa: S608
    found: dict[str, list[Any]] = {
        name: lake.query(one.format(name, name), tables=[LINES])[name].to_pylist()
        for name in ("supplier", "label", "category")
    }
    found["place"] = lake.query(one.format("region, place", "place"), tables=[LINES]).to_pylist()
    return found


def keys(lake: Lake, filters: Filters) -> pa.Table:
    """SKU and place of the filtered lines."""
    where, given = _where(filters)
    sql = f'SELECT sku, place FROM "{LINES}" WHERE {where}'  # noqa: S608 -- constants
    return lake.query(sql, given, tables=[LINES])


def _placed(filters: Filters, *, label: str | None = None) -> Filters:
    """The filters that sums know: region, place and category, and a label."""
    of = (filters.region, filters.place, filters.category)
    return Filters(region=of[0], place=of[1], category=of[2], label=label)


def _laid_out(lake: Lake) -> LakeTable | None:
    """The table of lines, where one is kept in the present form."""
    kept = lake.tables().get(LINES)
    return kept if kept is not None and kept.details.get("form") == _FORM else None


def _order(sort: str, *, descending: bool) -> str:
    """The order of lines. Raises BadInput for a column that can't be sorted by."""
    if sort not in SORTS:
        raise BadInput(f"can't sort by {sort!r}", place="sort", remedy=f"use {', '.join(SORTS)}")
    return f"{sort} {'DESC' if descending else 'ASC'} NULLS LAST, {_POSITION}"


def _where(filters: Filters) -> tuple[str, dict[str, Json]]:
    """The conditions of the filters that are set, and their values."""
    given: dict[str, Json] = {
        name: value for name in _WHERE if (value := getattr(filters, name)) is not None
    }
    if isinstance(text := given.get("text"), str):
        given["text"] = text.strip().lower()
    return " AND ".join(_WHERE[name] for name in given) or "true", given
