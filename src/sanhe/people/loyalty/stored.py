"""The façade: stored value (储值) of members within one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.ledger import Ledger
from sanhe.core.storage import Transaction
from sanhe.people.loyalty.history import Page, page_of
from sanhe.people.loyalty.ports import Entries, Kind, Purse
from sanhe.people.loyalty.purse import MemberPurse, Why
from sanhe.people.loyalty.rules import take
from sanhe.people.loyalty.store import PostgresEntries

PAID, GIVEN = "paid", "given"
_LOTS: Final = (PAID, GIVEN)


@dataclass(frozen=True, slots=True)
class StoredBalance:
    """What a member can spend, in cents: of what was paid ahead, of the bonus given with it, and
    what is held of both for orders not closed yet."""

    paid_cents: int
    given_cents: int
    held_cents: int

    @property
    def available_cents(self) -> int:
        """All that can be spent."""
        return self.paid_cents + self.given_cents


@dataclass(frozen=True, slots=True)
class StoredTopUp:
    """What one top-up stored, in cents: paid by the member, and the bonus given with it."""

    paid_cents: int
    given_cents: int


class StoredBook:
    """Stored value on any ledger with any entries; see `StoredValue`."""

    def __init__(self, ledger: Ledger, entries: Entries, currency: str) -> None:
        self._ledger, self._entries = ledger, entries
        self._purse = MemberPurse(ledger, entries, purse=Purse.STORED, unit=currency)

    def top_up(
        self, member: str, paid_cents: int, *, given_cents: int, cause: str, at: datetime
    ) -> None:
        """Store what was paid, and the bonus given with it: the two stay apart.

        Once for a cause. Raises BadInput for less than 0, Conflict when the cause was told with
        other amounts.
        """
        if min(paid_cents, given_cents) < 0:
            raise BadInput(f"{paid_cents} paid, {given_cents} given", place=cause)
        self._purse.lock(member)
        both = {PAID: paid_cents, GIVEN: given_cents}
        total = paid_cents + given_cents
        known = self._purse.known(member, Kind.EARNED, cause, step="", amount=total)
        if known:
            if any(one.amount != both[one.lot] for one in known):
                raise Conflict(f"top-up {cause} was told before with another bonus")
            return
        why = Why(cause, "", at)
        parts = [(lot, cents) for lot, cents in both.items() if cents]
        self._purse.move([self._purse.entry(member, Kind.EARNED, part, why=why) for part in parts])

    def refund(self, member: str, *, cause: str, step: str, at: datetime) -> StoredTopUp:
        """Take out what a top-up stored, paid and given, so that its money can be paid back.

        Whole or not at all; once for a step. Raises NotFound for a cause that stored nothing,
        Conflict for one refunded by another step, Shortage when less is left of either part:
        stored value is one sum, whichever top-up it came from.
        """
        self._purse.lock(member)
        stored = self._purse.of(member, cause, Kind.EARNED)
        if not stored:
            raise NotFound(f"member {member} has no top-up {cause}: look it up in the history")
        parts = {one.lot: one.amount for one in stored}
        told = StoredTopUp(parts.get(PAID, 0), parts.get(GIVEN, 0))
        if done := self._purse.of(member, cause, Kind.TAKEN_BACK):
            if any(one.step != step for one in done):
                raise Conflict(f"{cause} of member {member} was refunded before: pay nothing again")
            return told
        found = self._purse.balances(member, _LOTS)
        for lot, cents in parts.items():
            if found[lot].available < cents:
                raise Shortage(
                    f"of member {member} {found[lot].available} cents {lot} are left of {cents}: "
                    "what was spent can't be refunded"
                )
        why = Why(cause, step, at)
        self._purse.move(
            [self._purse.entry(member, Kind.TAKEN_BACK, part, why=why) for part in parts.items()]
        )
        return told

    def hold(
        self, member: str, cents: int, *, cause: str, at: datetime, until: datetime
    ) -> list[UUID]:
        """Hold cents: of what was paid first, then of what was given. Pending transfers.

        Posting them spends the money, voiding frees it. Once for a cause: the same again gives
        the same ids, also when they are closed by then. Raises Shortage.
        """
        self._purse.lock(member)
        known = self._purse.known(member, Kind.HELD, cause, step="", amount=cents)
        if known or not cents:
            return [one.id for one in known]
        found = self._purse.balances(member, _LOTS)
        parts = take(cents, [(lot, found[lot].available) for lot in _LOTS])
        there = sum(found[lot].available for lot in _LOTS)
        if there < cents:
            raise Shortage(f"member {member} has {there} cents stored, not {cents}: ask for less")
        why = Why(cause, "", at)
        held = [self._purse.entry(member, Kind.HELD, part, why=why) for part in parts]
        return self._purse.hold(held, until)

    def give_back(self, member: str, cents: int, *, cause: str, step: str, at: datetime) -> None:
        """Cents spent for a cause come back to where they came from, what was given first.

        Once for a step. Raises Conflict for more than was spent and did not come back yet.
        """
        self._purse.lock(member)
        if self._purse.known(member, Kind.GIVEN_BACK, cause, step=step, amount=cents):
            return
        spent = self._purse.still_spent(member, cause)
        lots = [(lot, spent.get(lot, 0)) for lot in reversed(_LOTS)]
        parts = self._purse.coming_back(member, cents, cause=cause, lots=lots)
        why = Why(cause, step, at)
        self._purse.move(
            [self._purse.entry(member, Kind.GIVEN_BACK, part, why=why) for part in parts]
        )

    def balance(self, member: str) -> StoredBalance:
        """What a member has; nothing for one who never stored any."""
        found = self._purse.balances(member, _LOTS)
        held = sum(found[lot].pending_out for lot in _LOTS)
        return StoredBalance(found[PAID].available, found[GIVEN].available, held)

    def history(self, member: str, *, limit: int, before: int | None = None) -> Page:
        """What happened to a member's stored value, the last first."""
        return page_of(
            self._entries.page(Purse.STORED, member, limit=limit + 1, before=before),
            self._ledger,
            limit=limit,
        )


class StoredValue(StoredBook):
    """Stored value (储值) of members within one transaction, in cents of one currency."""

    def __init__(self, tx: Transaction, ledger: Ledger, currency: str) -> None:
        super().__init__(ledger, PostgresEntries(tx), currency)
