"""The ledger port: double entry for all that must not be lost, doubled or forged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol
from uuid import UUID

if TYPE_CHECKING:
    import pyarrow as pa


NOTHING_KEPT: Final[Mapping[str, int]] = MappingProxyType({})
"""No account keeps more than its floor."""


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
class Hold:
    """A pending transfer that is open: `amount` of account `source` is held until `expires_at`."""

    transfer: UUID
    source: str
    amount: int
    reference: str
    expires_at: datetime


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

    def transfer(self, transfers: Iterable[Transfer] | pa.Table) -> int:
        """Post transfers, all or none; returns how many were new.

        Arrow tables follow `TRANSFER_SCHEMA`. Floors hold for the balances after the whole call,
        so that the order within one call does not matter. A known id with the same content
        counts as done before. Raises Conflict for a known id with other content, NotFound for
        an account that is not open, Shortage below a floor, BadInput for an amount below 1, two
        units or one account on both sides.
        """
        ...

    def reserve(self, transfer: Transfer, *, expires_at: datetime | None = None) -> bool:
        """Make a pending transfer: the amount is held at the source. False when known alike.

        Raises Shortage, NotFound, Conflict and BadInput like `transfer`.
        """
        ...

    def reserve_all(
        self,
        transfers: Sequence[Transfer],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> int:
        """Make pending transfers, all or none; returns how many were new.

        One conditional statement decides for all of them. `keep` is what must stay available at
        an account, where that is more than its floor (a safety stock). Transfers known alike
        count as done before, whatever is left now. Raises Shortage for the first in the order
        given whose source can't bear all that the call takes from it; NotFound, Conflict and
        BadInput like `transfer`.
        """
        ...

    def reserve_each(
        self,
        groups: Sequence[Sequence[Transfer]],
        *,
        expires_at: datetime | None = None,
        keep: Mapping[str, int] = NOTHING_KEPT,
    ) -> list[bool]:
        """Reserve group by group in the order given, each whole or not at all.

        The same as `reserve_all` for one group after the other, False where that raises Shortage;
        all in one go, for the many who want the same at once. Raises NotFound, Conflict and
        BadInput like `transfer`, for the whole call: then nothing is reserved.
        """
        ...

    def post(self, reserved: UUID, *, amount: int | None = None) -> None:
        """Carry out a pending transfer, whole or a part (the rest is released).

        Posting again with the same amount changes nothing. Raises NotFound, Conflict when already
        voided or posted with another amount, BadInput for an amount not within 1 and the
        reserved one.
        """
        ...

    def post_all(self, reserved: Sequence[UUID]) -> int:
        """Carry out pending transfers whole, all or none; returns how many were open.

        One posted before counts as done. Raises NotFound, Conflict like `post`, for the first.
        """
        ...

    def void(self, reserved: UUID) -> None:
        """Release a pending transfer; again changes nothing. Raises NotFound, Conflict when
        already posted."""
        ...

    def void_all(self, reserved: Sequence[UUID]) -> int:
        """Release pending transfers, all or none; returns how many were open.

        One voided before counts as done. Raises NotFound, Conflict like `void`, for the first.
        """
        ...

    def expire(self, now: datetime) -> int:
        """Void the pending transfers whose time is over; returns how many."""
        ...

    def holds(self, codes: Collection[str]) -> list[Hold]:
        """The open pending transfers out of these accounts that end by themselves, the oldest
        first."""
        ...

    def outcomes(self, reserved: Collection[UUID]) -> Mapping[UUID, int]:
        """How much of these pending transfers was carried out, 0 of one that was released; one
        that is still open or not known is missing."""
        ...

    def balances(self, codes: Collection[str], *, lock: bool = False) -> Mapping[str, Balance]:
        """The balances of these accounts; an account that is not open is missing.

        With `lock` nobody else changes them until the transaction ends: for what is decided from
        them. Ask for all such accounts in one call, as locks are taken in order within a call.
        """
        ...

    def accounts(self, prefix: str = "") -> pa.Table:
        """Open accounts whose code begins with `prefix`, by code, in `ACCOUNT_SCHEMA`."""
        ...

    def seal(self) -> Seal | None:
        """Seal all entries committed since the last seal; None when there are none.

        It takes only entries below the oldest running transaction, so that no entry that
        commits late is passed over: run it in a transaction of its own. Returns the last seal.
        """
        ...

    def verify(self) -> int:
        """Check chain, entries and balances; returns the entries checked.

        An entry not sealed yet is checked by the balances alone. Raises Tampered naming the
        first seal, entry, account or hold that does not match.
        """
        ...
