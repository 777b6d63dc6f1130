"""The flows of membership: balances told, corrected by people, kept up day by day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import BadInput, Code
from sanhe.core.values import Json, business_day, derived_id
from sanhe.people.loyalty import (
    Liability,
    Page,
    PointsBalance,
    Policy,
    Progress,
    Purse,
    Standing,
    StoredBalance,
    StoredTopUp,
    last_day,
    liability,
)
from sanhe.wiring.acting import By, once

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

ACTOR: Final = "loyalty"
AT_ONCE: Final = 100
"""Members in one transaction: so long somebody at a till may wait for one of them."""


@dataclass(frozen=True, slots=True)
class MemberTold:
    """What a member has: tier (empty for who is no member), points, stored value. `standing` and
    `progress` are missing for who is no member; `history` is of points or of stored value."""

    member: str
    tier: str
    points: PointsBalance
    stored: StoredBalance
    history: Page
    standing: Standing | None
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class LoyaltyRun:
    """What one run came to: members whose points ended, whose standing was looked at, and
    referrals that were given points for."""

    expired: int = 0
    evaluated: int = 0
    referred: int = 0


def member_points(
    sanhe: Sanhe,
    member: str,
    *,
    of: Purse = Purse.POINTS,
    limit: int,
    before: int | None = None,
    by: By,
) -> MemberTold:
    """What a member has and what happened to their points or stored value, the last first.

    Members belong to no place: it is read for everything, whatever places somebody works at.
    """
    with sanhe.work(actor=by.actor) as work:
        tier = work.tiers.tier(member, at=sanhe.clock.now())
        purse = work.stored if of is Purse.STORED else work.points
        return MemberTold(
            member,
            tier,
            work.points.balance(member),
            work.stored.balance(member),
            purse.history(member, limit=limit, before=before),
            standing=work.tiers.standing(member) if tier else None,
            progress=work.tiers.progress(member, on=_today(sanhe)) if tier else None,
        )


def adjust_points(sanhe: Sanhe, member: str, points: int, *, reason: str, key: str, by: By) -> Json:
    """Correct a member's points by hand: more with a number above 0, fewer below it.

    Once for each key, kept in the audit trail with the reason. Raises BadInput without a reason or
    for 0, Shortage for more than are available.
    """
    if not reason.strip():
        raise BadInput(
            "a correction needs a reason",
            place="reason",
            remedy="say why",
            code=Code.REASON_MISSING,
        )
    if points == 0:
        raise BadInput("0 corrects nothing", place="points", remedy="give more or fewer")
    cause = f"adjust/{derived_id('loyalty.adjust', by.actor, key)}"

    def run(work: Work) -> Json:
        now = sanhe.clock.now()
        if points > 0:
            ends = last_day(_policy(sanhe).life, _today(sanhe))
            work.points.earn(member, points, cause=cause, at=now, expires_on=ends, note=reason)
        else:
            work.points.remove(member, -points, cause=cause, at=now, note=reason)
        told: dict[str, Json] = {"points": points, "reason": reason, "cause": cause}
        work.audit.record("member.adjust", member, told)
        return {"member": member, "available": work.points.balance(member).available}

    body: Json = {"member": member, "points": points, "reason": reason}
    return once(sanhe, ("member.adjust", key), by, body=body, run=run)


def top_up_stored(
    sanhe: Sanhe, member: str, paid_cents: int, *, given_cents: int, key: str, by: By
) -> Json:
    """Store what a member paid to somebody here, and the bonus given with it; both in cents.

    Once for each key, kept in the audit trail. The answer's `top_up` is what a refund names.
    Raises BadInput when nothing was paid or less than nothing given.
    """
    if paid_cents <= 0:
        raise BadInput("nothing was paid", place="paid_cents", remedy="say what was paid")
    top_up = derived_id("loyalty.top_up", by.actor, key)

    def run(work: Work) -> Json:
        now, cause = sanhe.clock.now(), _top_up(top_up)
        work.stored.top_up(member, paid_cents, given_cents=given_cents, cause=cause, at=now)
        return _stored(
            work, "member.top_up", (member, top_up), done=StoredTopUp(paid_cents, given_cents)
        )

    body: Json = {"member": member, "paid_cents": paid_cents, "given_cents": given_cents}
    return once(sanhe, ("member.top_up", key), by, body=body, run=run)


def refund_stored(sanhe: Sanhe, member: str, top_up: UUID, *, key: str, by: By) -> Json:
    """Take a top-up out again, whole, so that what was paid can be paid back.

    Once for each key and once for each top-up. Raises NotFound for a top-up this member never
    had, Conflict for one refunded before, Shortage when too much of it is spent or held.
    """
    step = str(derived_id("loyalty.refund", by.actor, key))

    def run(work: Work) -> Json:
        cause, now = _top_up(top_up), sanhe.clock.now()
        done = work.stored.refund(member, cause=cause, step=step, at=now)
        out = StoredTopUp(-done.paid_cents, -done.given_cents)
        return _stored(work, "member.refund", (member, top_up), done=out)

    body: Json = {"member": member, "top_up": str(top_up)}
    return once(sanhe, ("member.refund", key), by, body=body, run=run)


def _stored(work: Work, action: str, of: tuple[str, UUID], *, done: StoredTopUp) -> Json:
    """The answer to a change of stored value, which is put into the audit trail."""
    member, top_up = of
    told: dict[str, Json] = {
        "top_up": str(top_up),
        "paid_cents": done.paid_cents,
        "given_cents": done.given_cents,
    }
    work.audit.record(action, member, told)
    available = work.stored.balance(member).available_cents
    return {"member": member, **told, "available_cents": available}


def _top_up(top_up: UUID) -> str:
    return f"top-up/{top_up}"


def loyalty_liability(sanhe: Sanhe, *, as_of: date | None = None, by: By) -> Liability:
    """What members may still ask for, of what can be spent on a day: today, unless one is given."""
    with sanhe.work(actor=by.actor) as work:
        return liability(work.ledger, _policy(sanhe), as_of=as_of or _today(sanhe))


def run_loyalty(sanhe: Sanhe) -> LoyaltyRun:
    """Take out the points that are over, look at standings that may change, settle referrals.

    Each few members are a transaction of their own; it may be run at any time and again.
    """
    day = _today(sanhe)
    return LoyaltyRun(
        expired=_all(sanhe, lambda work: work.points.expire(day, limit=AT_ONCE)),
        referred=_all(sanhe, lambda work: work.rewards.settle_referrals(day, limit=AT_ONCE)),
        evaluated=_all(sanhe, lambda work: work.tiers.evaluate(day, limit=AT_ONCE)),
    )


def _all(sanhe: Sanhe, some: Callable[[Work], int]) -> int:
    """How many there were, some at a time until there are none."""
    total, found = 0, 1
    while found:
        with sanhe.work(actor=ACTOR) as work:
            found = some(work)
        total += found
    return total


def _policy(sanhe: Sanhe) -> Policy:
    return Policy.load(sanhe.settings.loyalty)


def _today(sanhe: Sanhe) -> date:
    return business_day(sanhe.clock.now(), time_zone=sanhe.settings.time_zone, cut_off=time())
