"""The façade: points (积分) of members within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Final
from uuid import UUID

from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, Conflict, Shortage
from sanhe.core.ledger import Ledger
from sanhe.core.storage import Transaction
from sanhe.core.values import business_day, new_id
from sanhe.people.loyalty.history import Page, page_of
from sanhe.people.loyalty.ports import DEBT, Entries, Kind, Purse
from sanhe.people.loyalty.purse import MemberPurse, Why
from sanhe.people.loyalty.rules import home, take
from sanhe.people.loyalty.store import PostgresEntries

UNIT: Final = "points"
EXPIRY: Final = "expiry"
"""The cause of what happens to points because their last day is over."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Points of one last day: `points` are free to be spent, `held` wait to be."""

    expires_on: date
    points: int
    held: int


@dataclass(frozen=True, slots=True)
class PointsBalance:
    """What a member has: `available` to spend, `held` for orders not closed yet, `debt` owed.

    `lots`: the first to expire first. What is owed is not available though it lies in a lot.
    """

    available: int
    held: int
    debt: int
    lots: tuple[Lot, ...]


class PointsBook:
    """Points on any ledger with any entries; see `Points`, which keeps them in the database."""

    def __init__(
        self,
        ledger: Ledger,
        entries: Entries,
        *,
        clock: Clock,
        time_zone: str = "Asia/Shanghai",
        grace_days: int = 30,
    ) -> None:
        self._ledger, self._entries, self._clock = ledger, entries, clock
        self._zone, self._grace_days = time_zone, grace_days
        self._purse = MemberPurse(ledger, entries, purse=Purse.POINTS, unit=UNIT)

    def earn(
        self,
        member: str,
        points: int,
        *,
        cause: str,
        at: datetime,
        expires_on: date,
        note: str = "",
    ) -> None:
        """Give points that can be spent until the end of a day; what is owed is paid first.

        Once for a cause: the same again changes nothing, also at another moment. 0 gives none.
        Raises BadInput for less than 0 or a last day that is over, Conflict when the cause gave
        another number.
        """
        day = self._ready(member, at)
        if self._purse.known(member, Kind.EARNED, cause, step="", amount=points) or not points:
            return
        if expires_on < day:
            raise BadInput(
                f"points of {day} would end on {expires_on}", place=cause, remedy="give a later day"
            )
        parts = take(points, [(DEBT, self._owed(member)), (expires_on.isoformat(), points)])
        self._entries.open_lots(member, [expires_on])
        self._move(member, Kind.EARNED, parts, why=Why(cause, "", at, note))

    def earned(self, member: str, cause: str) -> int | None:
        """The points that a cause gave, before any were taken back; None: it gave none yet."""
        found = self._purse.of(member, cause, Kind.EARNED)
        return sum(one.amount for one in found) if found else None

    def hold(
        self, member: str, points: int, *, cause: str, at: datetime, until: datetime
    ) -> list[UUID]:
        """Hold points out of the lots that expire first: pending transfers.

        Posting them (`Ledger.post_all`) spends the points, voiding frees them. Once for a cause:
        the same again gives the same ids, also when they are closed by then. Raises Shortage.
        """
        day = self._ready(member, at)
        known = self._purse.known(member, Kind.HELD, cause, step="", amount=points)
        if known or not points:
            return [one.id for one in known]
        lots = self._lots(member, day)
        available = max(sum(lot.points for lot in lots) - self._owed(member), 0)
        if points > available:
            raise Shortage(
                f"member {member} has {available} points to spend, not {points}: ask for fewer"
            )
        parts = take(points, [(lot.expires_on.isoformat(), lot.points) for lot in lots])
        why = Why(cause, "", at)
        held = [self._purse.entry(member, Kind.HELD, part, why=why) for part in parts]
        return self._purse.hold(held, until)

    def give_back(self, member: str, points: int, *, cause: str, step: str, at: datetime) -> None:
        """Points spent for a cause come back to the lots they came from, the last to expire first.

        A lot that is over by then has days of grace: they come back to one that lives so long.
        Once for a step. Raises Conflict for more than was spent and did not come back yet.
        """
        day = self._ready(member, at)
        if self._purse.known(member, Kind.GIVEN_BACK, cause, step=step, amount=points):
            return
        spent = sorted(self._purse.still_spent(member, cause).items(), reverse=True)
        parts = self._purse.coming_back(member, points, cause=cause, lots=spent)
        why = Why(cause, step, at)
        entries = []
        for part in parts:
            to = home(date.fromisoformat(part[0]), day=day, grace_days=self._grace_days)
            entry = self._purse.entry(member, Kind.GIVEN_BACK, part, why=why)
            entries.append(replace(entry, lot=to.isoformat()))
        self._entries.open_lots(member, {date.fromisoformat(one.lot) for one in entries})
        self._purse.move(entries)

    def take_back(self, member: str, points: int, *, cause: str, step: str, at: datetime) -> None:
        """Points earned by a cause are taken back: out of the lot they were earned into, then out
        of others, the first to expire first; what is missing is owed, and later earnings pay it.

        Once for a step. Raises Conflict for more than the cause earned and still counts.
        """
        day = self._ready(member, at)
        if self._purse.known(member, Kind.TAKEN_BACK, cause, step=step, amount=points):
            return
        earned = self._purse.of(member, cause, Kind.EARNED)
        before = sum(one.amount for one in self._purse.of(member, cause, Kind.TAKEN_BACK))
        counts = sum(one.amount for one in earned) - before
        if points > counts:
            raise Conflict(
                f"of member {member} {counts} points count for {cause}: {points} can't be taken"
            )
        own = {one.lot for one in earned}
        lots = [(lot.expires_on.isoformat(), lot.points) for lot in self._lots(member, day)]
        lots.sort(key=lambda lot: lot[0] not in own)
        parts = take(points, [*lots, (DEBT, points)])
        self._move(member, Kind.TAKEN_BACK, parts, why=Why(cause, step, at))

    def remove(self, member: str, points: int, *, cause: str, at: datetime, note: str = "") -> None:
        """Take points away, the first to expire first: a person corrects a balance.

        Once for a cause. Raises Shortage for more than are available.
        """
        day = self._ready(member, at)
        if self._purse.known(member, Kind.REMOVED, cause, step="", amount=points):
            return
        lots = self._lots(member, day)
        available = max(sum(lot.points for lot in lots) - self._owed(member), 0)
        if points > available:
            raise Shortage(f"member {member} has {available} points, not {points}: take fewer")
        parts = take(points, [(lot.expires_on.isoformat(), lot.points) for lot in lots])
        self._move(member, Kind.REMOVED, parts, why=Why(cause, "", at, note))

    def expire(self, day: date, *, limit: int) -> int:
        """Take the points out of lots whose last day lies before a day, of so many members; how
        many members it were. Again until it is 0.

        It does not matter when this runs: points that are over are never available, and a
        member's are taken out before anything else is done with them. What is owed is paid first.
        """
        members = self._entries.over(day, limit=limit)
        for member in members:
            self._purse.lock(member)
            self._sweep(member, day)
        return len(members)

    def balance(self, member: str) -> PointsBalance:
        """What a member has now; nothing for one who never had points."""
        lots = self._all_lots(member)
        today = self._day(self._clock.now())
        live = tuple(lot for lot in lots if lot.expires_on >= today and (lot.points or lot.held))
        debt = self._owed(member)
        over = sum(lot.points for lot in lots if lot.expires_on < today)
        owed = max(debt - over, 0)
        available = max(sum(lot.points for lot in live) - owed, 0)
        return PointsBalance(available, sum(lot.held for lot in lots), owed, live)

    def history(self, member: str, *, limit: int, before: int | None = None) -> Page:
        """What happened to a member's points, the last first; `before` is a page's `next`."""
        return page_of(
            self._entries.page(Purse.POINTS, member, limit=limit + 1, before=before),
            self._ledger,
            limit=limit,
        )

    def _ready(self, member: str, at: datetime) -> date:
        """The day of a moment; the member is locked, and what was over by then is taken out."""
        day = self._day(at)
        self._purse.lock(member)
        self._sweep(member, day)
        return day

    def _sweep(self, member: str, day: date) -> None:
        """Take out what is over by a day; what is owed is paid first."""
        for lot in self._all_lots(member):
            if lot.expires_on >= day:
                break
            if lot.points:
                name = lot.expires_on.isoformat()
                settled = min(lot.points, self._owed(member))
                why = Why(EXPIRY, str(new_id()), self._clock.now())
                self._move(member, Kind.SETTLED, take(settled, [(name, settled)]), why=why)
                left = lot.points - settled
                self._move(member, Kind.EXPIRED, take(left, [(name, left)]), why=why)
            self._entries.swept(member, lot.expires_on, on=day, is_empty=not lot.held)

    def _move(self, member: str, kind: Kind, parts: Sequence[tuple[str, int]], *, why: Why) -> None:
        self._purse.move([self._purse.entry(member, kind, part, why=why) for part in parts])

    def _lots(self, member: str, day: date) -> list[Lot]:
        return [lot for lot in self._all_lots(member) if lot.expires_on >= day]

    def _all_lots(self, member: str) -> list[Lot]:
        days = {day.isoformat(): day for day in self._entries.lots(member)}
        if not days:
            return []
        found = self._purse.balances(member, days)
        return [
            Lot(day, found[name].available, found[name].pending_out) for name, day in days.items()
        ]

    def _owed(self, member: str) -> int:
        return -self._purse.balances(member, [DEBT])[DEBT].posted

    def _day(self, moment: datetime) -> date:
        return business_day(moment, time_zone=self._zone, cut_off=time())


class Points(PointsBook):
    """Points (积分) of members within one transaction.

    A lot is what ends on one day. Everything is named by its caller: the same again changes
    nothing. `grace_days`: how long points live that come back after their lot was over.
    """

    def __init__(
        self,
        tx: Transaction,
        ledger: Ledger,
        *,
        time_zone: str = "Asia/Shanghai",
        grace_days: int = 30,
    ) -> None:
        super().__init__(
            ledger,
            PostgresEntries(tx),
            clock=tx.clock,
            time_zone=time_zone,
            grace_days=grace_days,
        )
