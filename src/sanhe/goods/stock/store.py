"""The stock's tables: what each fact has put on the ledger, and the positions."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.facts import CURRENT_OF_BATCH
from sanhe.core.storage import Transaction, copy_in, fetch_arrow
from sanhe.goods.stock.rules import STOCK_TYPES

if TYPE_CHECKING:
    import pyarrow as pa

_SCRATCH = """
DROP TABLE IF EXISTS pg_temp.stock_pair, pg_temp.stock_key, pg_temp.stock_window,
    pg_temp.stock_amount, pg_temp.stock_change;
CREATE TEMP TABLE stock_pair (
    pair bigint GENERATED ALWAYS AS IDENTITY (START WITH 0 MINVALUE 0),
    sku text COLLATE "C" NOT NULL, place text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL, deep boolean NOT NULL,
    known_since timestamptz, net bigint, shifts integer
) ON COMMIT DROP;
CREATE TEMP TABLE stock_key (
    external_id text COLLATE "C", source text COLLATE "C", type text COLLATE "C"
) ON COMMIT DROP;
CREATE TEMP TABLE stock_amount (rank bigint, amount bigint) ON COMMIT DROP;
"""

# The SKU × place whose stock this batch may change, each with the earliest moment concerned.
# A movement without a count before it concerns nothing. `deep`: a count earlier than all known
# ones, so that movements which never mattered do so now and are read from the facts.
_PAIRS = sa.text(f"""
    INSERT INTO stock_pair (sku, place, since, deep, known_since, net, shifts)
    WITH seen AS (
        SELECT f.sku, f.place, f.event_at, f.type = 'stock.counted' AS is_count
        FROM fact_part AS b JOIN fact AS f ON f.part = b.number
        WHERE b.batch = :batch AND f.type = ANY(:types)
        UNION ALL
        SELECT e.sku, e.place, e.event_at, e.type = 'stock.counted'
        FROM fact_part AS b JOIN fact AS f ON f.part = b.number
            JOIN stock_entry AS e USING (external_id, source, type)
        WHERE b.batch = :batch AND f.type = ANY(:types)
        UNION ALL
        SELECT held.sku, held.place, held.event_at, held.type = 'stock.counted'
        FROM ({CURRENT_OF_BATCH}) AS held WHERE :undoes
    )
    SELECT
        s.sku, s.place, min(s.event_at),
        bool_or(s.is_count AND (p.known_since IS NULL OR s.event_at < p.known_since)),
        p.known_since, p.net, p.shifts
    FROM seen AS s LEFT JOIN stock_position AS p USING (sku, place)
    WHERE s.is_count OR s.event_at > p.known_since
    GROUP BY s.sku, s.place, p.known_since, p.net, p.shifts
    ORDER BY s.place, s.sku
""")  # noqa: S608 -- made of constants

# The facts to read again. All else in the window is known from stock_entry.
_KEYS = sa.text(f"""
    INSERT INTO stock_key
    SELECT f.external_id, f.source, f.type
    FROM fact_part AS b JOIN fact AS f ON f.part = b.number
        JOIN stock_pair AS p USING (sku, place)
    WHERE b.batch = :batch AND f.type = ANY(:types) AND f.event_at >= p.since
    UNION
    SELECT e.external_id, e.source, e.type
    FROM fact_part AS b JOIN fact AS f ON f.part = b.number
        JOIN stock_entry AS e USING (external_id, source, type)
    WHERE b.batch = :batch AND f.type = ANY(:types)
    UNION
    SELECT held.external_id, held.source, held.type
    FROM ({CURRENT_OF_BATCH}) AS held WHERE :undoes
    UNION
    SELECT f.external_id, f.source, f.type
    FROM fact AS f JOIN stock_pair AS p USING (sku, place)
    WHERE :deep AND p.deep AND f.type = ANY(:types) AND f.event_at >= p.since
""")  # noqa: S608 -- made of constants

_WINDOW = sa.text("""
    CREATE TEMP TABLE stock_window ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY source, external_id, type) - 1 AS rank, *
    FROM (
        SELECT p.pair, held.external_id, held.source, held.sku, held.place, held.type,
            held.event_at, held.day, held.quantity,
            coalesce(held.payload->>'lot', '') AS lot,
            (held.payload->>'expires')::date AS expires,
            CASE held.type
                WHEN 'stock.counted' THEN 'count'
                WHEN 'stock.moved' THEN held.payload->>'reason'
                WHEN 'purchase.received' THEN 'receipt'
                ELSE 'sale'
            END AS reason
        FROM (
            SELECT DISTINCT ON (external_id, source, type) *
            FROM (
                SELECT DISTINCT ON (f.external_id, f.source, f.type, f.revision) f.*
                FROM fact AS f JOIN stock_key USING (external_id, source, type)
                ORDER BY f.external_id, f.source, f.type, f.revision, f.entry DESC
            ) AS last
            WHERE stands
            ORDER BY external_id, source, type, revision DESC
        ) AS held JOIN stock_pair AS p USING (sku, place)
        WHERE held.event_at >= p.since
        UNION ALL
        SELECT p.pair, e.external_id, e.source, e.sku, e.place, e.type, e.event_at, e.day,
            e.quantity, e.lot, e.expires, e.reason
        FROM stock_entry AS e JOIN stock_pair AS p USING (sku, place)
        WHERE e.live AND e.event_at >= p.since AND NOT EXISTS (
            SELECT 1 FROM stock_key AS k
            WHERE k.external_id = e.external_id AND k.source = e.source AND k.type = e.type
        )
    ) AS event
""")

_READ_WINDOW = """
    SELECT rank, pair, (extract(epoch FROM event_at) * 1000000)::bigint AS moment,
        type, quantity, source, lot
    FROM stock_window ORDER BY rank
"""

# What holds before the window: the net now, less what the window's entries have put into it.
_READ_PAIRS = """
    SELECT p.pair, p.sku, p.place,
        coalesce(p.net, 0) - coalesce(posted.amount, 0) AS net,
        CASE WHEN p.known_since < p.since
            THEN (extract(epoch FROM p.known_since) * 1000000)::bigint END AS known_since,
        p.shifts
    FROM stock_pair AS p LEFT JOIN (
        SELECT w.pair, sum(e.amount)::bigint AS amount
        FROM stock_pair AS w JOIN stock_entry AS e USING (sku, place)
        WHERE e.event_at >= w.since GROUP BY w.pair
    ) AS posted USING (pair)
    ORDER BY p.pair
"""

_CHANGES = sa.text("""
    CREATE TEMP TABLE stock_change ON COMMIT DROP AS
    SELECT
        coalesce(n.external_id, o.external_id) AS external_id,
        coalesce(n.source, o.source) AS source,
        coalesce(n.sku, o.sku) AS sku,
        coalesce(n.place, o.place) AS place,
        coalesce(n.pair, o.pair) AS pair,
        coalesce(n.type, o.type) AS type,
        coalesce(n.event_at, o.event_at) AS event_at,
        coalesce(n.day, o.day) AS day,
        coalesce(n.quantity, o.quantity) AS quantity,
        coalesce(n.lot, o.lot) AS lot,
        n.expires,
        coalesce(n.reason, o.reason) AS reason,
        coalesce(n.amount, 0) AS amount,
        n.external_id IS NOT NULL AS live,
        coalesce(n.amount, 0) - coalesce(o.amount, 0) AS delta,
        coalesce(o.postings, 0)
            + (coalesce(n.amount, 0) <> coalesce(o.amount, 0))::integer AS postings
    FROM (SELECT * FROM stock_window JOIN stock_amount USING (rank)) AS n
    FULL JOIN (
        SELECT e.*, p.pair
        FROM stock_entry AS e JOIN stock_pair AS p USING (sku, place)
        WHERE e.event_at >= p.since
    ) AS o USING (external_id, source, type, sku, place)
    WHERE o.external_id IS NULL OR n.amount IS DISTINCT FROM o.amount OR NOT o.live
        OR (n.event_at, n.day, n.quantity, n.lot, n.expires, n.reason)
            IS DISTINCT FROM (o.event_at, o.day, o.quantity, o.lot, o.expires, o.reason)
""")

_SAVE_ENTRIES = sa.text("""
    INSERT INTO stock_entry AS e (external_id, source, sku, place, type, event_at, day, quantity,
        lot, expires, reason, amount, live, postings)
    SELECT external_id, source, sku, place, type, event_at, day, quantity, lot, expires, reason,
        amount, live, postings
    FROM stock_change
    ON CONFLICT (external_id, source, type, sku, place) DO UPDATE SET
        event_at = excluded.event_at, day = excluded.day,
        quantity = excluded.quantity, lot = excluded.lot, expires = excluded.expires,
        reason = excluded.reason,
        amount = excluded.amount, live = excluded.live, postings = excluded.postings
""")

_BOTH_SALES = sa.text("""
    SELECT count(DISTINCT held.type) = 2
    FROM fact_part, unnest(types) AS held (type)
    WHERE held.type IN ('sale.day', 'sale.line')
""")

# A day's total and its till lines tell the same sales.
_TOLD_TWICE = sa.text("""
    SELECT told.sku, told.place, told.day
    FROM (
        SELECT DISTINCT sku, place, day, type FROM stock_change
        WHERE live AND type IN ('sale.day', 'sale.line')
    ) AS told JOIN stock_entry AS e USING (sku, place, day)
    WHERE e.live AND e.type IN ('sale.day', 'sale.line') AND e.type <> told.type
    ORDER BY told.day, told.place, told.sku LIMIT 1
""")

_READ_CHANGES = """
    SELECT c.pair, c.type, c.source, c.external_id, c.sku, c.place, c.postings, c.delta, c.reason,
        c.event_at
    FROM stock_change AS c WHERE c.delta <> 0
    ORDER BY c.pair, c.event_at, c.source, c.external_id, c.type
"""

_SAVE_POSITIONS = sa.text("""
    INSERT INTO stock_position AS s (sku, place, net, known_since, counted_at, shifts)
    SELECT p.sku, p.place, coalesce(p.net, 0) + coalesce(changed.delta, 0),
        counted.first_at, counted.last_at, coalesce(p.shifts, 0)
    FROM stock_pair AS p
    LEFT JOIN (
        SELECT pair, sum(delta)::bigint AS delta FROM stock_change GROUP BY pair
    ) AS changed USING (pair)
    CROSS JOIN LATERAL (
        SELECT min(e.event_at) AS first_at, max(e.event_at) AS last_at
        FROM stock_entry AS e
        WHERE e.sku = p.sku AND e.place = p.place AND e.type = 'stock.counted' AND e.live
    ) AS counted
    ON CONFLICT (sku, place) DO UPDATE SET
        net = excluded.net, known_since = excluded.known_since, counted_at = excluded.counted_at
""")

_SHIFT = sa.text("""
    UPDATE stock_position SET shifts = shifts + 1
    FROM unnest(cast(:skus AS text[]), cast(:places AS text[])) AS moved (sku, place)
    WHERE stock_position.sku = moved.sku AND stock_position.place = moved.place
""")

_SHIFTS = sa.text("""
    SELECT s.sku, s.place, s.shifts
    FROM stock_position AS s
    JOIN unnest(cast(:skus AS text[]), cast(:places AS text[])) AS wanted (sku, place)
        USING (sku, place)
    ORDER BY s.place, s.sku
""")

_QUOTA = sa.text("""
    INSERT INTO stock_quota (place, sku, channel) VALUES (:place, :sku, :channel)
    ON CONFLICT DO NOTHING
""")
_QUOTAS = sa.text("SELECT place, sku, channel FROM stock_quota ORDER BY place, sku, channel")
_PAIR_QUOTAS = sa.text("""
    SELECT place, sku, channel FROM stock_quota
    JOIN unnest(cast(:skus AS text[]), cast(:places AS text[])) AS wanted (sku, place)
        USING (sku, place)
    ORDER BY place, sku, channel
""")
_WINDOW_QUOTAS = sa.text("""
    SELECT place, sku, channel FROM stock_quota JOIN stock_pair USING (place, sku)
    ORDER BY place, sku, channel
""")

_IS_UNDO = sa.text("SELECT kind = 'undo' FROM fact_batch WHERE id = :batch")
_HAS_DEEP = sa.text("SELECT coalesce(bool_or(deep), false) FROM stock_pair")

_POSITIONS = """
    SELECT sku, place, net, known_since, counted_at
    FROM stock_position
    WHERE known_since IS NOT NULL
    ORDER BY sku, place
"""

_PAIR_POSITIONS = """
    SELECT sku, place, net, known_since, counted_at
    FROM stock_position
    WHERE known_since IS NOT NULL AND (sku, place) IN (
        SELECT * FROM unnest(%s::text[], %s::text[])
    )
    ORDER BY sku, place
"""

_CARD = """
    SELECT event_at, day, type, reason, source, external_id, lot, quantity, amount,
        sum(amount) OVER (
            ORDER BY event_at, type = 'stock.counted', source, external_id, type
        )::bigint AS net
    FROM stock_entry
    WHERE sku = %s AND place = %s AND live
    ORDER BY event_at, type = 'stock.counted', source, external_id, type
"""

# What came in and went out of each SKU × place whose expiries are known, from the last count by
# expiry on, or from the first count. A lot named without its expiry has that of its SKU's lot.
_LOT_EVENTS = """
    WITH dated AS MATERIALIZED (
        SELECT sku, lot, max(expires) AS expires
        FROM stock_entry WHERE live AND expires IS NOT NULL GROUP BY sku, lot
    ),
    entry AS MATERIALIZED (
        SELECT e.sku, e.place, e.event_at, e.day, e.source, e.external_id, e.lot, e.quantity,
            e.amount, e.type = 'stock.counted' AS is_count, p.net,
            coalesce(e.expires, d.expires) AS expires
        FROM stock_entry AS e JOIN stock_position AS p USING (sku, place)
            LEFT JOIN dated AS d ON e.lot <> '' AND (d.sku, d.lot) = (e.sku, e.lot)
        WHERE e.live AND e.event_at >= p.known_since AND e.sku IN (SELECT sku FROM dated)
    ),
    begun AS (
        SELECT sku, place,
            coalesce(max(event_at) FILTER (WHERE is_count AND expires IS NOT NULL), '-infinity')
                AS begun_at
        FROM entry GROUP BY sku, place HAVING count(expires) > 0
    ),
    counted AS (
        SELECT DISTINCT ON (sku, place, lot) sku, place, net, day, expires, quantity
        FROM (
            SELECT *, max(source) OVER (PARTITION BY sku, place) AS believed
            FROM entry JOIN begun USING (sku, place) WHERE is_count AND event_at = begun_at
        ) AS snapshot
        WHERE source = believed
        ORDER BY sku, place, lot, external_id DESC
    ),
    event AS (
        SELECT * FROM counted
        UNION ALL
        SELECT sku, place, net, day, expires, amount
        FROM entry JOIN begun USING (sku, place) WHERE event_at > begun_at
    )
    SELECT dense_rank() OVER (ORDER BY sku, place) - 1 AS pair, sku, place, net, day, expires,
        sum(quantity)::bigint AS quantity
    FROM event WHERE quantity <> 0
    GROUP BY sku, place, net, day, expires, quantity > 0
    ORDER BY pair, day
"""

_SUMS = """
    SELECT p.sku, p.place, p.net, coalesce(sum(e.amount), 0)::bigint AS entries
    FROM stock_position AS p LEFT JOIN stock_entry AS e USING (sku, place)
    GROUP BY p.sku, p.place, p.net
    ORDER BY p.sku, p.place
"""


def open_window(tx: Transaction, batch: UUID) -> tuple[pa.Table, pa.Table]:
    """The SKU × place that a batch concerns, and their events from the first change on.

    Pairs: pair, sku, place, net and known_since (microseconds, null = unknown) before the
    window, shifts (null = a new pair). Events: rank, pair, moment, type, quantity, source, lot.
    """
    types = list(STOCK_TYPES)
    tx.connection.exec_driver_sql(_SCRATCH)
    undoes = bool(tx.connection.execute(_IS_UNDO, {"batch": batch}).scalar())
    given = {"batch": batch, "types": types, "undoes": undoes}
    tx.connection.execute(_PAIRS, given)
    tx.connection.exec_driver_sql("ANALYZE stock_pair")
    deep = bool(tx.connection.execute(_HAS_DEEP).scalar())
    pairs = fetch_arrow(tx, _READ_PAIRS)
    if pairs.num_rows:
        tx.connection.execute(_KEYS, {**given, "deep": deep})
        tx.connection.exec_driver_sql("ANALYZE stock_key")
        tx.connection.execute(_WINDOW)
        tx.connection.exec_driver_sql("ANALYZE stock_window")
        return pairs, fetch_arrow(tx, _READ_WINDOW)
    return pairs, pairs


def save_amounts(tx: Transaction, amounts: pa.Table) -> pa.Table:
    """Record the window's entries (rank, amount) and return the differences to post.

    Differences: pair, type, source, external_id, sku, place, postings, delta, reason, event_at.
    """
    copy_in(tx, "stock_amount", amounts)
    tx.connection.exec_driver_sql("ANALYZE stock_amount")
    tx.connection.execute(_CHANGES)
    tx.connection.execute(_SAVE_ENTRIES)
    tx.connection.execute(_SAVE_POSITIONS)
    return fetch_arrow(tx, _READ_CHANGES)


def sold_twice(tx: Transaction) -> tuple[str, str, date] | None:
    """The first SKU, place and day that the saved changes tell by a total and by till lines."""
    if not tx.connection.execute(_BOTH_SALES).scalar():
        return None
    tx.connection.exec_driver_sql("ANALYZE stock_change")
    row = tx.connection.execute(_TOLD_TWICE).first()
    return None if row is None else (str(row[0]), str(row[1]), row[2])


def count_shifts(tx: Transaction, skus: list[str], places: list[str]) -> None:
    """Count one more shift between the two accounts of each of these SKU × place."""
    if skus:
        tx.connection.execute(_SHIFT, {"skus": skus, "places": places})


def read_shifts(tx: Transaction, pairs: tuple[list[str], list[str]]) -> list[tuple[str, str, int]]:
    """SKU, place and number of shifts of those of these (SKUs, places) that are kept."""
    rows = tx.connection.execute(_SHIFTS, {"skus": pairs[0], "places": pairs[1]})
    return [(*row,) for row in rows]


def read_positions(tx: Transaction, pairs: tuple[list[str], list[str]] | None = None) -> pa.Table:
    """Known positions: sku, place, net, known_since, counted_at; of all or of these pairs."""
    if pairs is None:
        return fetch_arrow(tx, _POSITIONS)
    return fetch_arrow(tx, _PAIR_POSITIONS, pairs)


def save_quota(tx: Transaction, place: str, sku: str, *, channel: str) -> None:
    """Remember that the channel has an account at this SKU × place."""
    tx.connection.execute(_QUOTA, {"place": place, "sku": sku, "channel": channel})


def read_quotas(
    tx: Transaction, pairs: tuple[list[str], list[str]] | None = None
) -> list[tuple[str, str, str]]:
    """Place, SKU and channel of the quotas: all, or those of these (SKUs, places)."""
    if pairs is None:
        return [(*row,) for row in tx.connection.execute(_QUOTAS)]
    given = {"skus": pairs[0], "places": pairs[1]}
    return [(*row,) for row in tx.connection.execute(_PAIR_QUOTAS, given)]


def read_window_quotas(tx: Transaction) -> list[tuple[str, str, str]]:
    """Place, SKU and channel of the quotas within the opened window."""
    return [(*row,) for row in tx.connection.execute(_WINDOW_QUOTAS)]


def read_card(tx: Transaction, sku: str, place: str) -> pa.Table:
    """All entries of one SKU × place in time, with the net after each."""
    return fetch_arrow(tx, _CARD, (sku, place))


def read_lot_events(tx: Transaction) -> pa.Table:
    """What came in (> 0) and went out (< 0) where expiries are known: pair (from 0), sku, place,
    net, day, expires (null = none known), quantity."""
    return fetch_arrow(tx, _LOT_EVENTS)


def read_sums(tx: Transaction) -> pa.Table:
    """Per SKU × place the recorded net and the sum of its entries."""
    return fetch_arrow(tx, _SUMS)
