"""The suppliers' tables: descriptions, terms, orders of ours and of outside systems, receipts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.facts import Mirror
from sanhe.core.storage import Transaction, fetch_arrow
from sanhe.goods.suppliers.rules import order_name

if TYPE_CHECKING:
    import pyarrow as pa

MIRRORS = (
    Mirror(
        "supplier_description",
        "supplier.described",
        {
            "supplier": "party",
            "name": "payload->>'name'",
            "order_weekdays": "payload->>'order_weekdays'",
            "minimum_order_cents": "(payload->>'minimum_order_cents')::bigint",
            "minimum_order_cases": "(payload->>'minimum_order_cases')::bigint",
            "truck_grams": "(payload->>'truck_grams')::bigint",
            "truck_ml": "(payload->>'truck_ml')::bigint",
        },
    ),
    Mirror(
        "supply_agreement",
        "supply.agreed",
        {
            "sku": "sku",
            "place": "place",
            "supplier": "party",
            "unit_cost_cents": "amount_cents",
            "cost_per_case_cents": "(payload->>'cost_per_case_cents')::bigint",
            "currency": "currency",
            "lead_time_days": "(payload->>'lead_time_days')::bigint",
            "moq": "(payload->>'moq')::bigint",
            "case_size": "(payload->>'case')::bigint",
            "priority": "coalesce((payload->>'priority')::bigint, 1)",
            "case_grams": "(payload->>'case_grams')::bigint",
            "case_ml": "(payload->>'case_ml')::bigint",
            "cases_per_pallet": "(payload->>'cases_per_pallet')::bigint",
        },
    ),
    Mirror(
        "purchase_outside",
        "purchase.ordered",
        {
            "order_name": "payload->>'order'",
            "line": "payload->>'line'",
            "sku": "sku",
            "place": "place",
            "supplier": "party",
            "quantity": "quantity",
            "due": "(payload->>'due')::date",
        },
    ),
    Mirror(
        "purchase_receipt",
        "purchase.received",
        {
            "order_name": "payload->>'order'",
            "line": "payload->>'line'",
            "sku": "sku",
            "place": "place",
            "supplier": "party",
            "quantity": "quantity",
            "lot": "payload->>'lot'",
            "expires": "(payload->>'expires')::date",
        },
    ),
    Mirror(
        "purchase_closure",
        "purchase.closed",
        {"order_name": "payload->>'order'", "sku": "sku", "place": "place"},
    ),
    Mirror(
        "transfer_departure",
        "stock.moved",
        {
            "order_name": "payload->>'order'",
            "sku": "sku",
            "place": "place",
            "quantity": "-quantity",
        },
        only="payload->>'order' IS NOT NULL",
    ),
)

_LATEST = "event_at DESC, source DESC, external_id DESC"

_SUPPLIERS = f"""
    SELECT DISTINCT ON (supplier)
        supplier, name, order_weekdays, minimum_order_cents, minimum_order_cases, truck_grams,
        truck_ml
    FROM supplier_description
    WHERE day <= coalesce(%s::date, 'infinity'::date)
    ORDER BY supplier, {_LATEST}
"""  # noqa: S608 -- made of constants

_TERMS = f"""
    WITH agreed AS (
        SELECT DISTINCT ON (sku, place, supplier) *
        FROM supply_agreement
        WHERE day <= coalesce(%s::date, 'infinity'::date)
            AND (%s::text[] IS NULL OR sku = ANY(%s))
        ORDER BY sku, place, supplier, {_LATEST}
    ),
    described AS ({_SUPPLIERS})
    SELECT a.sku, a.place, a.supplier, coalesce(d.name, a.supplier) AS supplier_name,
        a.unit_cost_cents, a.cost_per_case_cents, a.currency, a.lead_time_days,
        greatest(coalesce(a.moq, 1), 1) AS moq, a.case_size, d.order_weekdays, a.priority,
        a.case_grams, a.case_ml, a.cases_per_pallet,
        d.minimum_order_cents, d.minimum_order_cases, d.truck_grams, d.truck_ml
    FROM agreed AS a LEFT JOIN described AS d USING (supplier)
    ORDER BY a.sku, a.place NULLS FIRST, a.priority,
        a.unit_cost_cents NULLS LAST, a.supplier
"""  # noqa: S608 -- made of constants

_ON_ORDER = """
    SELECT sku, place, ordered - received AS quantity, due, order_name AS order, line, supplier,
        ordered_on, own, greatest(%s::date - due, 0) AS overdue_days
    FROM purchase_line
    WHERE NOT closed AND ordered > received
    ORDER BY sku, place, due NULLS LAST, order_name,
        line_order
"""

# What arrived has left, whether its departure was recorded or not.
_LEAVING = """
    WITH line AS (
        SELECT l.order_name, l.sku, l.supplier AS place, sum(l.ordered) AS ordered,
            sum(l.received) AS received
        FROM purchase_line AS l LEFT JOIN purchase_order AS o ON l.own AND o.name = l.order_name
        WHERE NOT l.closed AND (coalesce(o.transfer, false) OR l.supplier = ANY(%s))
        GROUP BY l.order_name, l.sku, l.supplier
    ),
    gone AS (
        SELECT order_name, sku, place, sum(quantity) AS quantity
        FROM transfer_departure GROUP BY order_name, sku, place
    )
    SELECT sku, place,
        sum(ordered - greatest(received, coalesce(gone.quantity, 0)))::bigint AS quantity
    FROM line LEFT JOIN gone USING (order_name, sku, place)
    WHERE ordered > greatest(received, coalesce(gone.quantity, 0))
    GROUP BY sku, place
    ORDER BY sku, place
"""

# A receipt of what was not ordered there has no line to lie on.
_DIFFERENCES = """
    SELECT 'over' AS difference, order_name AS order, line, sku, place, supplier, ordered,
        received, received - ordered AS quantity, due, last_day
    FROM purchase_line WHERE received > ordered
    UNION ALL
    SELECT 'short', order_name, line, sku, place, supplier, ordered, received,
        received - ordered, due, last_day
    FROM purchase_line WHERE closed AND received < ordered
    UNION ALL
    SELECT 'overdue', order_name, line, sku, place, supplier, ordered, received,
        received - ordered, due, last_day
    FROM purchase_line WHERE NOT closed AND received < ordered AND due < %s::date
    UNION ALL
    SELECT 'unordered', r.order_name, r.line, r.sku, r.place, r.supplier, 0, r.quantity,
        r.quantity, NULL, r.day
    FROM purchase_receipt AS r
    WHERE NOT EXISTS (
        SELECT 1 FROM purchase_line AS l
        WHERE l.order_name = r.order_name AND l.sku = r.sku AND l.place = r.place
    )
    ORDER BY 2, 4, 5, 3, 1, 8, 11
"""

# A line counts once it is complete or closed. On time: all of it by the due day.
_LEAD_TIMES = """
    WITH done AS (
        SELECT l.supplier, l.sku, l.ordered, l.received, l.due,
            arrived.day AS complete_on, arrived.day - l.ordered_on AS days
        FROM purchase_line AS l
        CROSS JOIN LATERAL (
            SELECT min(r.day) FILTER (WHERE r.running >= l.ordered) AS enough, max(r.day) AS last
            FROM (
                SELECT day, sum(quantity) OVER (ORDER BY day) AS running
                FROM purchase_receipt AS r
                WHERE r.order_name = l.order_name AND r.sku = l.sku AND r.place = l.place
            ) AS r
        ) AS found
        CROSS JOIN LATERAL (SELECT coalesce(found.enough, found.last) AS day) AS arrived
        WHERE l.supplier IS NOT NULL AND (l.closed OR l.received >= l.ordered)
    )
    SELECT supplier, sku, count(days) AS n,
        avg(days)::double precision AS mean_days, stddev_samp(days)::double precision AS sd_days,
        count(*) AS lines,
        avg((received > 0 AND complete_on <= due)::integer) FILTER (WHERE due IS NOT NULL)
            ::double precision AS on_time_share,
        avg((received >= ordered)::integer)::double precision AS in_full_share,
        (sum(least(received, ordered)) / sum(ordered))::double precision AS fill_share
    FROM done
    GROUP BY GROUPING SETS ((supplier, sku), (supplier))
    ORDER BY supplier, sku NULLS FIRST
"""

_NUMBERS = sa.text(
    "SELECT nextval('purchase_order_number') FROM generate_series(1, :count) ORDER BY 1"
)

_USED_OUTSIDE = sa.text("""
    SELECT order_name FROM purchase_outside WHERE order_name = ANY(:names)
    UNION SELECT order_name FROM purchase_receipt WHERE order_name = ANY(:names)
    UNION SELECT order_name FROM purchase_closure WHERE order_name = ANY(:names)
""")

_TAKEN = sa.text(
    "SELECT decision, order_name FROM purchase_order_line WHERE decision = ANY(:numbers) LIMIT 1"
)

_ORDERS = """
    SELECT o.name, o.supplier, o.supplier_name, o.place, o.ordered_on, o.due, o.currency,
        o.run::text AS run, o.minimum_order_cents, o.transfer,
        EXISTS (
            SELECT 1 FROM purchase_order_event AS e
            WHERE e.order_name = o.name AND e.status = 'sent'
        ) AS sent
    FROM purchase_order AS o
    WHERE (%s::text[] IS NULL OR o.name = ANY(%s)) AND (%s::uuid IS NULL OR o.run = %s)
    ORDER BY o.name
"""

_ORDER_LINES = """
    SELECT l.order_name, l.line, l.sku, l.name, l.quantity, l.case_size, l.unit_cost_cents,
        l.cost_per_case_cents, l.cost_cents, l.decision, s.received, s.closed
    FROM purchase_order_line AS l
        JOIN purchase_line AS s ON s.order_name = l.order_name AND s.line = l.line::text AND s.own
    WHERE l.order_name = ANY(%s)
    ORDER BY l.order_name, l.line
"""

_EVENT = sa.text("""
    INSERT INTO purchase_order_event (order_name, status, at, actor, reason)
    SELECT name, :status, :at, :actor, :reason FROM purchase_order WHERE name = ANY(:names)
    ON CONFLICT (order_name, status) DO NOTHING
""")


def read_suppliers(tx: Transaction, day: date | None) -> pa.Table:
    """The description of each supplier that counts on the day (None = the newest)."""
    return fetch_arrow(tx, _SUPPLIERS, (day,))


def read_terms(tx: Transaction, day: date | None, skus: Sequence[str] | None) -> pa.Table:
    """The supply terms that count on the day (None = the newest), first choice first."""
    chosen = None if skus is None else list(skus)
    return fetch_arrow(tx, _TERMS, (day, chosen, chosen, day))


def read_on_order(tx: Transaction, day: date) -> pa.Table:
    """Open order lines; `day` judges what is overdue."""
    return fetch_arrow(tx, _ON_ORDER, (day,))


def read_leaving(tx: Transaction, places: Sequence[str]) -> pa.Table:
    """What open orders of these suppliers, and transfers of ours, still take from a place."""
    return fetch_arrow(tx, _LEAVING, (list(places),))


def read_differences(tx: Transaction, day: date) -> pa.Table:
    """Order lines and receipts that do not match."""
    return fetch_arrow(tx, _DIFFERENCES, (day,))


def read_lead_times(tx: Transaction) -> pa.Table:
    """Measured lead times per supplier and SKU, and per supplier (sku null)."""
    return fetch_arrow(tx, _LEAD_TIMES)


def next_names(tx: Transaction, transfers: Sequence[bool]) -> list[str]:
    """Fresh order names, one for each order, none of which an outside system uses.

    A transaction that rolls back leaves a gap, and so does a name that is used outside.
    """
    names: list[str] = []
    while len(names) < len(transfers):
        count = len(transfers) - len(names)
        numbers = tx.connection.execute(_NUMBERS, {"count": count}).scalars().all()
        both = [[order_name(n, transfer=kind) for kind in (False, True)] for n in numbers]
        given = {"names": list(chain.from_iterable(both))}
        used = set(tx.connection.execute(_USED_OUTSIDE, given).scalars())
        for ours in both:
            if used.isdisjoint(ours):
                names.append(ours[transfers[len(names)]])
    return names


def ordered_before(tx: Transaction, decisions: Sequence[int]) -> tuple[int, str] | None:
    """A decision among these that an order was made from, with the order's name."""
    row = tx.connection.execute(_TAKEN, {"numbers": list(decisions)}).first()
    return None if row is None else (int(row[0]), str(row[1]))


_WANTED_ORDERS = """
FROM purchase_order AS o
WHERE (CAST(:supplier AS text) IS NULL OR supplier = :supplier)
    AND (CAST(:place AS text) IS NULL OR place = :place)
    AND (CAST(:text AS text) IS NULL OR strpos(lower(o.name), lower(:text)) > 0)
"""
_ORDER_NAMES = sa.text(
    f"SELECT o.name {_WANTED_ORDERS} ORDER BY ordered_on DESC, o.name DESC "
    "LIMIT :limit OFFSET :offset"
)
_ORDER_COUNT = sa.text(f"SELECT count(*) {_WANTED_ORDERS}")


def read_orders(
    tx: Transaction, names: Sequence[str] | None, run: UUID | None
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Our orders by name or run, headers and lines with what was received."""
    chosen = None if names is None else list(names)
    heads = fetch_arrow(tx, _ORDERS, (chosen, chosen, run, run)).to_pylist()
    lines = fetch_arrow(tx, _ORDER_LINES, ([head["name"] for head in heads],)).to_pylist()
    return heads, lines


def order_names(
    tx: Transaction, wanted: Mapping[str, str | None], *, offset: int, limit: int
) -> tuple[list[str], int]:
    """Names of our orders, the newest first, and how many there are; see `Suppliers.order_page`."""
    rows = tx.connection.execute(_ORDER_NAMES, {**wanted, "offset": offset, "limit": limit})
    names = [str(row.name) for row in rows]
    return names, int(tx.connection.execute(_ORDER_COUNT, dict(wanted)).scalar_one())


def add_event(tx: Transaction, names: Sequence[str], *, status: str, reason: str) -> int:
    """Record that orders were sent or cancelled; returns how many were not so before."""
    at: datetime = tx.clock.now()
    given = {"names": list(names), "status": status, "reason": reason, "actor": tx.actor, "at": at}
    return int(tx.connection.execute(_EVENT, given).rowcount)
