"""A member's purse: amounts in lots, held, spent and given back, on the ledger.

Accounts of member M: `points/M/LOT` is what a lot holds, never below 0; `points.issued/M` minus
what was issued; `points.spent/M`, `points.expired/M`; `points.debt/M` minus what is owed. Each
member has all of them, so that two members never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict
from sanhe.core.ledger import Account, Balance, Ledger, Transfer, account_code
from sanhe.core.values import derived_id
from sanhe.people.loyalty.ports import DEBT, Entries, Entry, Kind, Purse
from sanhe.people.loyalty.rules import take

NOTHING: Final = Balance(0, 0, 0)
_ISSUED, _SPENT, _EXPIRED, _OWED = "issued", "spent", "expired", "debt"
_BESIDE: Final = {Purse.POINTS: (_ISSUED, _SPENT, _EXPIRED, _OWED), Purse.STORED: (_ISSUED, _SPENT)}
_OTHER_SIDE: Final = {
    Kind.EARNED: _ISSUED,
    Kind.TAKEN_BACK: _ISSUED,
    Kind.REMOVED: _ISSUED,
    Kind.HELD: _SPENT,
    Kind.GIVEN_BACK: _SPENT,
    Kind.EXPIRED: _EXPIRED,
    Kind.SETTLED: _OWED,
}
"""Where it comes from or goes to. What is earned or given back goes into the lot, all else out."""
INTO: Final = frozenset({Kind.EARNED, Kind.GIVEN_BACK})


@dataclass(frozen=True, slots=True)
class Why:
    """Why and when something happens: the caller's names, and a person's reason."""

    cause: str
    step: str
    at: datetime
    note: str = ""


class MemberPurse:
    """The lots of one kind that members have; each change is written with its entry.

    Call `lock` before what is decided from a member's lots and entries.
    """

    def __init__(self, ledger: Ledger, entries: Entries, *, purse: Purse, unit: str) -> None:
        self._ledger, self._entries, self._purse, self._unit = ledger, entries, purse, unit

    def account(self, member: str, lot: str) -> str:
        """The account of a lot; `DEBT` has one of its own."""
        if lot == DEBT:
            return self._beside(member, _OWED)
        return account_code(self._purse.value, member, lot)

    def lock(self, member: str) -> None:
        """Let nobody else change this member's lots until the transaction ends, but close holds."""
        if not member:
            raise BadInput("no member is named", place="member", remedy="give the member's code")
        mutex = [self._beside(member, _ISSUED)]
        if not self._ledger.balances(mutex, lock=True):
            kinds = _BESIDE[self._purse]
            codes = [self._beside(member, kind) for kind in kinds]
            self._ledger.open_accounts([Account(code, self._unit) for code in codes])
            self._ledger.balances(mutex, lock=True)

    def balances(self, member: str, lots: Collection[str]) -> Mapping[str, Balance]:
        """What these lots hold; nothing where there is none."""
        codes = {lot: self.account(member, lot) for lot in lots}
        found = self._ledger.balances(list(codes.values()))
        return {lot: found.get(code, NOTHING) for lot, code in codes.items()}

    def known(self, member: str, kind: Kind, cause: str, *, step: str, amount: int) -> list[Entry]:
        """What was done before under this name; empty when it is new.

        Raises BadInput for an amount below 0, Conflict when it was done with another amount.
        """
        if amount < 0:
            raise BadInput(f"{amount} is below 0", place=f"{cause} of member {member}")
        if not cause:
            raise BadInput("no cause is named", place=f"member {member}")
        found = [one for one in self.of(member, cause, kind) if one.step == step]
        before = sum(one.amount for one in found)
        if found and before != amount:
            raise Conflict(
                f"{kind} for {cause} {step} was told before with {before}, not {amount}: use "
                "another name for something else"
            )
        return found

    def of(self, member: str, cause: str, kind: Kind) -> list[Entry]:
        """What of a kind happened to a member for a cause."""
        found = self._entries.of_cause(self._purse, member, cause)
        return [one for one in found if one.kind is kind]

    def entry(self, member: str, kind: Kind, part: tuple[str, int], *, why: Why) -> Entry:
        """The entry of a part (lot, amount), named by member, kind, cause, step and lot."""
        lot, amount = part
        return Entry(
            id=derived_id(f"loyalty.{self._purse}", member, kind, why.cause, why.step, lot),
            purse=self._purse,
            member=member,
            kind=kind,
            cause=why.cause,
            step=why.step,
            lot=lot,
            origin=lot,
            amount=amount,
            at=why.at,
            note=why.note,
        )

    def move(self, entries: Sequence[Entry]) -> None:
        """Carry out entries and keep them. Raises Shortage where a lot holds less."""
        if entries:
            self._open([one for one in entries if one.kind in INTO])
            self._ledger.transfer([self._transfer(one) for one in entries])
            self._entries.add(entries)

    def hold(self, entries: Sequence[Entry], until: datetime) -> list[UUID]:
        """Hold entries until they are posted or voided; their ids. Raises Shortage."""
        self._ledger.reserve_all([self._transfer(one) for one in entries], expires_at=until)
        self._entries.add(entries)
        return [one.id for one in entries]

    def still_spent(self, member: str, cause: str) -> dict[str, int]:
        """What was spent for a cause out of each lot and did not come back yet."""
        held = self.of(member, cause, Kind.HELD)
        done = self._ledger.outcomes([one.id for one in held])
        left: dict[str, int] = {}
        for one in held:
            left[one.lot] = left.get(one.lot, 0) + done.get(one.id, 0)
        for one in self.of(member, cause, Kind.GIVEN_BACK):
            left[one.origin] -= one.amount
        return left

    def coming_back(
        self, member: str, amount: int, *, cause: str, lots: Sequence[tuple[str, int]]
    ) -> list[tuple[str, int]]:
        """The parts of an amount that come back to lots in this order. Raises Conflict for more
        than was spent for the cause and did not come back yet."""
        parts = take(amount, lots)
        if sum(part for _, part in parts) < amount:
            spent = sum(left for _, left in lots)
            raise Conflict(
                f"of member {member} {spent} are spent for {cause}: {amount} can't come back"
            )
        return parts

    def _open(self, entries: Sequence[Entry]) -> None:
        codes = {self.account(one.member, one.lot) for one in entries if one.lot != DEBT}
        missing = codes - self._ledger.balances(codes).keys()
        self._ledger.open_accounts(Account(code, self._unit, floor=0) for code in sorted(missing))

    def _transfer(self, entry: Entry) -> Transfer:
        lot = self.account(entry.member, entry.lot)
        other = self._beside(entry.member, _OTHER_SIDE[entry.kind])
        source, target = (other, lot) if entry.kind in INTO else (lot, other)
        return Transfer(
            entry.id,
            source,
            target,
            amount=entry.amount,
            reason=f"{self._purse}.{entry.kind}",
            reference=entry.cause,
            effective_at=entry.at,
        )

    def _beside(self, member: str, kind: str) -> str:
        return account_code(f"{self._purse}.{kind}", member)
