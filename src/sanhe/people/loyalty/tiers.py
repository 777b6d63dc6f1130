"""The façade: tiers (等级) of members within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sanhe.core.errors import Conflict, NotFound
from sanhe.core.storage import Transaction
from sanhe.core.values import business_day
from sanhe.people.loyalty import store
from sanhe.people.loyalty.policy import Policy
from sanhe.people.loyalty.standing import (
    Bought,
    Progress,
    Reason,
    Standing,
    joined,
    judge,
    months_after,
    next_look,
    progress,
)

NO_MEMBER: Final = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A step in a member's history of tiers: what it is since a moment, until when, and why."""

    at: datetime
    tier: str
    until: date | None
    reason: Reason


class Tiers:
    """Who is a member, of which tier, and what they bought that counts for it.

    Everything is named by its caller: the same again changes nothing.
    """

    def __init__(
        self,
        tx: Transaction,
        *,
        policy: Policy | None = None,
        time_zone: str = "Asia/Shanghai",
    ) -> None:
        self._tx, self._zone = tx, time_zone
        self._policy = policy or Policy.load()

    def join(self, member: str, *, at: datetime) -> bool:
        """Make somebody a member; False for who is one already."""
        day = self._day(at)
        standing = joined(self._policy.terms, day)
        if not store.join(self._tx, member, standing, at=at):
            return False
        store.add_change(self._tx, member, standing, at=at, reason=Reason.JOINED)
        return True

    def tier(self, member: str, *, at: datetime) -> str:
        """The tier of a member at a moment; empty for who is no member by then."""
        return self.tiers([member], at=at).get(member, NO_MEMBER)

    def tiers(self, members: Collection[str], *, at: datetime) -> Mapping[str, str]:
        """The tiers of these members at a moment; who is none is missing."""
        return store.tiers_at(self._tx, members, at)

    def standing(self, member: str) -> Standing:
        """Where a member stands. Raises NotFound for who is no member."""
        found = store.standing(self._tx, member)
        if found is None:
            raise NotFound(f"{member} is no member: let them join first")
        return found

    def progress(self, member: str, *, on: date) -> Progress:
        """How far a member is on a day. Raises NotFound for who is no member."""
        standing = self.standing(member)
        return progress(self._policy.terms, standing, self._bought(member, standing, on))

    def changes(self, member: str, *, limit: int = 100) -> list[Change]:
        """The history of a member's tiers with the reasons, the last first."""
        return [
            Change(row["at"], row["tier"], row["until"], Reason(row["reason"]))
            for row in store.changes(self._tx, member, limit)
        ]

    def qualify(self, member: str, cents: int, *, cause: str, at: datetime) -> bool:
        """Count what was bought, or with less than 0 what came back, towards the tier.

        Once for a cause: False when it was told before. The next evaluation takes it in. Raises
        Conflict when the cause was told with another amount.
        """
        if store.qualify(self._tx, member, cents, cause=cause, at=at, day=self._day(at)):
            return True
        before = store.qualified(self._tx, member, cause)
        if before != cents:
            raise Conflict(f"{cause} was told before with {before} cents, not {cents}")
        return False

    def evaluate(self, day: date, *, limit: int) -> int:
        """Look at so many members whose standing may change; how many it were. Again until 0."""
        terms, due = self._policy.terms, store.lock_due(self._tx, day, limit)
        for row in due:
            member, standing = row["member"], Standing(row["tier"], row["since"], row["until"])
            verdict = judge(terms, standing, self._bought(member, standing, day), day=day)
            if verdict is not None:
                standing, reason = verdict
                now = self._tx.clock.now()
                store.add_change(self._tx, member, standing, at=now, reason=reason)
            look_on = next_look(terms, standing, day=day)
            store.stand(self._tx, member, standing, look_on=look_on)
        return len(due)

    def _bought(self, member: str, standing: Standing, day: date) -> Bought:
        window_from = months_after(day, -self._policy.terms.window_months)
        return Bought(
            *store.bought(self._tx, member, window_from=window_from, kept_from=standing.since)
        )

    def _day(self, moment: datetime) -> date:
        return business_day(moment, time_zone=self._zone, cut_off=time())
