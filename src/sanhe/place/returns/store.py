"""The tables of returns."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction
from sanhe.place.returns.rules import Return, ReturnLine, ReturnState, Verdict

_READ = """
SELECT r.id, r.number, r.order_id, r.way, r.place, r.state, r.reason, r.asked_at, r.received_at,
    r.closed_at, r.refund_id, (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.line)
        FROM sales_return_line AS l WHERE l.return_id = r.id) AS lines
FROM sales_return AS r"""
_ONE = sa.text(f"{_READ} WHERE r.id = :id")
_OF = sa.text(f"{_READ} WHERE r.order_id = :order ORDER BY r.number")
_PAGE_OF = (
    "WHERE (CAST(:place AS text) IS NULL OR r.place = :place) "
    "AND (CAST(:state AS text) IS NULL OR r.state = :state)"
)
_PAGE = sa.text(f"{_READ} {_PAGE_OF} ORDER BY r.number DESC LIMIT :limit OFFSET :offset")
_COUNT = sa.text(f"""
SELECT count(*) FROM (SELECT FROM sales_return AS r {_PAGE_OF} LIMIT :most) AS found
""")  # noqa: S608 -- constants
_INSERT = sa.text("""
INSERT INTO sales_return (id, order_id, way, place, state, reason, asked_at)
VALUES (:id, :order, :way, :place, 'asked', :reason, :now)
""")
_INSERT_LINES = sa.text("""
INSERT INTO sales_return_line (return_id, line, units)
SELECT :id, g.line, g.units
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS g (line int, units bigint)
""")
_SAVE = sa.text("""
UPDATE sales_return SET place = :place, state = :state, received_at = :received_at,
    closed_at = :closed_at, refund_id = :refund
WHERE id = :id
""")
_SAVE_LINES = sa.text("""
UPDATE sales_return_line AS l SET received = g.received, sellable = g.sellable,
    outlet = g.outlet, waste = g.waste, amount_cents = g.amount_cents
FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS g (line int, received bigint, sellable bigint,
    outlet bigint, waste bigint, amount_cents bigint)
WHERE l.return_id = :id AND l.line = g.line
""")


def insert(tx: Transaction, given: Return) -> None:
    """Keep a return that is asked for now."""
    row = {"id": given.id, "order": given.order_id, "way": given.way, "place": given.place}
    tx.connection.execute(_INSERT, {**row, "reason": given.reason, "now": tx.clock.now()})
    lines = [{"line": line.line, "units": line.units} for line in given.lines]
    tx.connection.execute(_INSERT_LINES, {"id": given.id, "lines": orjson.dumps(lines).decode()})


def save(tx: Transaction, found: Return) -> None:
    """Keep a return as it stands now."""
    names = ("id", "place", "received_at", "closed_at", "refund")
    given = {name: getattr(found, name) for name in names}
    tx.connection.execute(_SAVE, {**given, "state": found.state.value})
    lines = [
        {"line": line.line, "received": line.received, "amount_cents": line.amount_cents}
        | {name: getattr(line.verdict, name) for name in ("sellable", "outlet", "waste")}
        for line in found.lines
    ]
    tx.connection.execute(_SAVE_LINES, {"id": found.id, "lines": orjson.dumps(lines).decode()})


def read(tx: Transaction, return_: UUID) -> Return | None:
    """One return."""
    row = tx.connection.execute(_ONE, {"id": return_}).one_or_none()
    return None if row is None else _return(row)


def read_of(tx: Transaction, order: UUID) -> list[Return]:
    """The returns of an order, the oldest first."""
    return [_return(row) for row in tx.connection.execute(_OF, {"order": order})]


def page(
    tx: Transaction, place: str | None, state: str | None, *, offset: int, limit: int, most: int
) -> tuple[list[Return], int]:
    """Some returns, the newest first, and how many there are, counted up to `most`."""
    asked: dict[str, Any] = {"place": place, "state": state, "most": most}
    rows = tx.connection.execute(_PAGE, {**asked, "offset": offset, "limit": limit})
    return [_return(row) for row in rows], tx.connection.execute(_COUNT, asked).scalar_one()


def _return(row: Any) -> Return:
    given = dict(row._mapping)
    lines = tuple(
        ReturnLine(
            line=line["line"],
            units=line["units"],
            received=line["received"],
            verdict=Verdict(line["sellable"], line["outlet"], line["waste"]),
            amount_cents=line["amount_cents"],
        )
        for line in given.pop("lines") or ()
    )
    refund = given.pop("refund_id")
    return Return(**{**given, "state": ReturnState(row.state)}, refund=refund, lines=lines)
