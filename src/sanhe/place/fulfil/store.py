"""The tables of shipments and courier bookings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction
from sanhe.place.fulfil.ports import Booking, BookingState
from sanhe.place.fulfil.rules import Shipment, ShipmentLine, ShipmentState

_COLUMNS = """s.id, s.number, s.order_id, s.place, s.method, s.state, s.due_at, s.opened_at,
    s.ready_at, s.away_at, s.closed_at, s.fetch_until"""
_LINES = """(SELECT jsonb_agg(jsonb_build_object('line', l.line, 'units', l.units,
    'picked', l.picked) ORDER BY l.line) FROM shipment_line AS l WHERE l.shipment_id = s.id)
    AS lines"""
_READ = f"SELECT {_COLUMNS}, {_LINES} FROM shipment AS s"  # noqa: S608 -- constants
_ONE = sa.text(f"{_READ} WHERE s.id = :id")
_OF_ORDERS = sa.text(f"{_READ} WHERE s.order_id = ANY (CAST(:orders AS uuid[])) ORDER BY s.number")
_NOT_FETCHED = sa.text(
    "SELECT id FROM shipment WHERE state = 'ready' AND fetch_until <= :now "
    "ORDER BY fetch_until, id LIMIT :limit"
)
_TO_BOOK = sa.text("""
    SELECT s.id FROM shipment AS s
    WHERE s.state = 'ready' AND s.method = 'courier' AND NOT EXISTS (
        SELECT FROM courier_booking AS b WHERE b.shipment_id = s.id
        AND b.state IN ('asked', 'accepted', 'collected', 'delivered', 'returned'))
    ORDER BY s.ready_at, s.id LIMIT :limit
""")
_INSERT = sa.text("""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(:shipments AS jsonb)) AS g (
        id uuid, order_id uuid, place text, method text, due_at timestamptz, lines jsonb)
), made AS (
    INSERT INTO shipment (id, order_id, place, method, state, due_at, opened_at)
    SELECT id, order_id, place, method, 'picking', due_at, :now FROM given
), lines AS (
    INSERT INTO shipment_line (shipment_id, line, units)
    SELECT given.id, l.line, l.units
    FROM given, jsonb_to_recordset(given.lines) AS l (line int, units bigint)
)
SELECT count(*) FROM given
""")
_SAVE = sa.text("""
UPDATE shipment SET state = :state, ready_at = :ready_at, away_at = :away_at,
    closed_at = :closed_at, fetch_until = :fetch_until
WHERE id = :id
""")
_SAVE_LINES = sa.text("""
INSERT INTO shipment_line (shipment_id, line, units, picked)
SELECT :id, g.line, g.units, g.picked
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS g (line int, units bigint, picked bigint)
ON CONFLICT (shipment_id, line) DO UPDATE SET units = EXCLUDED.units, picked = EXCLUDED.picked
""")
_SET_CODE = sa.text("UPDATE shipment SET code_salt = :salt, code_hash = :hash WHERE id = :id")
_CODE = sa.text("SELECT code_salt, code_hash, code_busy_until FROM shipment WHERE id = :id")
_GUESSED = sa.text("UPDATE shipment SET code_busy_until = :until WHERE id = :id")
_BOOKING = """b.id, b.shipment_id, b.return_id, b.place, b.courier, b.attempt, b.state,
    b.asked_at, b.answer_by"""
_BOOKINGS = sa.text(f"""
SELECT {_BOOKING} FROM courier_booking AS b
WHERE b.shipment_id = ANY (CAST(:shipments AS uuid[]))
    OR b.return_id = ANY (CAST(:returns AS uuid[]))
ORDER BY b.shipment_id, b.return_id, b.attempt
""")  # noqa: S608 -- constants
_OPEN_BOOKINGS = sa.text(f"""
SELECT {_BOOKING} FROM courier_booking AS b
WHERE b.state IN ('asked', 'accepted', 'collected')
ORDER BY b.state <> 'asked', b.asked_at DESC, b.id LIMIT :limit
""")  # noqa: S608 -- constants
_BOOK = sa.text("""
INSERT INTO courier_booking (id, shipment_id, return_id, place, courier, attempt, state, asked_at,
    answer_by, changed_at)
VALUES (:id, :shipment, :return_, :place, :courier, :attempt, 'asked', :asked_at,
    :answer_by, :asked_at)
""")
_TELL_BOOKING = sa.text(
    "UPDATE courier_booking SET state = :state, changed_at = :now "
    "WHERE id = :id AND state = :before"
)
_PAGE_OF = (
    "WHERE (CAST(:place AS text) IS NULL OR s.place = :place) "
    "AND (CAST(:states AS text[]) IS NULL OR s.state = ANY (CAST(:states AS text[])))"
)
_PAGE = sa.text(f"{_READ} {_PAGE_OF} ORDER BY s.number DESC LIMIT :limit OFFSET :offset")
_COUNT = sa.text(f"""
SELECT count(*) FROM (SELECT FROM shipment AS s {_PAGE_OF} LIMIT :most) AS found
""")  # noqa: S608 -- constants


def insert(tx: Transaction, shipments: Sequence[Mapping[str, Any]]) -> None:
    """Insert shipments that are to be picked, with their lines."""
    given = {"shipments": _json(shipments), "now": tx.clock.now()}
    tx.connection.execute(_INSERT, given)


def read(tx: Transaction, shipment: UUID) -> Shipment | None:
    """One shipment."""
    row = tx.connection.execute(_ONE, {"id": shipment}).one_or_none()
    return None if row is None else _shipment(row)


def read_of(tx: Transaction, orders: Collection[UUID]) -> list[Shipment]:
    """The shipments of these orders."""
    rows = tx.connection.execute(_OF_ORDERS, {"orders": list(orders)})
    return [_shipment(row) for row in rows]


def read_not_fetched(tx: Transaction, limit: int) -> list[UUID]:
    """Those that nobody fetched in time."""
    given = {"now": tx.clock.now(), "limit": limit}
    return list(tx.connection.execute(_NOT_FETCHED, given).scalars())


def read_to_book(tx: Transaction, limit: int) -> list[UUID]:
    """Those that wait for a courier and have none."""
    return list(tx.connection.execute(_TO_BOOK, {"limit": limit}).scalars())


def save(tx: Transaction, shipment: Shipment) -> None:
    """Keep a shipment as it stands now."""
    names = ("id", "ready_at", "away_at", "closed_at", "fetch_until")
    given = {name: getattr(shipment, name) for name in names}
    tx.connection.execute(_SAVE, {**given, "state": shipment.state.value})
    lines = [
        {"line": line.line, "units": line.units, "picked": line.picked} for line in shipment.lines
    ]
    tx.connection.execute(_SAVE_LINES, {"id": shipment.id, "lines": _json(lines)})


def set_code(tx: Transaction, shipment: UUID, *, salt: bytes, hash_: bytes) -> None:
    """Keep the hash of a shipment's code; the one before is void."""
    tx.connection.execute(_SET_CODE, {"id": shipment, "salt": salt, "hash": hash_})


def read_code(
    tx: Transaction, shipment: UUID
) -> tuple[bytes | None, bytes | None, datetime | None]:
    """Salt and hash of a shipment's code, and until when its guesses are used up."""
    row = tx.connection.execute(_CODE, {"id": shipment}).one()
    return row.code_salt, row.code_hash, row.code_busy_until


def count_guess(tx: Transaction, shipment: UUID, until: datetime) -> None:
    """Say until when guesses are used up."""
    tx.connection.execute(_GUESSED, {"id": shipment, "until": until})


def read_bookings(
    tx: Transaction, shipments: Collection[UUID], returns: Collection[UUID]
) -> list[Booking]:
    """The bookings of these shipments and returns in turn."""
    given = {"shipments": list(shipments), "returns": list(returns)}
    rows = tx.connection.execute(_BOOKINGS, given)
    return [_booking(row) for row in rows]


def read_open_bookings(tx: Transaction, limit: int) -> list[Booking]:
    """Bookings of which there is news to come, those without an answer first, then the latest."""
    return [_booking(row) for row in tx.connection.execute(_OPEN_BOOKINGS, {"limit": limit})]


def book(tx: Transaction, booking: Booking) -> None:
    """Keep a booking that is asked for now."""
    names = ("id", "shipment", "return_", "place", "courier", "attempt", "asked_at", "answer_by")
    tx.connection.execute(_BOOK, {name: getattr(booking, name) for name in names})


def tell_booking(tx: Transaction, booking: Booking, state: BookingState) -> bool:
    """Say that a booking stands otherwise now; False when it is not as it was read."""
    given = {"id": booking.id, "before": booking.state.value, "now": tx.clock.now()}
    return tx.connection.execute(_TELL_BOOKING, {**given, "state": state.value}).rowcount == 1


def page(
    tx: Transaction, place: str | None, states: Collection[str] | None, *, window: Mapping[str, int]
) -> tuple[list[Shipment], int]:
    """Some shipments, the newest first, and how many there are; `window`: offset, limit, most."""
    given = {"place": place, "states": None if states is None else list(states), **window}
    rows = tx.connection.execute(_PAGE, given)
    return [_shipment(row) for row in rows], tx.connection.execute(_COUNT, given).scalar_one()


def _json(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_NAIVE_UTC).decode()


def _shipment(row: Any) -> Shipment:
    given = dict(row._mapping)
    lines = tuple(ShipmentLine(**line) for line in given.pop("lines") or ())
    return Shipment(**{**given, "state": ShipmentState(row.state)}, lines=lines)


def _booking(row: Any) -> Booking:
    given = dict(row._mapping)
    given["shipment"], given["return_"] = given.pop("shipment_id"), given.pop("return_id")
    return Booking(**{**given, "state": BookingState(row.state)})
