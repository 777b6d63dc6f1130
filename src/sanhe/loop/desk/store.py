"""The desk's tables in the lake, and the queries that pages ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.lake import current_facts
from sanhe.goods.health import COVER_BARS, COVER_DAYS
from sanhe.loop.desk.filters import Filters
from sanhe.loop.desk.lines import AGES

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake
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
    """Lay out the lines in the place of the earlier ones, and keep the sums of the day."""
    keep_sums(lake, day, sums)
    for old in days(lake)[:-KEPT_DAYS]:
        lake.drop(DAYS + old.isoformat())
    import pyarrow.compute as pc

    # Before the lists, so that what they show can be opened.
    rest = [name for name in lines.column_names if name not in SHOWN]
    lake.write(CLASSES, classes)
    lake.write(ARITHMETIC, lines.select(["sku", "place", *rest]))
    words = (pc.fill_null(lines.column(name), "") for name in ("sku", "item_name", "place"))
    shown = lines.select(list(SHOWN))
    found_by = pc.utf8_lower(pc.binary_join_element_wise(*words, "\n"))
    lake.write(LINES, shown.append_column(_FOUND_BY, found_by), details={"as_of": day.isoformat()})


def keep_sums(lake: Lake, day: date, sums: pa.Table) -> None:
    """Keep the sums of a day."""
    lake.write(DAYS + day.isoformat(), sums, details={"as_of": day.isoformat()})


def days(lake: Lake) -> list[date]:
    """The days whose sums are kept, the oldest first."""
    found = (name for name in lake.tables() if name.startswith(DAYS))
    return sorted(date.fromisoformat(name.removeprefix(DAYS)) for name in found)


def newest(lake: Lake) -> date | None:
    """The day the lines are of; None before the first plan."""
    kept = lake.tables().get(LINES)
    return None if kept is None else date.fromisoformat(str(kept.details["as_of"]))


def as_of(lake: Lake) -> date:
    """The day the lines are of. Raises NotFound before the first plan."""
    found = newest(lake)
    if found is None:
        raise NotFound("nothing is planned yet: run sanhe plan, or sanhe demo to try it")
    return found


def lines(
    lake: Lake, filters: Filters, *, sort: str, descending: bool, offset: int, limit: int | None
) -> tuple[pa.Table, int]:
    """Some of the filtered lines in their order, and how many there are in all.

    Lines without a value stand last, equal ones by SKU and place. Raises BadInput for a column
    that can't be sorted by.
    """
    if sort not in SORTS:
        raise BadInput(f"can't sort by {sort!r}", place="sort", remedy=f"use {', '.join(SORTS)}")
    where, given = _where(filters)
    order = f"{sort} {'DESC' if descending else 'ASC'} NULLS LAST, sku, place"
    columns, cut = ", ".join(SHOWN), "" if limit is None else " LIMIT $limit OFFSET $offset"
    sql = f'SELECT {columns} FROM "{LINES}" WHERE {where} ORDER BY {order}{cut}'  # noqa: S608
    window: dict[str, Json] = {} if limit is None else {"limit": limit, "offset": offset}
    found = lake.query(sql, {**given, **window}, tables=[LINES])
    total = f'SELECT count(*) AS total FROM "{LINES}" WHERE {where}'  # noqa: S608 -- constants
    count: int = lake.query(total, given, tables=[LINES])["total"][0].as_py()
    return found, count


def line(lake: Lake, sku: str, place: str) -> dict[str, Any]:
    """One line. Raises NotFound."""
    row: dict[str, Any] = {}
    for table in (ARITHMETIC, LINES):
        sql = f'SELECT * FROM "{table}" WHERE sku = $sku AND place = $place'  # noqa: S608
        found = lake.query(sql, {"sku": sku, "place": place}, tables=[table]).to_pylist()
        if not found:
            raise NotFound(f"no line of {sku} at {place}: check the codes, or plan again")
        row |= found[0]
    del row[_FOUND_BY]
    return row


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


def _where(filters: Filters) -> tuple[str, dict[str, Json]]:
    """The conditions of the filters that are set, and their values."""
    given: dict[str, Json] = {
        name: value for name in _WHERE if (value := getattr(filters, name)) is not None
    }
    if isinstance(text := given.get("text"), str):
        given["text"] = text.strip().lower()
    return " AND ".join(_WHERE[name] for name in given) or "true", given
