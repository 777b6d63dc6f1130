"""The ledger port: double entry for all that must not be lost, doubled or forged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    """A place where an amount lies: `code` is unique, e.g. `stock.on_hand/S001/SKU-7`.

    `unit` is a currency or `each:SKU`; a transfer moves only between accounts of one unit.
    `floor` is the lowest allowed balance less pending (None = unbounded), held by the database.
    """

    code: str
    unit: str
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount` > 0 moves out of account `source` into `target`; the id comes from the client.

    `reason` is a short word of the cause (sale, receipt, count); `reference` names the fact,
    order or decision behind it. `effective_at` is the time it happened.
    """

    id: UUID
    source: str
    target: str
    amount: int
    reason: str
    reference: str
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class Balance:
    """`posted` lies there; `pending_out` of it is reserved; `pending_in` is on its way in."""

    posted: int
    pending_out: int
    pending_in: int

    @property
    def available(self) -> int:
        """What can still be reserved or moved: posted less pending out."""
        return self.posted - self.pending_out


@dataclass(frozen=True, slots=True)
class Seal:
    """A sealed run of entries: `root` chains the previous root with the entries' hashes."""

    number: int
    first_entry: int
    last_entry: int
    root: bytes
    sealed_at: datetime


class Ledger(Protocol):
    """Keeps accounts and immutable entries. Two implementations: Postgres and in memory."""

    def open_accounts(self, accounts: Iterable[Account]) -> None:
        """Open accounts; one that exists alike is left as it is, other terms raise Conflict."""
        ...

    def transfer(self, transfers: Iterable[Transfer]) -> int:
        """Post transfers, all or none; returns how many were new.

        A known id with the same content counts as done before. Raises Conflict for a known id
        with other content, NotFound for an account that is not open, Shortage below a floor.
        """
        ...

    def reserve(self, transfer: Transfer, *, expires_at: datetime | None = None) -> bool:
        """Make a pending transfer: the amount is held at the source. False when known alike."""
        ...

    def post(self, pending: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released).

        Raises NotFound, Conflict when already voided or posted with another amount.
        """
        ...

    def void(self, pending: UUID) -> None:
        """Release a pending transfer. Raises NotFound, Conflict when already posted."""
        ...

    def expire(self, now: datetime) -> int:
        """Void the pending transfers whose time is over; returns how many."""
        ...

    def balances(self, codes: Collection[str]) -> Mapping[str, Balance]:
        """The balances of these accounts; an account that is not open is missing."""
        ...

    def seal(self) -> Seal | None:
        """Seal all entries committed since the last seal; None when there are none."""
        ...

    def verify(self) -> int:
        """Check chain, entries and balances; returns the entries checked.

        Raises Tampered naming the first entry or account that does not match.
        """
        ...
