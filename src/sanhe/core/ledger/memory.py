"""The ledger in memory: for tests and simulations; it passes the same conformance suite."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.clock import Clock
from sanhe.core.errors import Conflict, NotFound, Shortage, Tampered
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import Account, Balance, Seal, Transfer
from sanhe.core.ledger.rules import Entry, Kind, SealedBatch
from sanhe.core.ledger.tables import account_table, transfers_of

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY = Balance(0, 0, 0)


class MemoryLedger:
    """A ledger that lives as long as the process; each call is all or nothing."""

    def __init__(self, clock: Clock, *, actor: str = "memory") -> None:
        self._clock, self._actor = clock, actor
        self.open: dict[str, Account] = {}
        self.entries: list[Entry] = []
        self.held: dict[str, Balance] = {}
        self.sealed: list[tuple[SealedBatch, bytes]] = []
        self.leaves: dict[int, bytes] = {}
        self._numbers: dict[str, int] = {}
        self._codes: list[str] = []
        self._first: dict[UUID, Entry] = {}
        self._closing: dict[UUID, Entry] = {}
        self._transaction = 0

    def open_accounts(self, accounts: Iterable[Account]) -> None:
        """Open accounts; one that exists alike is left as it is, other terms raise Conflict."""
        fresh: dict[str, Account] = {}
        for account in accounts:
            rules.check_account(account)
            known = self.open.get(account.code) or fresh.get(account.code)
            if known is not None and known != account:
                raise Conflict(rules.other_terms(known.code, unit=known.unit, floor=known.floor))
            if known is None:
                fresh[account.code] = account
        self._transaction += 1
        for code, account in fresh.items():
            self.open[code], self.held[code] = account, EMPTY
            self._codes.append(code)
            self._numbers[code] = number = len(self._codes)
            now = self._clock.now()
            self._write(
                Entry(
                    number=0,
                    kind=Kind.OPENED,
                    transfer=rules.opening_id(code),
                    source=number,
                    target=number,
                    amount=account.floor,
                    reason=account.unit,
                    reference=code,
                    effective_at=now,
                    expires_at=None,
                    recorded_at=now,
                    actor=self._actor,
                    written_by=0,
                )
            )

    def transfer(self, transfers: Iterable[Transfer] | pa.Table) -> int:
        """Post transfers, all or none; returns how many were new."""
        fresh: dict[UUID, Entry] = {}
        after: dict[str, Balance] = {}
        for transfer in transfers_of(transfers):
            entry = self._entry(transfer, Kind.TRANSFER, expires_at=None)
            if self._known(entry, fresh):
                continue
            fresh[entry.transfer] = entry
            source, target = self._both(transfer, after)
            after[transfer.source] = replace(source, posted=source.posted - transfer.amount)
            after[transfer.target] = replace(target, posted=target.posted + transfer.amount)
        self._check_floors(after)
        self._transaction += 1
        self.held.update(after)
        for entry in fresh.values():
            self._write(entry)
        return len(fresh)

    def reserve(self, transfer: Transfer, *, expires_at: datetime | None = None) -> bool:
        """Make a pending transfer: the amount is held at the source. False when known alike."""
        if expires_at is not None:
            rules.check_moment(expires_at, place=f"transfer {transfer.id}")
        entry = self._entry(transfer, Kind.PENDING, expires_at=expires_at)
        if self._known(entry, {}):
            return False
        source, target = self._both(transfer, {})
        after = {
            transfer.source: replace(source, pending_out=source.pending_out + transfer.amount),
            transfer.target: replace(target, pending_in=target.pending_in + transfer.amount),
        }
        self._check_floors(after)
        self._transaction += 1
        self.held.update(after)
        self._write(entry)
        return True

    def post(self, pending: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released)."""
        held = self._pending(pending)
        moved = rules.posted_amount(held.amount or 0, amount, place=f"transfer {pending}")
        closed = self._closing.get(pending)
        if closed is not None:
            if closed.kind is Kind.POSTED and closed.amount == moved:
                return
            raise Conflict(rules.already(pending, closed.kind, closed.amount or 0))
        self._close(held, Kind.POSTED, moved)

    def void(self, pending: UUID) -> None:
        """Release a pending transfer; again changes nothing."""
        held = self._pending(pending)
        closed = self._closing.get(pending)
        if closed is not None:
            if closed.kind is Kind.VOIDED:
                return
            raise Conflict(rules.already(pending, closed.kind, closed.amount or 0))
        self._close(held, Kind.VOIDED, held.amount or 0)

    def expire(self, now: datetime) -> int:
        """Void the pending transfers whose time is over; returns how many."""
        over = [
            entry
            for entry in self._first.values()
            if entry.expires_at is not None
            and entry.expires_at <= now
            and entry.transfer not in self._closing
        ]
        for entry in over:
            self._close(entry, Kind.VOIDED, entry.amount or 0)
        return len(over)

    def balances(self, codes: Collection[str]) -> Mapping[str, Balance]:
        """The balances of these accounts; an account that is not open is missing."""
        return {code: self.held[code] for code in codes if code in self.held}

    def accounts(self, prefix: str = "") -> pa.Table:
        """Open accounts whose code begins with `prefix`, by code, in `ACCOUNT_SCHEMA`."""
        codes = sorted(code for code in self.open if code.startswith(prefix))
        return account_table([(self.open[code], self.held[code]) for code in codes])

    def seal(self) -> Seal | None:
        """Seal all entries written since the last seal; None when there are none."""
        fresh = [entry for entry in self.entries if entry.number not in self.leaves]
        if not fresh:
            return None
        leaves = [rules.entry_hash(entry) for entry in fresh]
        batch = SealedBatch(
            number=len(self.sealed) + 1,
            first_entry=fresh[0].number,
            last_entry=fresh[-1].number,
            entries=len(fresh),
            below=self._transaction + 1,
            tree=rules.tree_root(leaves),
            sealed_at=self._clock.now(),
            actor=self._actor,
        )
        previous = self.sealed[-1][1] if self.sealed else rules.NO_ROOT
        root = rules.chain_root(previous, batch)
        self.sealed.append((batch, root))
        self.leaves.update(zip((entry.number for entry in fresh), leaves, strict=True))
        return Seal(batch.number, batch.first_entry, batch.last_entry, root, batch.sealed_at)

    def verify(self) -> int:
        """Check chain, entries and balances; returns the entries checked."""
        by_number = {entry.number: entry for entry in self.entries}
        for number, leaf in self.leaves.items():
            entry = by_number.get(number)
            if entry is None or rules.entry_hash(entry) != leaf:
                raise Tampered(f"ledger entry {number} does not match its seal: compare a backup")
        self._check_trees()
        rules.check_chain(self.sealed)
        for entry in self.entries:
            if entry.kind is Kind.OPENED and self.open.get(entry.reference) != Account(
                entry.reference, entry.reason, entry.amount
            ):
                raise Tampered(f"ledger account {entry.reference} has other terms than it opened")
        true = rules.sums(self.entries)
        for code, number in self._numbers.items():
            if self.held[code] != true.get(number, EMPTY):
                raise Tampered(f"ledger account {code} does not match the sum of its entries")
        return len(self.entries)

    def _check_trees(self) -> None:
        numbers = sorted(self.leaves)
        for batch, _ in self.sealed:
            inside = [n for n in numbers if batch.first_entry <= n <= batch.last_entry]
            if rules.tree_root([self.leaves[n] for n in inside]) != batch.tree:
                raise Tampered(f"ledger seal {batch.number} does not match its entries")

    def _entry(self, transfer: Transfer, kind: Kind, *, expires_at: datetime | None) -> Entry:
        rules.check_transfer(transfer)
        for code in (transfer.source, transfer.target):
            if code not in self.open:
                raise NotFound(rules.not_open(code, transfer.id))
        source, target = self.open[transfer.source], self.open[transfer.target]
        rules.check_units(source.code, target.code, units=(source.unit, target.unit))
        return Entry(
            number=0,
            kind=kind,
            transfer=transfer.id,
            source=self._numbers[transfer.source],
            target=self._numbers[transfer.target],
            amount=transfer.amount,
            reason=transfer.reason,
            reference=transfer.reference,
            effective_at=transfer.effective_at,
            expires_at=expires_at,
            recorded_at=self._clock.now(),
            actor=self._actor,
            written_by=0,
        )

    def _known(self, entry: Entry, fresh: Mapping[UUID, Entry]) -> bool:
        known = self._first.get(entry.transfer) or fresh.get(entry.transfer)
        if known is None:
            return False
        alike = replace(
            entry,
            number=known.number,
            recorded_at=known.recorded_at,
            actor=known.actor,
            written_by=known.written_by,
        )
        if alike != known:
            raise Conflict(rules.other_content(entry.transfer))
        return True

    def _both(self, transfer: Transfer, after: Mapping[str, Balance]) -> tuple[Balance, Balance]:
        source = after.get(transfer.source, self.held[transfer.source])
        target = after.get(transfer.target, self.held[transfer.target])
        return source, target

    def _check_floors(self, after: Mapping[str, Balance]) -> None:
        for code, balance in after.items():
            floor = self.open[code].floor
            if floor is not None and balance.available < floor:
                raise Shortage(
                    rules.short(
                        code, self.held[code].available, floor=floor, after=balance.available
                    )
                )

    def _pending(self, pending: UUID) -> Entry:
        entry = self._first.get(pending)
        if entry is None or entry.kind is not Kind.PENDING:
            raise NotFound(rules.not_pending(pending))
        return entry

    def _close(self, pending: Entry, kind: Kind, amount: int) -> None:
        source, target = self._codes[pending.source - 1], self._codes[pending.target - 1]
        released, moved = pending.amount or 0, amount if kind is Kind.POSTED else 0
        out, into = self.held[source], self.held[target]
        self._transaction += 1
        self.held[source] = Balance(out.posted - moved, out.pending_out - released, out.pending_in)
        self.held[target] = Balance(
            into.posted + moved, into.pending_out, into.pending_in - released
        )
        now = self._clock.now()
        self._write(
            replace(
                pending,
                kind=kind,
                amount=amount,
                effective_at=now,
                expires_at=None,
                recorded_at=now,
                actor=self._actor,
            )
        )

    def _write(self, entry: Entry) -> None:
        written = replace(entry, number=len(self.entries) + 1, written_by=self._transaction)
        self.entries.append(written)
        side = self._closing if written.kind in rules.CLOSING else self._first
        side[written.transfer] = written
