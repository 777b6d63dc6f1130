"""The tables of loyalty: entries and lots, standings, what qualified."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, TypeAlias

import orjson
import sqlalchemy as sa

from sanhe.core.storage import Transaction
from sanhe.people.loyalty.ports import Entry, Kind, Purse, Written
from sanhe.people.loyalty.standing import Standing

Row: TypeAlias = Mapping[str, Any]

_COLUMNS = "id, purse, member, kind, cause, step, lot, origin, amount, at, note"
_ADD = sa.text(f"""
INSERT INTO loyalty_entry ({_COLUMNS}, actor)
SELECT {_COLUMNS}, :actor FROM ROWS FROM (jsonb_to_recordset(CAST(:entries AS jsonb)) AS (
    id uuid, purse text, member text, kind text, cause text, step text, lot text, origin text,
    amount bigint, at timestamptz, note text
)) WITH ORDINALITY AS e ORDER BY ordinality
""")  # noqa: S608 -- made of constants
_OF_CAUSE = sa.text(f"""
SELECT {_COLUMNS} FROM loyalty_entry
WHERE purse = :purse AND member = :member AND cause = :cause ORDER BY number
""")  # noqa: S608 -- made of constants
_PAGE = sa.text(f"""
SELECT number, actor, {_COLUMNS} FROM loyalty_entry
WHERE purse = :purse AND member = :member AND number < :before
ORDER BY number DESC LIMIT :limit
""")  # noqa: S608 -- made of constants
_OPEN_LOTS = sa.text("""
INSERT INTO points_lot (member, expires_on)
SELECT :member, day FROM unnest(CAST(:days AS date[])) AS given (day)
ON CONFLICT (member, expires_on) DO UPDATE SET is_open = true WHERE NOT points_lot.is_open
""")
_SWEPT = sa.text("""
UPDATE points_lot SET is_open = NOT :is_empty, swept_on = :on
WHERE member = :member AND expires_on = :lot
""")
_LOTS = sa.text("""
SELECT expires_on FROM points_lot WHERE member = :member AND is_open ORDER BY expires_on
""")
_OVER = sa.text("""
SELECT member FROM points_lot
WHERE is_open AND expires_on < :day AND (swept_on IS NULL OR swept_on < :day)
ORDER BY expires_on, member LIMIT :limit
""")
_LAST = 2**63 - 1


class PostgresEntries:
    """Entries within one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep entries whose ids are not known."""
        given = {"entries": orjson.dumps([asdict(one) for one in entries]).decode()}
        if entries:
            self._tx.connection.execute(_ADD, {**given, "actor": self._tx.actor})

    def of_cause(self, purse: Purse, member: str, cause: str) -> list[Entry]:
        """All that happened to a member for a cause, in order."""
        given = {"purse": purse.value, "member": member, "cause": cause}
        rows = self._tx.connection.execute(_OF_CAUSE, given)
        return [_entry(dict(row)) for row in rows.mappings()]

    def page(self, purse: Purse, member: str, *, limit: int, before: int | None) -> list[Written]:
        """What happened to a member, the last first, numbered below `before`."""
        given = {"purse": purse.value, "member": member, "limit": limit, "before": before or _LAST}
        rows = self._tx.connection.execute(_PAGE, given)
        return [Written(row["number"], _entry(dict(row)), row["actor"]) for row in rows.mappings()]

    def open_lots(self, member: str, days: Iterable[date]) -> None:
        """Say that lots of these days may hold points."""
        self._tx.connection.execute(_OPEN_LOTS, {"member": member, "days": sorted(days)})

    def swept(self, member: str, lot: date, *, on: date, is_empty: bool) -> None:
        """Say that a lot that was over was emptied on a day."""
        given = {"member": member, "lot": lot, "on": on, "is_empty": is_empty}
        self._tx.connection.execute(_SWEPT, given)

    def lots(self, member: str) -> list[date]:
        """The lots of a member that may hold points, the first to expire first."""
        return list(self._tx.connection.execute(_LOTS, {"member": member}).scalars())

    def over(self, day: date, *, limit: int) -> list[str]:
        """Some members that have lots to be emptied on a day."""
        rows = self._tx.connection.execute(_OVER, {"day": day, "limit": limit})
        return list(dict.fromkeys(rows.scalars()))


def _entry(row: Row) -> Entry:
    told = {name: row[name] for name in _COLUMNS.split(", ")}
    return Entry(**{**told, "purse": Purse(told["purse"]), "kind": Kind(told["kind"])})


_JOIN = sa.text("""
INSERT INTO member_standing (member, tier, since, until, joined_at, is_due)
VALUES (:member, :tier, :since, :until, :at, true)
ON CONFLICT (member) DO NOTHING RETURNING member
""")
_CHANGE = sa.text("""
INSERT INTO tier_change (member, at, tier, until, reason)
VALUES (:member, :at, :tier, :until, :reason)
""")
_TIERS_AT = sa.text("""
SELECT DISTINCT ON (member) member, tier FROM tier_change
WHERE member = ANY (CAST(:members AS text[])) AND at <= :at
ORDER BY member, at DESC, number DESC
""")
_CHANGES = sa.text("""
SELECT at, tier, until, reason FROM tier_change WHERE member = :member
ORDER BY number DESC LIMIT :limit
""")
_STANDING = sa.text("SELECT tier, since, until FROM member_standing WHERE member = :member")
_QUALIFY = sa.text("""
WITH new AS (
    INSERT INTO member_bought (member, cause, day, at, cents)
    VALUES (:member, :cause, :day, :at, :cents)
    ON CONFLICT (member, cause) DO NOTHING RETURNING member
), due AS (
    UPDATE member_standing AS s SET is_due = true FROM new
    WHERE s.member = new.member AND NOT s.is_due
)
SELECT member FROM new
""")
_QUALIFIED = sa.text("SELECT cents FROM member_bought WHERE member = :member AND cause = :cause")
_DUE = sa.text("""
SELECT member, tier, since, until FROM member_standing WHERE is_due OR look_on <= :day
LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_BOUGHT = sa.text("""
SELECT coalesce(sum(cents) FILTER (WHERE day > :window_from), 0)::bigint AS window_cents,
    coalesce(sum(cents) FILTER (WHERE day >= :kept_from), 0)::bigint AS kept_cents
FROM member_bought WHERE member = :member AND (day > :window_from OR day >= :kept_from)
""")
_STAND = sa.text("""
UPDATE member_standing SET tier = :tier, since = :since, until = :until, look_on = :look_on,
    is_due = false
WHERE member = :member
""")


def join(tx: Transaction, member: str, standing: Standing, *, at: datetime) -> bool:
    """Keep a new member's first standing; False for who is one already."""
    given = {"member": member, **asdict(standing), "at": at}
    return tx.connection.execute(_JOIN, given).first() is not None


def add_change(
    tx: Transaction, member: str, standing: Standing, *, at: datetime, reason: str
) -> None:
    """Keep a step in the history of a member's tiers."""
    given = {"member": member, **asdict(standing), "at": at, "reason": str(reason)}
    tx.connection.execute(_CHANGE, given)


def tiers_at(tx: Transaction, members: Collection[str], at: datetime) -> dict[str, str]:
    """The tiers of members at a moment; who was none by then is missing."""
    rows = tx.connection.execute(_TIERS_AT, {"members": sorted(members), "at": at})
    return {row.member: row.tier for row in rows}


def changes(tx: Transaction, member: str, limit: int) -> list[Row]:
    """The history of a member's tiers, the last first."""
    rows = tx.connection.execute(_CHANGES, {"member": member, "limit": limit})
    return [dict(row) for row in rows.mappings()]


def standing(tx: Transaction, member: str) -> Standing | None:
    """Where a member stands; None for who is none."""
    row = tx.connection.execute(_STANDING, {"member": member}).first()
    return None if row is None else Standing(*row)


def qualify(
    tx: Transaction, member: str, cents: int, *, cause: str, at: datetime, day: date
) -> bool:
    """Keep what counts for a tier, and have the member looked at; False when it is known."""
    given = {"member": member, "cents": cents, "cause": cause, "at": at, "day": day}
    return tx.connection.execute(_QUALIFY, given).first() is not None


def qualified(tx: Transaction, member: str, cause: str) -> int | None:
    """What counts for a cause."""
    return tx.connection.execute(_QUALIFIED, {"member": member, "cause": cause}).scalar()


def lock_due(tx: Transaction, day: date, limit: int) -> list[Row]:
    """Members whose standing may change on a day, locked; those that are taken are left out."""
    rows = tx.connection.execute(_DUE, {"day": day, "limit": limit})
    return [dict(row) for row in rows.mappings()]


def bought(tx: Transaction, member: str, *, window_from: date, kept_from: date) -> tuple[int, int]:
    """What a member bought after a day and from another one on, in cents."""
    given = {"member": member, "window_from": window_from, "kept_from": kept_from}
    row = tx.connection.execute(_BOUGHT, given).one()
    return row.window_cents, row.kept_cents


def stand(tx: Transaction, member: str, standing: Standing, *, look_on: date | None) -> None:
    """Say where a member stands and when to look again."""
    given = {"member": member, **asdict(standing), "look_on": look_on}
    tx.connection.execute(_STAND, given)


_REFER = sa.text("""
WITH new AS (
    INSERT INTO member_referral (friend, member, at)
    SELECT :friend, :member, :at
    WHERE NOT EXISTS (SELECT FROM member_bought WHERE member = :friend)
    ON CONFLICT (friend) DO NOTHING RETURNING member
)
SELECT member FROM new UNION ALL SELECT member FROM member_referral WHERE friend = :friend
""")
_FRIEND_BOUGHT = sa.text("""
UPDATE member_referral SET cause = :cause, due_on = :due_on
WHERE friend = :friend AND cause IS NULL AND paid_at IS NULL
""")
_FRIEND_RETURNED = sa.text("""
UPDATE member_referral SET cause = NULL, due_on = NULL
WHERE friend = :friend AND cause = :cause AND paid_at IS NULL
""")
_REFERRALS = sa.text("""
UPDATE member_referral SET paid_at = :now WHERE friend IN (
    SELECT friend FROM member_referral WHERE due_on <= :day AND paid_at IS NULL
    ORDER BY friend LIMIT :limit FOR UPDATE SKIP LOCKED
) RETURNING friend, member
""")


def refer(tx: Transaction, friend: str, *, member: str, at: datetime) -> str | None:
    """Keep that a member brought a friend; who did, None for a friend who has bought before."""
    given = {"friend": friend, "member": member, "at": at}
    return tx.connection.execute(_REFER, given).scalar()


def friend_bought(tx: Transaction, friend: str, *, cause: str, due_on: date) -> None:
    """Say that a friend's first order is complete, and when it has stayed bought."""
    given = {"friend": friend, "cause": cause, "due_on": due_on}
    tx.connection.execute(_FRIEND_BOUGHT, given)


def friend_returned(tx: Transaction, friend: str, *, cause: str) -> None:
    """Say that goods of a friend's first order came back: another order has to stay."""
    tx.connection.execute(_FRIEND_RETURNED, {"friend": friend, "cause": cause})


def lock_referrals(tx: Transaction, day: date, limit: int) -> list[Row]:
    """Referrals whose order has stayed bought by a day, marked as paid now: friend, member."""
    given = {"day": day, "limit": limit, "now": tx.clock.now()}
    return [dict(row) for row in tx.connection.execute(_REFERRALS, given).mappings()]
