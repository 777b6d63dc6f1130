"""The orders' tables: written whole in one statement, changed under the lock of their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction
from sanhe.place.orders.ports import PaymentNotice
from sanhe.place.orders.reading import Wanted

Row: TypeAlias = Mapping[str, Any]

# One statement for any number of orders: their lines, parts and first events with them.
_INSERT = sa.text("""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(:orders AS jsonb)) AS o (
        id uuid, channel text, place text, method text, member text, substitutes boolean,
        currency text,
        goods_cents bigint, tax_cents bigint, delivery_cents bigint, total_cents bigint,
        points bigint, points_cents bigint, stored_cents bigint, uses jsonb,
        state text, placed_at timestamptz, expires_at timestamptz, ready_at timestamptz,
        arrives_at timestamptz, latitude double precision, longitude double precision,
        why jsonb, holds uuid[], recipient bytea, lines jsonb, parts jsonb)
), made AS (
    INSERT INTO sales_order (id, channel, place, method, member, substitutes, currency,
        goods_cents, tax_cents, delivery_cents, total_cents, points, points_cents, stored_cents,
        uses, state, placed_at, expires_at, ready_at, arrives_at, latitude, longitude, why, holds,
        recipient)
    SELECT id, channel, place, method, member, substitutes, currency, goods_cents, tax_cents,
        delivery_cents, total_cents, points, points_cents, stored_cents, uses, state,
        placed_at, expires_at, ready_at, arrives_at, latitude, longitude, why, holds,
        recipient FROM given
    RETURNING id, number
), lines AS (
    INSERT INTO sales_order_line (order_id, line, sku, name, quantity, price_cents, per_units,
        amount_cents, tax_cents, discounts, custom)
    SELECT given.id, l.* FROM given, jsonb_to_recordset(given.lines) AS l (
        line int, sku text, name text, quantity bigint, price_cents bigint, per_units bigint,
        amount_cents bigint, tax_cents bigint, discounts jsonb, custom jsonb)
), parts AS (
    INSERT INTO sales_order_part (order_id, id, line, place, sku, units, each)
    SELECT given.id, p.* FROM given, jsonb_to_recordset(given.parts) AS p (
        id uuid, line int, place text, sku text, units bigint, each bigint)
), events AS (
    INSERT INTO sales_order_event (order_id, at, actor, kind, details)
    SELECT id, placed_at, :actor, 'placed', '{}' FROM given
)
SELECT id, number FROM made
""")

_ORDER_COLUMNS = """id, number, channel, place, method, member, substitutes, currency, goods_cents,
    tax_cents, delivery_cents, total_cents, points, points_cents, stored_cents, uses, paid_cents,
    refund_cents, state, placed_at, expires_at, paid_at,
    closed_at, ready_at, arrives_at, latitude, longitude, why, holds"""
_LOCK = sa.text("SELECT id FROM sales_order WHERE id = :id FOR UPDATE")
_ORDERS = sa.text(f"""
SELECT {_ORDER_COLUMNS} FROM sales_order WHERE id = ANY (CAST(:ids AS uuid[]))
""")  # noqa: S608 -- constants
_LINES = sa.text("""
SELECT order_id, line, sku, name, quantity, price_cents, per_units, amount_cents, tax_cents,
    discounts, custom, instead_of, handed, handed_cents, cancelled, returned, returned_cents
FROM sales_order_line WHERE order_id = ANY (CAST(:ids AS uuid[])) ORDER BY order_id, line
""")
_PARTS = sa.text("""
SELECT id, order_id, line, place, sku, units, each, handed, cancelled
FROM sales_order_part WHERE order_id = ANY (CAST(:ids AS uuid[]))
ORDER BY order_id, line, place, sku
""")
_EVENTS = sa.text("""
SELECT at, actor, kind, details FROM sales_order_event WHERE order_id = :id ORDER BY number
""")
_PAYMENTS = sa.text("""
SELECT provider, reference, amount_cents, currency, outcome, paid_at, told_at
FROM sales_payment WHERE order_id = :id ORDER BY told_at, provider, reference
""")
_REFUNDS = sa.text("""
SELECT id, order_id, provider, reference, amount_cents, currency, reason, asked_at, done_at
FROM sales_refund WHERE order_id = :id ORDER BY asked_at, id
""")

_RECIPIENT = sa.text("""
SELECT member, recipient, recipient_erased_at FROM sales_order WHERE id = :order
""")
_THEIRS = """recipient IS NOT NULL AND CASE WHEN CAST(:member AS text) IS NULL
    THEN member IS NULL AND id = :order ELSE member = :member END"""
_NEEDING = sa.text(f"""
SELECT number FROM sales_order WHERE {_THEIRS} AND state IN ('placed', 'paid') ORDER BY number
""")  # noqa: S608 -- constants
_FORGET_RECIPIENTS = sa.text(f"""
UPDATE sales_order SET recipient = NULL, recipient_erased_at = :now WHERE {_THEIRS}
""")  # noqa: S608 -- constants
_RECIPIENTS_DUE = sa.text("""
SELECT id FROM sales_order
WHERE recipient IS NOT NULL AND member IS NULL AND closed_at < :before
ORDER BY closed_at, id LIMIT :limit OFFSET :offset
""")

_EVENT = sa.text("""
INSERT INTO sales_order_event (order_id, at, actor, kind, details)
VALUES (:order, :at, :actor, :kind, CAST(:details AS jsonb))
""")
_STATE = sa.text("""
UPDATE sales_order SET state = :state, closed_at = CAST(:closed_at AS timestamptz)
WHERE id = :order
""")
_PAID = sa.text("""
UPDATE sales_order SET state = 'paid', paid_cents = total_cents, paid_at = :at
WHERE id = ANY (CAST(:orders AS uuid[]))
""")
_PAYMENT = sa.text("""
INSERT INTO sales_payment (provider, reference, order_id, amount_cents, currency, outcome,
    paid_at, told_at)
VALUES (:provider, :reference, :order, :amount_cents, :currency, :outcome, :paid_at, :told_at)
""")
_KNOWN_PAYMENT = sa.text("""
SELECT order_id, amount_cents, currency, outcome FROM sales_payment
WHERE provider = :provider AND reference = :reference
""")
_HAS_ORDERED = sa.text("""
SELECT FROM sales_order WHERE member = :member AND paid_at IS NOT NULL LIMIT 1
""")
_TAKEN = sa.text("""
SELECT provider, reference FROM sales_payment WHERE order_id = :order AND outcome = 'taken'
""")
_REFUND = sa.text("""
INSERT INTO sales_refund (id, order_id, provider, reference, amount_cents, currency, reason,
    asked_at)
VALUES (:id, :order, :provider, :reference, :amount_cents, :currency, :reason, :asked_at)
""")
_GIVEN_BACK = sa.text("""
UPDATE sales_order SET refund_cents = refund_cents + :amount_cents WHERE id = :order
""")
_REFUND_DONE = sa.text("""
UPDATE sales_refund SET done_at = :at WHERE id = :id AND done_at IS NULL
RETURNING order_id, provider, reference, amount_cents, currency
""")
_OPEN_CHARGES = sa.text("""
SELECT o.id AS order_id, e.details ->> 'provider' AS provider
FROM sales_order AS o JOIN sales_order_event AS e ON e.order_id = o.id
WHERE o.placed_at >= :since AND (o.state <> 'placed' OR o.expires_at <= :before)
    AND e.kind = 'payment_asked'
    AND NOT EXISTS (SELECT FROM sales_order_event AS c WHERE c.order_id = o.id
        AND c.kind = 'payment_closed' AND c.details -> 'provider' = e.details -> 'provider')
    AND NOT EXISTS (SELECT FROM sales_payment AS p WHERE p.order_id = o.id
        AND p.provider = e.details ->> 'provider')
GROUP BY o.id, provider ORDER BY o.expires_at, o.id LIMIT :limit
""")
_DUE_REFUNDS = sa.text("""
SELECT id FROM sales_refund WHERE done_at IS NULL AND ask_at <= :now
ORDER BY ask_at, id LIMIT :limit
""")
_PUT_OFF = sa.text("""
UPDATE sales_refund SET tries = tries + :tries,
    ask_at = :now + CASE :tries WHEN 0 THEN interval '1 minute'
        ELSE least(interval '1 minute' * power(2, least(tries, 20)), interval '1 day') END
WHERE id = :id AND done_at IS NULL
""")
_ASKED_REFUND = sa.text("""
SELECT r.id, r.order_id AS order, r.provider, r.reference, r.amount_cents,
    p.amount_cents AS paid_cents, r.currency, r.reason
FROM sales_refund AS r JOIN sales_payment AS p USING (provider, reference) WHERE r.id = :id
""")
_CHANGE_LINES = sa.text("""
UPDATE sales_order_line AS l
SET handed = l.handed + c.handed, handed_cents = l.handed_cents + c.handed_cents,
    cancelled = l.cancelled + c.cancelled, returned = l.returned + c.returned,
    returned_cents = l.returned_cents + c.returned_cents
FROM (
    SELECT g.line, sum(g.handed)::bigint AS handed, sum(g.handed_cents)::bigint AS handed_cents,
        sum(g.cancelled)::bigint AS cancelled, sum(g.returned)::bigint AS returned,
        sum(g.returned_cents)::bigint AS returned_cents
    FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS g (line int, handed bigint,
        handed_cents bigint, cancelled bigint, returned bigint, returned_cents bigint)
    GROUP BY g.line
) AS c
WHERE l.order_id = :order AND l.line = c.line
""")
_CHANGE_PARTS = sa.text("""
UPDATE sales_order_part AS p
SET handed = p.handed + c.handed, cancelled = p.cancelled + c.cancelled
FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS c (id uuid, handed bigint, cancelled bigint)
WHERE p.id = c.id
""")

_LINE_INSTEAD = sa.text("""
INSERT INTO sales_order_line (order_id, line, sku, name, quantity, price_cents, per_units,
    amount_cents, tax_cents, discounts, custom, instead_of)
SELECT :order, l.*, :instead_of FROM jsonb_to_record(CAST(:line AS jsonb)) AS l (
    line int, sku text, name text, quantity bigint, price_cents bigint, per_units bigint,
    amount_cents bigint, tax_cents bigint, discounts jsonb, custom jsonb)
""")
_MORE_PARTS = sa.text("""
INSERT INTO sales_order_part AS p (order_id, id, line, place, sku, units, each)
SELECT :order, g.* FROM jsonb_to_recordset(CAST(:parts AS jsonb)) AS g (
    id uuid, line int, place text, sku text, units bigint, each bigint)
ON CONFLICT (order_id, line, place, sku) DO UPDATE SET units = p.units + EXCLUDED.units
""")

_DUE = sa.text("""
SELECT id FROM sales_order WHERE state = 'placed' AND expires_at <= :now
ORDER BY expires_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_TAKE_UP = sa.text("""
UPDATE sales_order SET taken_up_at = :now WHERE id IN (
    SELECT id FROM sales_order
    WHERE state = 'paid' AND taken_up_at IS NULL AND method <> 'carry'
    ORDER BY placed_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
) RETURNING id
""")
_CLAIMING = sa.text("""
SELECT DISTINCT o.id, o.state = 'paid' AS is_paid, coalesce(o.paid_at, o.placed_at) AS since
FROM sales_order_part AS p JOIN sales_order AS o ON o.id = p.order_id
WHERE p.place = :place AND p.sku = :sku AND p.units > p.handed + p.cancelled
    AND o.state IN ('placed', 'paid')
ORDER BY is_paid, since DESC, o.id DESC LIMIT :limit
""")
_HANDOVERS = sa.text("""
INSERT INTO sales_handover (order_id, line, place, units, amount_cents, at)
SELECT :order, c.line, c.place, c.units, c.amount_cents, :at
FROM jsonb_to_recordset(CAST(:pieces AS jsonb)) AS c (line int, place text, units bigint,
    amount_cents bigint)
""")
_UNTOLD = sa.text("""
WITH taken AS (
    SELECT * FROM sales_handover WHERE told_at IS NULL
    ORDER BY number LIMIT :limit FOR UPDATE SKIP LOCKED
)
SELECT h.number, h.order_id, h.line, h.units, h.amount_cents, h.at, h.place,
    o.number AS order_number, o.currency, p.sku, p.each, l.discounts, l.quantity AS of_units,
    (SELECT coalesce(sum(b.units), 0)::bigint FROM sales_handover AS b
        WHERE b.order_id = h.order_id AND b.line = h.line AND b.number < h.number) AS before
FROM taken AS h
JOIN sales_order AS o ON o.id = h.order_id
JOIN sales_order_line AS l ON l.order_id = h.order_id AND l.line = h.line
JOIN sales_order_part AS p
    ON p.order_id = h.order_id AND p.line = h.line AND p.place = h.place
ORDER BY h.number, p.sku
""")
_TOLD = sa.text("""
UPDATE sales_handover SET told_at = :at WHERE number = ANY (CAST(:numbers AS bigint[]))
""")

_WANTED: Mapping[str, str] = {
    "states": "o.state = ANY (CAST(:states AS text[]))",
    "channel": "o.channel = :channel",
    "method": "o.method = :method",
    "member": "o.member = :member",
    "number": "o.number = :number",
    "since": "o.placed_at >= :since",
    "until": "o.placed_at < :until",
    "sku": "o.id IN (SELECT l.order_id FROM sales_order_line AS l WHERE l.sku = :sku)",
    "places": """o.id IN (SELECT p.order_id FROM sales_order_part AS p
        WHERE p.place = ANY (CAST(:places AS text[])))""",
    "text": """o.id IN (SELECT n.id FROM sales_order AS n WHERE n.number =
            CASE WHEN :text ~ '^[0-9]{1,18}$' THEN CAST(:text AS bigint) END
        UNION ALL SELECT m.id FROM sales_order AS m WHERE m.member = :text
        UNION ALL SELECT l.order_id FROM sales_order_line AS l WHERE l.sku = :text)""",
}
"""What each filter asks of an order `o`. Only those that are given stand in the statement, so that
an index can find the few orders of a place, an SKU or a member among many."""


@cache
def _page_of(given: tuple[str, ...]) -> tuple[sa.TextClause, sa.TextClause]:
    """The statements that list and that count the orders of these filters."""
    found = f"FROM sales_order AS o WHERE {' AND '.join(_WANTED[name] for name in given) or 'true'}"
    listed = f"SELECT o.id {found} ORDER BY o.placed_at DESC, o.number DESC"
    counted = f"SELECT count(*) FROM (SELECT {found} LIMIT :most) AS found"  # noqa: S608
    return sa.text(f"{listed} LIMIT :limit OFFSET :offset"), sa.text(counted)


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NAIVE_UTC).decode()


def insert(tx: Transaction, orders: Sequence[Row]) -> dict[UUID, int]:
    """Insert orders with their lines, parts and first events; their numbers by id."""
    rows = tx.connection.execute(_INSERT, {"orders": _json(orders), "actor": tx.actor})
    return {row.id: row.number for row in rows}


def lock(tx: Transaction, order: UUID) -> bool:
    """Let no other transaction change an order until this one ends; False: it is not known."""
    return tx.connection.execute(_LOCK, {"id": order}).first() is not None


def read(tx: Transaction, orders: Sequence[UUID]) -> tuple[list[Row], list[Row], list[Row]]:
    """Orders, their lines, their parts, in any order of the orders."""
    given = {"ids": list(orders)}

    def rows(query: sa.TextClause) -> list[Row]:
        return [dict(row) for row in tx.connection.execute(query, given).mappings()]

    return rows(_ORDERS), rows(_LINES), rows(_PARTS)


def read_events(tx: Transaction, order: UUID) -> list[Row]:
    """What happened to an order, in order."""
    return [dict(row) for row in tx.connection.execute(_EVENTS, {"id": order}).mappings()]


def read_payments(tx: Transaction, order: UUID) -> list[Row]:
    """The payments told for an order."""
    return [dict(row) for row in tx.connection.execute(_PAYMENTS, {"id": order}).mappings()]


def read_refunds(tx: Transaction, order: UUID) -> list[Row]:
    """The refunds asked for an order."""
    return [dict(row) for row in tx.connection.execute(_REFUNDS, {"id": order}).mappings()]


def read_recipient(tx: Transaction, order: UUID) -> Row | None:
    """The sealed recipient of an order, whose it is, and when it was erased."""
    row = tx.connection.execute(_RECIPIENT, {"order": order}).mappings().first()
    return None if row is None else dict(row)


def read_needing(tx: Transaction, member: str | None, order: UUID | None) -> list[int]:
    """The numbers of open orders with a recipient: of a member, or a guest's one."""
    given = {"member": member, "order": order}
    return list(tx.connection.execute(_NEEDING, given).scalars())


def forget_recipients(tx: Transaction, member: str | None, order: UUID | None) -> None:
    """Say that the recipients of a member's orders, or of a guest's one, are erased now."""
    given = {"member": member, "order": order, "now": tx.clock.now()}
    tx.connection.execute(_FORGET_RECIPIENTS, given)


def read_recipients_due(
    tx: Transaction, before: datetime, *, offset: int, limit: int
) -> list[UUID]:
    """Guests' orders with a recipient that were closed before a moment, the oldest first."""
    given = {"before": before, "offset": offset, "limit": limit}
    return list(tx.connection.execute(_RECIPIENTS_DUE, given).scalars())


def add_event(tx: Transaction, order: UUID, kind: str, *, details: Row) -> None:
    """Write what happened to an order now."""
    given = {"order": order, "at": tx.clock.now(), "actor": tx.actor, "kind": kind}
    tx.connection.execute(_EVENT, {**given, "details": _json(details)})


def set_state(tx: Transaction, order: UUID, state: str, *, closed_at: datetime | None) -> None:
    """Say where an order stands."""
    tx.connection.execute(_STATE, {"order": order, "state": state, "closed_at": closed_at})


def set_paid(tx: Transaction, orders: Sequence[UUID]) -> None:
    """Say that orders are paid in full now."""
    tx.connection.execute(_PAID, {"orders": list(orders), "at": tx.clock.now()})


def insert_payment(tx: Transaction, notice: PaymentNotice, *, outcome: str) -> None:
    """Keep a payment with its outcome, told now."""
    given = {
        "provider": notice.provider,
        "reference": notice.reference,
        "order": notice.order,
        "amount_cents": notice.amount_cents,
        "currency": notice.currency,
        "paid_at": notice.paid_at,
    }
    tx.connection.execute(_PAYMENT, {**given, "outcome": outcome, "told_at": tx.clock.now()})


def has_ordered(tx: Transaction, member: str) -> bool:
    """Whether a member has paid for an order before."""
    return tx.connection.execute(_HAS_ORDERED, {"member": member}).first() is not None


def known_payment(tx: Transaction, provider: str, reference: str) -> Row | None:
    """A payment that was told before."""
    given = {"provider": provider, "reference": reference}
    row = tx.connection.execute(_KNOWN_PAYMENT, given).mappings().first()
    return None if row is None else dict(row)


def taken_payment(tx: Transaction, order: UUID) -> Row | None:
    """The payment that an order was paid with."""
    row = tx.connection.execute(_TAKEN, {"order": order}).mappings().first()
    return None if row is None else dict(row)


def insert_refund(tx: Transaction, refund: Row) -> None:
    """Keep a refund, asked for now."""
    tx.connection.execute(_REFUND, {**refund, "asked_at": tx.clock.now()})


def give_back(tx: Transaction, order: UUID, amount_cents: int) -> None:
    """Count an amount as given back of what was paid; the database refuses more than that."""
    tx.connection.execute(_GIVEN_BACK, {"order": order, "amount_cents": amount_cents})


def finish_refund(tx: Transaction, refund: UUID) -> Row | None:
    """Mark a refund as done now; None when it is already, or unknown."""
    given = {"id": refund, "at": tx.clock.now()}
    row = tx.connection.execute(_REFUND_DONE, given).mappings().first()
    return None if row is None else dict(row)


def open_charges(tx: Transaction, *, since: datetime, before: datetime, limit: int) -> list[Row]:
    """Order and provider of charges neither told as paid nor closed, of orders placed since a
    moment whose time is over before another, or that wait for no money."""
    given = {"since": since, "before": before, "limit": limit}
    return [dict(row) for row in tx.connection.execute(_OPEN_CHARGES, given).mappings()]


def due_refunds(tx: Transaction, now: datetime, limit: int) -> list[UUID]:
    """Refunds that are not done and whose next try is due."""
    given = {"now": now, "limit": limit}
    return list(tx.connection.execute(_DUE_REFUNDS, given).scalars())


def put_off_refund(tx: Transaction, refund: UUID, *, tries: int) -> None:
    """Count so many tries of a refund and set when the next one is due."""
    tx.connection.execute(_PUT_OFF, {"id": refund, "now": tx.clock.now(), "tries": tries})


def find_refund(tx: Transaction, refund: UUID) -> Row | None:
    """A refund with what was paid."""
    row = tx.connection.execute(_ASKED_REFUND, {"id": refund}).mappings().first()
    return None if row is None else dict(row)


def change_lines(tx: Transaction, order: UUID, changes: Sequence[Row]) -> None:
    """Add to what was handed over, cancelled and returned of lines; a line may stand in several
    changes, as several places give for it."""
    zero = {"handed": 0, "handed_cents": 0, "cancelled": 0, "returned": 0, "returned_cents": 0}
    given = [{**zero, **change} for change in changes]
    tx.connection.execute(_CHANGE_LINES, {"order": order, "changes": _json(given)})


def change_parts(tx: Transaction, changes: Sequence[Row]) -> None:
    """Add to what was handed over and cancelled of parts."""
    given = [{"handed": 0, "cancelled": 0, **change} for change in changes]
    tx.connection.execute(_CHANGE_PARTS, {"changes": _json(given)})


def lock_due(tx: Transaction, now: datetime, limit: int) -> list[UUID]:
    """Unpaid orders whose time is over, locked; those that somebody else holds are left out."""
    return list(tx.connection.execute(_DUE, {"now": now, "limit": limit}).scalars())


def take_up(tx: Transaction, limit: int) -> list[UUID]:
    """Paid orders that nobody prepares yet, locked and marked as taken up now."""
    rows = tx.connection.execute(_TAKE_UP, {"now": tx.clock.now(), "limit": limit})
    return sorted(rows.scalars())


def read_claiming(tx: Transaction, sku: str, place: str, *, limit: int) -> list[UUID]:
    """Open orders with an open part of an SKU at a place, unpaid first, the latest first."""
    given = {"sku": sku, "place": place, "limit": limit}
    return list(tx.connection.execute(_CLAIMING, given).scalars())


def insert_handovers(tx: Transaction, order: UUID, pieces: Sequence[Row]) -> None:
    """Keep what left places now: line, place, units, amount_cents."""
    given = {"order": order, "at": tx.clock.now(), "pieces": _json(pieces)}
    tx.connection.execute(_HANDOVERS, given)


def lock_untold(tx: Transaction, limit: int) -> list[Row]:
    """What left places and was not told as facts yet, locked: a row for each component."""
    return [dict(row) for row in tx.connection.execute(_UNTOLD, {"limit": limit}).mappings()]


def mark_told(tx: Transaction, numbers: Sequence[int]) -> None:
    """Say that these hand-overs are told now."""
    tx.connection.execute(_TOLD, {"numbers": list(numbers), "at": tx.clock.now()})


def insert_line(tx: Transaction, order: UUID, line: Row, *, instead_of: int) -> None:
    """Add a line that stands in for another one."""
    given = {"order": order, "line": _json(line), "instead_of": instead_of}
    tx.connection.execute(_LINE_INSTEAD, given)


def insert_parts(tx: Transaction, order: UUID, parts: Sequence[Row]) -> None:
    """Add parts of an order, or units to those there are at the place."""
    tx.connection.execute(_MORE_PARTS, {"order": order, "parts": _json(parts)})


def page(
    tx: Transaction, wanted: Wanted, *, offset: int, limit: int, most: int
) -> tuple[list[UUID], int]:
    """Some orders, the newest first, and how many there are, counted up to `most`."""
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    given = {name: value for name, value in given.items() if value is not None}
    given |= {name: sorted(given[name]) for name in ("states", "places") if name in given}
    listed, counted = _page_of(tuple(given))
    found = tx.connection.execute(listed, {**given, "offset": offset, "limit": limit})
    total = tx.connection.execute(counted, {**given, "most": most}).scalar_one()
    return list(found.scalars()), int(total)
