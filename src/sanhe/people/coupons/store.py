"""The coupons' tables: campaigns, what was issued, what baskets hold, and who tries codes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from sanhe.core.limits import Limit
from sanhe.core.storage import Transaction
from sanhe.people.coupons.rules import Campaign, IssuedCoupon

_SAVE = sa.text("""
INSERT INTO coupon_campaign (id, name, promotion, begins_at, ends_at, days, most, per_member,
    saved_at, saved_by)
VALUES (:id, :name, :promotion, :begins_at, :ends_at, :days, :most, :per_member, :now, :actor)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, begins_at = excluded.begins_at,
    ends_at = excluded.ends_at, days = excluded.days, most = excluded.most,
    per_member = excluded.per_member, saved_at = excluded.saved_at, saved_by = excluded.saved_by
""")
_CAMPAIGN_COLUMNS = """
SELECT id, name, promotion, begins_at, ends_at, days, most, per_member, issued, saved_at,
    saved_by, stopped_at
FROM coupon_campaign
"""
_LOCK = sa.text(f"{_CAMPAIGN_COLUMNS} WHERE id = :id FOR UPDATE")
_CAMPAIGN = sa.text(f"{_CAMPAIGN_COLUMNS} WHERE id = :id")
_CAMPAIGNS = sa.text(f"{_CAMPAIGN_COLUMNS} ORDER BY saved_at DESC, id LIMIT :limit OFFSET :offset")
_STOP = sa.text("""
UPDATE coupon_campaign SET stopped_at = coalesce(stopped_at, :now) WHERE id = :id
""")
_TAKE = sa.text("""
UPDATE coupon_campaign SET issued = issued + :count
WHERE id = :id AND (most IS NULL OR issued + :count <= most)
""")
_GIVEN = sa.text("""
SELECT member, count(*) AS given FROM coupon
WHERE campaign = :campaign AND member = ANY (CAST(:members AS text[])) GROUP BY member
""")
_ISSUE = sa.text("""
INSERT INTO coupon (id, campaign, member, ordinal, code_hash, begins_at, ends_at, issued_at,
    issued_by)
SELECT id, :campaign, nullif(member, ''), nullif(ordinal, 0), code_hash, :begins_at, :ends_at,
    :now, :actor
FROM unnest(CAST(:ids AS uuid[]), CAST(:members AS text[]), CAST(:ordinals AS int[]),
    CAST(:hashes AS bytea[])) AS c (id, member, ordinal, code_hash)
""")

_COUPON_COLUMNS = """
SELECT c.id, c.campaign, k.promotion, c.member, c.begins_at, c.ends_at, k.stopped_at,
    c.code_hash
FROM coupon AS c JOIN coupon_campaign AS k ON k.id = c.campaign
"""
_FIND = sa.text(f"""{_COUPON_COLUMNS}
WHERE c.id = ANY (CAST(:ids AS uuid[])) OR c.code_hash = ANY (CAST(:hashes AS bytea[]))
""")
_OF_MEMBER = sa.text(f"""{_COUPON_COLUMNS}
WHERE c.member = :member AND c.ends_at > :since ORDER BY c.ends_at, c.id LIMIT :limit
""")
_ISSUED = sa.text(f"""{_COUPON_COLUMNS}
WHERE c.campaign = :campaign ORDER BY c.issued_at DESC, c.id LIMIT :limit OFFSET :offset
""")

_HOLD = sa.text("""
INSERT INTO coupon_hold (cause, promotion, coupon, member, cents, transfers, held_at)
SELECT :cause, promotion, coupon, :member, cents, transfers, :at
FROM jsonb_to_recordset(CAST(:uses AS jsonb)) AS u (
    promotion text, coupon uuid, cents bigint, transfers uuid[])
ON CONFLICT (cause, promotion) DO NOTHING
""")
_HELD = sa.text("""
SELECT h.promotion, h.coupon, c.campaign, h.member, h.cents, h.transfers, h.step
FROM coupon_hold AS h LEFT JOIN coupon AS c ON c.id = h.coupon
WHERE h.cause = :cause AND h.promotion = ANY (CAST(:promotions AS text[]))
ORDER BY h.promotion FOR UPDATE OF h
""")
_GIVE_BACK = sa.text("""
UPDATE coupon_hold SET given_back_at = :at, step = :step
WHERE cause = :cause AND promotion = ANY (CAST(:promotions AS text[]))
""")

# One row for each member or key: the moment until which its attempts reach. Every code that there
# is not counts, also beyond the limit: what many at once have tried too much is waited for.
_COUNT = sa.text("""
INSERT INTO coupon_limit AS l (key, busy_until) VALUES (:key, :now + :taken)
ON CONFLICT (key) DO UPDATE SET busy_until = greatest(l.busy_until, :now) + :taken
""")
_BUSY = sa.text("""
SELECT key, busy_until FROM coupon_limit WHERE key = ANY (CAST(:keys AS text[]))
""")
_FORGET = sa.text("""
DELETE FROM coupon_limit WHERE key IN
(SELECT key FROM coupon_limit WHERE busy_until < :now LIMIT 100 FOR UPDATE SKIP LOCKED)
""")


def save(tx: Transaction, campaign: Campaign) -> None:
    """Keep a campaign; its promotion stays the first one."""
    given = {
        name: getattr(campaign, name)
        for name in ("id", "name", "promotion", "begins_at", "ends_at", "days", "most")
    }
    given |= {"per_member": campaign.per_member, "now": tx.clock.now(), "actor": tx.actor}
    tx.connection.execute(_SAVE, given)


def campaign(tx: Transaction, name: str, *, lock: bool = False) -> sa.Row[Any] | None:
    """A campaign; with `lock` nobody else issues of it until the transaction ends."""
    return tx.connection.execute(_LOCK if lock else _CAMPAIGN, {"id": name}).first()


def campaigns(tx: Transaction, *, limit: int, offset: int) -> Sequence[sa.Row[Any]]:
    """Campaigns, those saved last first."""
    return tx.connection.execute(_CAMPAIGNS, {"limit": limit, "offset": offset}).all()


def stop(tx: Transaction, name: str) -> bool:
    """Let no coupon of a campaign be used any more; False where there is no such campaign."""
    return tx.connection.execute(_STOP, {"id": name, "now": tx.clock.now()}).rowcount == 1


def take(tx: Transaction, name: str, count: int) -> bool:
    """Count coupons as issued; False beyond the campaign's most."""
    return tx.connection.execute(_TAKE, {"id": name, "count": count}).rowcount == 1


def given_to(tx: Transaction, name: str, members: Collection[str]) -> Mapping[str, int]:
    """How many coupons of a campaign each of these members was given."""
    given = {"campaign": name, "members": sorted(members)}
    return {row.member: row.given for row in tx.connection.execute(_GIVEN, given)}


def issue(
    tx: Transaction,
    coupons: Sequence[IssuedCoupon],
    *,
    ordinals: Sequence[int],
    hashes: Sequence[bytes],
) -> None:
    """Keep coupons of one campaign and one window."""
    first = coupons[0]
    given = {
        "campaign": first.campaign,
        "begins_at": first.begins_at,
        "ends_at": first.ends_at,
        "ids": [one.id for one in coupons],
        "members": [one.member or "" for one in coupons],
        "ordinals": list(ordinals),
        "hashes": list(hashes),
        "now": tx.clock.now(),
        "actor": tx.actor,
    }
    tx.connection.execute(_ISSUE, given)


def find(
    tx: Transaction, ids: Collection[UUID], hashes: Collection[bytes]
) -> tuple[dict[UUID, IssuedCoupon], dict[bytes, IssuedCoupon]]:
    """Coupons by id, and by what is kept of their codes."""
    rows = tx.connection.execute(_FIND, {"ids": list(ids), "hashes": list(hashes)}).all()
    known = [(row.code_hash, _coupon(row)) for row in rows]
    return {one.id: one for _, one in known}, {bytes(kept): one for kept, one in known}


def of_member(tx: Transaction, member: str, *, since: datetime, limit: int) -> list[IssuedCoupon]:
    """A member's coupons that ended after a moment, the first to end first."""
    given = {"member": member, "since": since, "limit": limit}
    return [_coupon(row) for row in tx.connection.execute(_OF_MEMBER, given)]


def issued(tx: Transaction, name: str, *, limit: int, offset: int) -> list[IssuedCoupon]:
    """A campaign's coupons, those issued last first."""
    given = {"campaign": name, "limit": limit, "offset": offset}
    return [_coupon(row) for row in tx.connection.execute(_ISSUED, given)]


def hold(
    tx: Transaction,
    uses: Sequence[Mapping[str, object]],
    *,
    cause: str,
    member: str | None,
    at: datetime,
) -> None:
    """Note what a cause holds: promotion, coupon, cents, transfers."""
    given = {"cause": cause, "member": member, "at": at, "uses": orjson.dumps(uses).decode()}
    tx.connection.execute(_HOLD, given)


def held(tx: Transaction, cause: str, promotions: Collection[str]) -> Sequence[sa.Row[Any]]:
    """What a cause holds of these promotions, locked."""
    given = {"cause": cause, "promotions": list(promotions)}
    return tx.connection.execute(_HELD, given).all()


def give_back(
    tx: Transaction, cause: str, promotions: Collection[str], *, step: str, at: datetime
) -> None:
    """Note that it was given back."""
    given = {"cause": cause, "promotions": list(promotions), "step": step, "at": at}
    tx.connection.execute(_GIVE_BACK, given)


def count_attempts(tx: Transaction, key: str, count: int, *, limit: Limit) -> None:
    """Count codes that there are not."""
    given = {"key": key, "now": tx.clock.now(), "taken": count * limit.refill}
    tx.connection.execute(_COUNT, given)
    tx.connection.execute(_FORGET, {"now": tx.clock.now()})


def waits(tx: Transaction, limits: Mapping[str, Limit]) -> datetime | None:
    """The moment from which all of these let another attempt in; None = now."""
    rows = tx.connection.execute(_BUSY, {"keys": list(limits)}).all()
    free = [row.busy_until + limits[row.key].refill - limits[row.key].most for row in rows]
    return max((moment for moment in free if moment > tx.clock.now()), default=None)


def _coupon(row: Any) -> IssuedCoupon:
    return IssuedCoupon(
        id=row.id,
        campaign=row.campaign,
        promotion=row.promotion,
        member=row.member,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        stopped_at=row.stopped_at,
    )
