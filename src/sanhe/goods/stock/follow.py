"""Following facts: from a batch to the entries that change, and from those to the ledger."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from sanhe.core.errors import Conflict
from sanhe.core.ledger import TRANSFER_SCHEMA, Account, Balance, Ledger
from sanhe.core.storage import Transaction
from sanhe.core.values import derived_id
from sanhe.goods.stock import rules, store
from sanhe.goods.stock.rules import NEVER, EventArrays

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING = Balance(0, 0, 0)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One SKU × place concerned; `shifts` = None when it was not kept before."""

    sku: str
    place: str
    shifts: int | None


@dataclass(frozen=True, slots=True)
class _Shift:
    """`amount` > 0 moves between two accounts of the pair."""

    pair: _Pair
    source: str
    target: str
    amount: int


def follow(tx: Transaction, ledger: Ledger, batch: UUID) -> None:
    """Post the differences that a batch makes: after it the ledger equals the current facts.

    Raises Conflict where a day's total and till lines of the same day would both be taken off.
    """
    import pyarrow as pa

    pairs, events = store.open_window(tx, batch)
    if pairs.num_rows == 0:
        return
    known = pairs.column("known_since").fill_null(NEVER)
    entries = rules.entries_of_arrays(
        _arrays(events), net=_ints(pairs, "net"), known_since=np.asarray(known, dtype=np.int64)
    )
    amounts = pa.table({"rank": events.column("rank"), "amount": entries.amount})
    changes = store.save_amounts(tx, amounts)
    if (twice := store.sold_twice(tx)) is not None:
        sku, place, day = twice
        raise Conflict(
            f"{sku} at {place} on {day} is sold twice, by the day's total and by till lines: leave"
            " one of them out of the file, or undo the import that told the other (sanhe imports)"
        )
    concerned = [
        _Pair(row["sku"], row["place"], row["shifts"])
        for row in pairs.select(["sku", "place", "shifts"]).to_pylist()
    ]
    _post(tx, ledger, concerned, changes=changes)


def settle(tx: Transaction, ledger: Ledger, pairs: Collection[tuple[str, str]]) -> None:
    """Move what is free at these (sku, place) against what is missing there."""
    ordered = sorted(pairs)
    wanted = [sku for sku, _ in ordered], [place for _, place in ordered]
    concerned = [_Pair(*row) for row in store.read_shifts(tx, wanted)]
    quotas: dict[tuple[str, str], list[str]] = {}
    for place, sku, channel in store.read_quotas(tx, wanted):
        quotas.setdefault((place, sku), []).append(rules.quota_account(channel, place, sku))
    shifts = _shifts(ledger, concerned, [0] * len(concerned), quotas=quotas)
    ledger.transfer(_shift_transfers(shifts, tx.clock.now()))
    _count_shifts(tx, shifts)


def _count_shifts(tx: Transaction, shifts: list[_Shift]) -> None:
    moved = list(dict.fromkeys(shift.pair for shift in shifts))
    store.count_shifts(tx, [pair.sku for pair in moved], [pair.place for pair in moved])


def _ints(table: pa.Table, name: str) -> rules.Ints:
    return np.asarray(table.column(name), dtype=np.int64)


def _codes(table: pa.Table, name: str) -> rules.Ints:
    """Numbers for the texts of a column, in the order of the texts."""
    return np.unique(np.asarray(table.column(name)).astype(str), return_inverse=True)[1]


def _arrays(events: pa.Table) -> EventArrays:
    return EventArrays(
        pair=_ints(events, "pair"),
        moment=_ints(events, "moment"),
        is_count=np.asarray(events.column("type")) == rules.COUNTED,
        quantity=_signed(events),
        rank=_ints(events, "rank"),
        source=_codes(events, "source"),
        lot=_codes(events, "lot"),
    )


def _signed(events: pa.Table) -> rules.Ints:
    sold = np.isin(np.asarray(events.column("type")), [rules.SALE_DAY, rules.SALE_LINE])
    quantity = _ints(events, "quantity")
    return np.where(sold, -quantity, quantity)


def _post(tx: Transaction, ledger: Ledger, pairs: list[_Pair], *, changes: pa.Table) -> None:
    """Post the differences in one call, as floors hold for the balances after a whole call."""
    import pyarrow as pa

    ledger.open_accounts(_accounts(pairs))
    delta = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(delta, _ints(changes, "pair"), _ints(changes, "delta"))
    shifts = _shifts(ledger, pairs, delta.tolist(), quotas=_quotas(tx, pairs))
    transfers = [_entry_transfers(changes, pairs), _shift_transfers(shifts, tx.clock.now())]
    ledger.transfer(pa.concat_tables(transfers))
    _count_shifts(tx, shifts)


def _accounts(pairs: list[_Pair]) -> list[Account]:
    fresh = [pair for pair in pairs if pair.shifts is None]
    accounts = [
        Account(rules.world_account(sku), rules.unit_of(sku))
        for sku in sorted({pair.sku for pair in fresh})
    ]
    for pair in fresh:
        unit = rules.unit_of(pair.sku)
        accounts.append(Account(rules.on_hand_account(pair.place, pair.sku), unit, floor=0))
        accounts.append(Account(rules.discrepancy_account(pair.place, pair.sku), unit))
    return accounts


def _quotas(tx: Transaction, pairs: list[_Pair]) -> dict[tuple[str, str], list[str]]:
    """The accounts of the quotas of these pairs, by place and SKU."""
    found: dict[tuple[str, str], list[str]] = {}
    if any(pair.shifts is not None for pair in pairs):
        for place, sku, channel in store.read_window_quotas(tx):
            codes = found.setdefault((place, sku), [])
            codes.append(rules.quota_account(channel, place, sku))
    return found


def _shifts(
    ledger: Ledger,
    pairs: list[_Pair],
    delta: list[int],
    *,
    quotas: dict[tuple[str, str], list[str]],
) -> list[_Shift]:
    """What moves between a pair's own accounts, so that what is promised stays on the books.

    The accounts are locked, as what is reserved now would else be gone when the call is made.
    """
    kept = [pair for pair in pairs if pair.shifts is not None]
    codes = [code for pair in kept for code in _own_accounts(pair)]
    codes += [code for pair in kept for code in quotas.get((pair.place, pair.sku), ())]
    balances = ledger.balances(codes, lock=True)
    shifts = []
    for pair, change in zip(pairs, delta, strict=True):
        here, aside, committed = _own_accounts(pair)
        own = {code: balances[code] for code in quotas.get((pair.place, pair.sku), ())}
        on_hand = balances.get(here, NOTHING)
        promised = rules.Promises(
            reserved=on_hand.pending_out,
            committed=balances.get(committed, NOTHING).posted,
            quota=sum(quota.posted for quota in own.values()),
            quota_reserved=sum(quota.pending_out for quota in own.values()),
        )
        after = on_hand.posted + change
        net = after + balances.get(aside, NOTHING).posted + promised.committed + promised.quota
        split = rules.split_net(net, promised)
        free = {code: quota.available for code, quota in own.items()}
        given = rules.give_backs(free, promised.quota - split.quota)
        shifts += [_Shift(pair, code, here, amount) for code, amount in given.items()]
        amount = split.on_hand - after - sum(given.values())
        if amount:
            source, target = (aside, here) if amount > 0 else (here, aside)
            shifts.append(_Shift(pair, source, target, abs(amount)))
    return shifts


def _own_accounts(pair: _Pair) -> tuple[str, str, str]:
    """The accounts of what is on hand, missing and committed."""
    return (
        rules.on_hand_account(pair.place, pair.sku),
        rules.discrepancy_account(pair.place, pair.sku),
        rules.committed_account(pair.place, pair.sku),
    )


def _entry_transfers(changes: pa.Table, pairs: list[_Pair]) -> pa.Table:
    """A transfer for each difference. Its id counts the postings of the fact at this place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    pair = changes.column("pair")
    inward = pc.greater(changes.column("delta"), 0)
    here = pa.array([rules.on_hand_account(p.place, p.sku) for p in pairs], pa.string()).take(pair)
    world = pa.array([rules.world_account(p.sku) for p in pairs], pa.string()).take(pair)
    names = ("place", "sku", "source", "external_id", "type", "postings")
    ids = [
        str(derived_id("stock.entry", *parts, str(postings)))
        for *parts, postings in zip(
            *(changes.column(name).to_pylist() for name in names), strict=True
        )
    ]
    return _transfer_table(
        ids,
        source=pc.if_else(inward, world, here),
        target=pc.if_else(inward, here, world),
        amount=pc.abs(changes.column("delta")),
        reason=changes.column("reason"),
        reference=pc.binary_join_element_wise(
            changes.column("source"), changes.column("external_id"), "/"
        ),
        effective_at=changes.column("event_at"),
    )


def _shift_transfers(shifts: list[_Shift], now: datetime) -> pa.Table:
    """A transfer for each shift between accounts of a pair, numbered per SKU × place."""
    import pyarrow as pa

    ids, reasons, references = [], [], []
    for shift in shifts:
        place, sku = shift.pair.place, shift.pair.sku
        number = str((shift.pair.shifts or 0) + 1)
        is_quota = shift.source.startswith(rules.QUOTA)
        own = (shift.source,) if is_quota else ()
        ids.append(str(derived_id("stock.shift", place, sku, number, *own)))
        reasons.append("quota" if is_quota else "discrepancy")
        references.append(f"{place}/{sku}")
    return _transfer_table(
        ids,
        source=pa.array([shift.source for shift in shifts], pa.string()),
        target=pa.array([shift.target for shift in shifts], pa.string()),
        amount=pa.array([shift.amount for shift in shifts], pa.int64()),
        reason=pa.array(reasons, pa.string()),
        reference=pa.array(references, pa.string()),
        effective_at=pa.array([now] * len(shifts), pa.timestamp("us", "UTC")),
    )


def _transfer_table(ids: list[str], **columns: pa.Array) -> pa.Table:
    import pyarrow as pa

    return pa.table({"id": pa.array(ids, pa.string()), **columns}).cast(TRANSFER_SCHEMA)
