"""The ledger's rules: what an entry is, how entries are hashed, chained and summed.

Pure functions. The database computes the same hash of an entry in SQL (`ledger_entry_hash`); a
test holds the two together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, Tampered
from sanhe.core.ledger.ports import Account, Balance, Transfer
from sanhe.core.values import derived_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NO_ROOT = bytes(32)
"""What the first seal chains to."""


class Kind(StrEnum):
    """What an entry does. Entries never change: closing a pending transfer is another entry."""

    OPENED = "opened"
    TRANSFER = "transfer"
    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"


CLOSING = frozenset({Kind.POSTED, Kind.VOIDED})


@dataclass(frozen=True, slots=True)
class Entry:
    """One immutable row of the ledger; `source` and `target` are account numbers.

    An opening entry carries an account's terms: code in `reference`, unit in `reason`, floor in
    `amount` (None = unbounded); so the chain covers accounts too. `written_by` is the number of
    the transaction that wrote it.
    """

    number: int
    kind: Kind
    transfer: UUID
    source: int
    target: int
    amount: int | None
    reason: str
    reference: str
    effective_at: datetime
    expires_at: datetime | None
    recorded_at: datetime
    actor: str
    written_by: int


def microseconds(moment: datetime) -> int:
    """Whole microseconds since 1970-01-01 UTC, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def canonical(entry: Entry) -> bytes:
    """The bytes an entry is hashed from: fields joined by `|`, free texts with their length.

    No two entries share them: numbers and ids hold no `|`, and each text says how long it is.
    """
    fixed = (
        entry.number,
        entry.kind.value,
        entry.transfer,
        entry.source,
        entry.target,
        "" if entry.amount is None else entry.amount,
        microseconds(entry.effective_at),
        "" if entry.expires_at is None else microseconds(entry.expires_at),
        microseconds(entry.recorded_at),
        entry.written_by,
    )
    texts = (entry.reason, entry.reference, entry.actor)
    fields = [*map(str, fixed), *(f"{len(text)}:{text}" for text in texts)]
    return "|".join(fields).encode()


def entry_hash(entry: Entry) -> bytes:
    """The leaf hash of an entry: SHA-256(0x00 || canonical bytes), RFC 9162 section 2.1.1."""
    return hashlib.sha256(b"\x00" + canonical(entry)).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash of leaf hashes, RFC 9162 section 2.1.1.

    A node is SHA-256(0x01 || left || right). Pairing level by level and passing an odd last
    node on gives the same root as splitting at the largest power of two below n.
    """
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = list(leaves)
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [hashlib.sha256(b"\x01" + left + right).digest() for left, right in pairs] + odd
    return level[0]


@dataclass(frozen=True, slots=True)
class SealedBatch:
    """What a seal's root is computed from, besides the root before it."""

    number: int
    first_entry: int
    last_entry: int
    entries: int
    below: int
    tree: bytes
    sealed_at: datetime
    actor: str


def chain_root(previous: bytes, batch: SealedBatch) -> bytes:
    """The root of a seal: SHA-256(0x02 || previous root || tree root || the seal's own fields)."""
    fields = (
        batch.number,
        batch.first_entry,
        batch.last_entry,
        batch.entries,
        batch.below,
        microseconds(batch.sealed_at),
        f"{len(batch.actor)}:{batch.actor}",
    )
    tail = "|".join(map(str, fields)).encode()
    return hashlib.sha256(b"\x02" + previous + batch.tree + tail).digest()


def check_account(account: Account) -> None:
    """Raise BadInput for an account without code or unit."""
    if not account.code or not account.unit:
        raise BadInput(
            "an account needs a code and a unit",
            place=f"account {account.code!r}",
            remedy="give a code such as stock.on_hand/S001/SKU-7 and a unit such as each:SKU-7",
        )


def check_transfer(transfer: Transfer) -> None:
    """Raise BadInput for an amount below 1, one account on both sides, or a naive time."""
    place = f"transfer {transfer.id}"
    if transfer.amount < 1:
        raise BadInput(
            f"amount {transfer.amount} is below 1",
            place=place,
            remedy="swap source and target to move it back",
        )
    if transfer.amount >= 2**63:
        raise BadInput(f"amount {transfer.amount} is beyond 64 bits", place=place)
    if transfer.source == transfer.target:
        raise BadInput(f"{transfer.source} is source and target", place=place)
    check_moment(transfer.effective_at, place=place)


def check_moment(moment: datetime, *, place: str) -> None:
    """Raise BadInput for a time without a zone."""
    if moment.tzinfo is None:
        raise BadInput(f"{moment} has no time zone", place=place, remedy="give an offset")


def check_reservations(
    transfers: Iterable[Transfer], *, expires_at: datetime | None, keep: Mapping[str, int]
) -> None:
    """Raise BadInput for a transfer or expiry that can't be or to keep less than nothing,
    Conflict for one id with two contents."""
    first: dict[UUID, Transfer] = {}
    for transfer in transfers:
        check_transfer(transfer)
        if first.setdefault(transfer.id, transfer) != transfer:
            raise Conflict(other_content(transfer.id))
        if expires_at is not None:
            check_moment(expires_at, place=f"transfer {transfer.id}")
    for code, amount in keep.items():
        if amount < 0:
            raise BadInput(f"to keep {amount} is below 0", place=f"account {code}")


def check_units(source: str, target: str, *, units: tuple[str, str]) -> None:
    """Raise BadInput when a transfer would turn one unit into another."""
    if units[0] != units[1]:
        raise BadInput(
            f"{source} is in {units[0]}, {target} in {units[1]}",
            place="transfer",
            remedy="convert through an account for each unit",
        )


def least(floor: int | None, keep: int | None) -> int | None:
    """What must stay available at an account: the higher of its floor and what is kept."""
    return max((bound for bound in (floor, keep) if bound is not None), default=None)


def take_each(
    groups: Iterable[Sequence[Transfer]],
    free: Mapping[str, tuple[int, int | None]],
    *,
    known: Collection[UUID],
) -> tuple[list[bool], list[Transfer]]:
    """Which groups fit, in the order given, each whole or not at all; and their new transfers.

    `free` is what an account has available and what must stay of it, by code. Transfers `known`
    from before, or taken by a group before, take nothing more.
    """
    left = {code: available for code, (available, _) in free.items()}
    done: set[UUID] = set()
    granted: list[bool] = []
    taken: list[Transfer] = []
    for group in groups:
        fresh = {t.id: t for t in group if t.id not in done and t.id not in known}
        need: dict[str, int] = {}
        for transfer in fresh.values():
            need[transfer.source] = need.get(transfer.source, 0) + transfer.amount
        granted.append(all(_bears(left[c], n, stays=free[c][1]) for c, n in need.items()))
        if granted[-1]:
            for code, amount in need.items():
                left[code] -= amount
            done |= fresh.keys()
            taken += fresh.values()
    return granted, taken


def _bears(available: int, amount: int, *, stays: int | None) -> bool:
    return stays is None or available - amount >= stays


def posted_amount(reserved: int, asked: int | None, *, place: str) -> int:
    """How much of a reserved amount is posted; raises BadInput outside 1..reserved."""
    amount = reserved if asked is None else asked
    if not 1 <= amount <= reserved:
        raise BadInput(
            f"amount {amount} is not within 1 and the reserved {reserved}",
            place=place,
            remedy="void it, or reserve again",
        )
    return amount


def account_code(kind: str, *names: str) -> str:
    """An account's code, e.g. `stock.on_hand/S001/SKU-7`; a slash in a name is written %2F."""
    plain = (name.replace("%", "%25").replace("/", "%2F") for name in names)
    return "/".join((kind, *plain))


def opening_id(code: str) -> UUID:
    """The transfer id of an account's opening entry."""
    return derived_id("ledger.opened", code)


def sums(entries: Iterable[Entry]) -> Mapping[int, Balance]:
    """Balances by account number, from nothing but the entries."""
    posted: dict[int, int] = {}
    held: dict[UUID, Entry] = {}
    for entry in entries:
        if entry.kind is Kind.OPENED:
            posted.setdefault(entry.source, 0)
            continue
        if entry.kind is Kind.PENDING:
            held[entry.transfer] = entry
        if entry.kind in CLOSING:
            held.pop(entry.transfer, None)
        if entry.kind in {Kind.TRANSFER, Kind.POSTED}:
            amount = entry.amount or 0
            posted[entry.source] = posted.get(entry.source, 0) - amount
            posted[entry.target] = posted.get(entry.target, 0) + amount
    out: dict[int, int] = {}
    into: dict[int, int] = {}
    for entry in held.values():
        out[entry.source] = out.get(entry.source, 0) + (entry.amount or 0)
        into[entry.target] = into.get(entry.target, 0) + (entry.amount or 0)
    numbers = posted.keys() | out.keys() | into.keys()
    return {n: Balance(posted.get(n, 0), out.get(n, 0), into.get(n, 0)) for n in numbers}


def check_chain(batches: Sequence[tuple[SealedBatch, bytes]]) -> None:
    """Raise Tampered naming the first seal whose root does not follow from the one before."""
    previous = NO_ROOT
    for place, (batch, root) in enumerate(batches, start=1):
        if batch.number != place:
            raise Tampered(f"ledger seal {place} is missing: restore it from a backup")
        if chain_root(previous, batch) != root:
            raise Tampered(f"ledger seal {place} does not match its entries: compare a backup")
        previous = root


def already(pending: UUID, kind: Kind, amount: int) -> str:
    """The message for a pending transfer that was closed in another way."""
    return f"transfer {pending} is already {kind.value} with {amount}: make a new transfer"


def other_content(transfer: UUID) -> str:
    """The message for a known id with other content."""
    return f"transfer {transfer} is recorded with other content: use a new id"


def short(code: str, available: int, *, floor: int, after: int) -> str:
    """The message for an account that would fall below its floor, or what is kept of it."""
    return (
        f"account {code} has {available} available and would fall to {after}, "
        f"below the {floor} that must stay: take at most {max(available - floor, 0)}"
    )


def other_terms(code: str, *, unit: str, floor: int | None) -> str:
    """The message for an account that is open with other terms."""
    return f"account {code} is open in {unit} with floor {floor}: use the same terms"


def not_open(code: str, transfer: UUID) -> str:
    """The message for an account that is not open."""
    return f"account {code} is not open: open it before transfer {transfer}"


def not_pending(transfer: UUID) -> str:
    """The message for a closing without a pending transfer."""
    return f"no pending transfer {transfer}: reserve it first"
