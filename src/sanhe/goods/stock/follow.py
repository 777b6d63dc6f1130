"""Following facts: from a batch to the entries that change, and from those to the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np

from sanhe.core.ledger import Account, Balance, Ledger, Transfer
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


def follow(tx: Transaction, ledger: Ledger, batch: UUID) -> None:
    """Post the differences that a batch makes: after it the ledger equals the current facts."""
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
    concerned = [
        _Pair(row["sku"], row["place"], row["shifts"])
        for row in pairs.select(["sku", "place", "shifts"]).to_pylist()
    ]
    _post(tx, ledger, concerned, changes=changes)


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
    """Post the differences, inflows first, so that no account dips below its floor on the way."""
    ledger.open_accounts(_accounts(pairs))
    delta = np.zeros(len(pairs), dtype=np.int64)
    np.add.at(delta, _ints(changes, "pair"), _ints(changes, "delta"))
    latest: dict[int, datetime] = {}
    inflows: list[Transfer] = []
    outflows: list[Transfer] = []
    for row in changes.to_pylist():
        transfer = _entry_transfer(row)
        (inflows if row["delta"] > 0 else outflows).append(transfer)
        latest[row["pair"]] = transfer.effective_at
    codes = [rules.on_hand_account(pair.place, pair.sku) for pair in pairs]
    codes += [rules.discrepancy_account(pair.place, pair.sku) for pair in pairs]
    balances = ledger.balances(codes)
    shifted: list[_Pair] = []
    for index, pair in enumerate(pairs):
        on_hand = balances.get(codes[index], NOTHING)
        aside = balances.get(codes[index + len(pairs)], NOTHING)
        after = on_hand.posted + int(delta[index])
        wanted = rules.split_net(after + aside.posted, on_hand.pending_out).on_hand
        if wanted == after:
            continue
        shifted.append(pair)
        transfer = _shift_transfer(pair, wanted - after, latest.get(index) or tx.clock.now())
        (inflows if wanted > after else outflows).append(transfer)
    ledger.transfer([*inflows, *outflows])
    store.count_shifts(tx, [pair.sku for pair in shifted], [pair.place for pair in shifted])


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


def _entry_transfer(row: dict[str, object]) -> Transfer:
    """The transfer of one difference. Its id counts the postings of the fact at this place."""
    sku, place = str(row["sku"]), str(row["place"])
    source, external_id, type_ = str(row["source"]), str(row["external_id"]), str(row["type"])
    delta, moment = row["delta"], row["event_at"]
    assert isinstance(delta, int) and isinstance(moment, datetime)
    world, here = rules.world_account(sku), rules.on_hand_account(place, sku)
    return Transfer(
        id=derived_id("stock.entry", place, sku, source, external_id, type_, str(row["postings"])),
        source=world if delta > 0 else here,
        target=here if delta > 0 else world,
        amount=abs(delta),
        reason=str(row["reason"]),
        reference=f"{source}/{external_id}",
        effective_at=moment,
    )


def _shift_transfer(pair: _Pair, amount: int, moment: datetime) -> Transfer:
    here = rules.on_hand_account(pair.place, pair.sku)
    aside = rules.discrepancy_account(pair.place, pair.sku)
    number = (pair.shifts or 0) + 1
    return Transfer(
        id=derived_id("stock.shift", pair.place, pair.sku, str(number)),
        source=aside if amount > 0 else here,
        target=here if amount > 0 else aside,
        amount=abs(amount),
        reason="discrepancy",
        reference=f"{pair.place}/{pair.sku}",
        effective_at=moment,
    )
