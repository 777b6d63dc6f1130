"""The ledger in memory: for tests and simulations; it passes the same conformance suite."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

from sanhe.core.clock import Clock
from sanhe.core.errors import Conflict, NotFound, Shortage, Tampered
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import NOTHING_KEPT, Account, Balance, Hold, Seal, Transfer
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
        return bool(self.reserve_all([transfer], expires_at=expires_at))

    def reserve_all(
        self,
        transfers: Sequence[Transfer],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> int:
        """Make pending transfers, all or none; returns how many were new."""
        entries = self._reservations(transfers, expires_at=expires_at, keep=keep)
        free = self._free(transfers, keep)
        _, taken = rules.take_each([[t] for t in transfers], free, known=self._first.keys())
        fresh = {t.id: t for t in transfers if t.id not in self._first}
        if len(taken) < len(fresh):
            self._refuse(list(fresh.values()), free)
        self._transaction += 1
        self._hold(taken, entries)
        return len(taken)

    def reserve_each(
        self,
        groups: Sequence[Sequence[Transfer]],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> list[bool]:
        """Reserve group by group in the order given, each whole or not at all."""
        flat = [transfer for group in groups for transfer in group]
        entries = self._reservations(flat, expires_at=expires_at, keep=keep)
        free = self._free(flat, keep)
        granted, taken = rules.take_each(groups, free, known=self._first.keys())
        self._transaction += 1
        self._hold(taken, entries)
        return granted

    def _reservations(
        self,
        transfers: Sequence[Transfer],
        *,
        expires_at: datetime | None,
        keep: Mapping[str, int],
    ) -> Mapping[UUID, Entry]:
        """The entries of these transfers; raises where one can't be or is known otherwise."""
        rules.check_reservations(transfers, expires_at=expires_at, keep=keep)
        entries = {t.id: self._entry(t, Kind.PENDING, expires_at=expires_at) for t in transfers}
        for entry in entries.values():
            self._known(entry, {})
        return entries

    def _free(
        self, transfers: Sequence[Transfer], keep: Mapping[str, int]
    ) -> Mapping[str, tuple[int, int | None]]:
        """What the sources have available, and what must stay of it."""
        return {
            code: (self.held[code].available, rules.least(self.open[code].floor, keep.get(code)))
            for code in {transfer.source for transfer in transfers}
        }

    def _refuse(
        self, fresh: Sequence[Transfer], free: Mapping[str, tuple[int, int | None]]
    ) -> NoReturn:
        """Raise Shortage for the first of these whose source can't bear all of them."""
        for transfer in fresh:
            available, stays = free[transfer.source]
            after = available - sum(t.amount for t in fresh if t.source == transfer.source)
            if stays is not None and after < stays:
                raise Shortage(rules.short(transfer.source, available, floor=stays, after=after))
        raise AssertionError("all of them fit")

    def _hold(self, transfers: Sequence[Transfer], entries: Mapping[UUID, Entry]) -> None:
        for transfer in transfers:
            source, target = self.held[transfer.source], self.held[transfer.target]
            out, coming = source.pending_out, target.pending_in
            self.held[transfer.source] = replace(source, pending_out=out + transfer.amount)
            self.held[transfer.target] = replace(target, pending_in=coming + transfer.amount)
            self._write(entries[transfer.id])

    def post(self, reserved: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released)."""
        held = self._pending(reserved)
        moved = rules.posted_amount(held.amount or 0, amount, place=f"transfer {reserved}")
        if not self._closed_alike(held, Kind.POSTED, moved):
            self._close(held, Kind.POSTED, moved)

    def post_all(self, reserved: Sequence[UUID]) -> int:
        """Carry out pending transfers whole, all or none; returns how many were open."""
        return self._close_all(reserved, Kind.POSTED)

    def void(self, reserved: UUID) -> None:
        """Release a pending transfer; again changes nothing."""
        self.void_all([reserved])

    def void_all(self, reserved: Sequence[UUID]) -> int:
        """Release pending transfers, all or none; returns how many were open."""
        return self._close_all(reserved, Kind.VOIDED)

    def _close_all(self, reserved: Sequence[UUID], kind: Kind) -> int:
        held = [self._pending(one) for one in dict.fromkeys(reserved)]
        still = [one for one in held if not self._closed_alike(one, kind, one.amount or 0)]
        for one in still:
            self._close(one, kind, one.amount or 0)
        return len(still)

    def _closed_alike(self, pending: Entry, kind: Kind, amount: int) -> bool:
        """Whether it is closed so already; raises Conflict when it is closed in another way."""
        closed = self._closing.get(pending.transfer)
        if closed is None:
            return False
        found = closed.amount or 0
        if (closed.kind, found) != (kind, amount):
            raise Conflict(rules.already(pending.transfer, closed.kind, found))
        return True

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

    def holds(self, codes: Collection[str]) -> list[Hold]:
        """The open pending transfers out of these accounts that end by themselves."""
        numbers = {self._numbers[code]: code for code in codes if code in self._numbers}
        return [
            Hold(e.transfer, numbers[e.source], e.amount or 0, e.reference, e.expires_at)
            for e in self._first.values()
            if e.source in numbers and e.expires_at is not None
            if e.transfer not in self._closing
        ]

    def outcomes(self, reserved: Collection[UUID]) -> Mapping[UUID, int]:
        """How much of these pending transfers was carried out, 0 of one that was released."""
        closed = {one: self._closing[one] for one in reserved if one in self._closing}
        return {
            one: (entry.amount or 0) if entry.kind is Kind.POSTED else 0
            for one, entry in closed.items()
        }

    def balances(self, codes: Collection[str], *, lock: bool = False) -> Mapping[str, Balance]:
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
