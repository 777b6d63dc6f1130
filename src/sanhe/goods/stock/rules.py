"""The stock's rules: what each current fact puts into or takes out of an SKU's stock at a place.

One SKU × place is a row of events in time. Before the first count its stock is unknown and
nothing is posted. A count is a dated snapshot: its entry is the adjustment, the counted quantity
less what lay there according to all earlier entries. Movements of the same instant are contained
in the count. So a movement that arrives late, dated before a count, changes that count's
adjustment and not the stock on hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from sanhe.core.ledger import account_code

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]
Key: TypeAlias = tuple[str, str, str]
"""Source, external id and type of a fact."""

COUNTED = "stock.counted"
MOVED = "stock.moved"
RECEIVED = "purchase.received"
SALE_DAY = "sale.day"
SALE_LINE = "sale.line"
STOCK_TYPES = (COUNTED, MOVED, RECEIVED, SALE_DAY, SALE_LINE)

# +1: the fact's quantity comes in, -1: it goes out. A count is taken as it is.
DIRECTION: Mapping[str, int] = {COUNTED: 1, MOVED: 1, RECEIVED: 1, SALE_DAY: -1, SALE_LINE: -1}

QUOTA = "stock.quota"
"""What the accounts of quotas begin with."""

NEVER = np.iinfo(np.int64).max
"""Stands for "no count yet" where times are microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class StockEvent:
    """One current fact of one SKU × place, named by source, external id and type.

    `quantity` is the counted quantity of a count, else the signed change in base units. `lot`
    tells apart counts of the same instant that add up; without lots the last one counts.
    """

    source: str
    external_id: str
    type: str
    event_at: datetime
    quantity: int
    lot: str = ""

    @property
    def key(self) -> Key:
        """The fact's name, which also settles what the time leaves open."""
        return (self.source, self.external_id, self.type)

    @property
    def is_count(self) -> bool:
        """Whether it is a snapshot."""
        return self.type == COUNTED


@dataclass(frozen=True, slots=True)
class Opening:
    """What holds before the events: `net` in base units, and whether a count has been seen."""

    net: int = 0
    is_known: bool = False


UNKNOWN = Opening()
"""Nothing was counted yet."""


def desired_entries(events: Sequence[StockEvent], opening: Opening = UNKNOWN) -> dict[Key, int]:
    """The entry of each event by its key, in base units.

    The order of `events` does not matter. The sum of the entries and the opening is the net
    stock. This is the definition; `entries_of_arrays` computes the same for many SKU × place.
    """
    entries: dict[Key, int] = {}
    net, is_known = opening.net, opening.is_known
    for moment in sorted({event.event_at for event in events}):
        here = [event for event in events if event.event_at == moment]
        for event in here:
            moves = not event.is_count and is_known
            entries[event.key] = event.quantity if moves else 0
            net += event.quantity if moves else 0
        counts = sorted(
            (event for event in here if event.is_count),
            key=lambda event: event.key,
        )
        if not counts:
            continue
        # Two systems may count at the same instant: one of them is believed, the last by name.
        believed = [event for event in counts if event.source == counts[-1].source]
        counted = sum({event.lot: event.quantity for event in believed}.values())
        entries[counts[-1].key] = counted - net
        net, is_known = counted, True
    return entries


@dataclass(frozen=True, slots=True)
class EventArrays:
    """Events of many SKU × place, each array of length n.

    `pair` numbers the SKU × place from 0; `moment` is microseconds since 1970 UTC; `rank` orders
    the facts by their keys, `source` by source; `lot` numbers the lots (0 = none).
    """

    pair: Ints
    moment: Ints
    is_count: Flags
    quantity: Ints
    rank: Ints
    source: Ints
    lot: Ints


@dataclass(frozen=True, slots=True)
class Entries:
    """The outcome: `amount` [n] per event; per pair `net` and `known_since`.

    `known_since` is the first count in microseconds since 1970, `NEVER` without one.
    """

    amount: Ints
    net: Ints
    known_since: Ints


def entries_of_arrays(events: EventArrays, *, net: Ints, known_since: Ints) -> Entries:
    """`desired_entries` for many SKU × place at once.

    `net` and `known_since` [pairs] hold before the events; `NEVER` = unknown, then net is 0.
    The k-th count of a pair gets x(k) - x(k-1), where x = counted less the sum of movements of
    the pair up to then; x(0) is the net at the opening, or 0 movements when it was unknown.
    """
    order = np.lexsort((events.rank, events.is_count, events.moment, events.pair))
    pair, moment = events.pair[order], events.moment[order]
    is_count, quantity = events.is_count[order], events.quantity[order]
    pairs = len(net)
    carrier, counted = _snapshots(
        pair,
        moment,
        is_count,
        quantity=quantity,
        source=events.source[order],
        lot=events.lot[order],
    )
    first = np.full(pairs, NEVER, dtype=np.int64)
    np.minimum.at(first, pair[carrier], moment[carrier])
    first = np.where(known_since != NEVER, known_since, first)
    opened = known_since[pair] != NEVER
    moves = ~is_count & (opened | (moment > first[pair]))
    effect = np.where(moves, quantity, 0)

    amount = effect.copy()
    total = np.cumsum(effect)
    start = np.searchsorted(pair, np.arange(pairs))
    before = np.concatenate(([0], total))[start]
    moved = total - before[pair]
    x = counted - moved[carrier]
    owner = pair[carrier]
    follows = np.concatenate(([False], owner[1:] == owner[:-1])) if len(owner) else owner > 0
    previous = np.concatenate(([0], x[:-1])) if len(x) else x
    amount[carrier] = x - np.where(follows, previous, net[owner])

    result = np.empty_like(amount)
    result[order] = amount
    sums = np.zeros(pairs, dtype=np.int64)
    np.add.at(sums, pair, amount)
    return Entries(amount=result, net=net + sums, known_since=first)


def _snapshots(
    pair: Ints, moment: Ints, is_count: Flags, *, quantity: Ints, source: Ints, lot: Ints
) -> tuple[Ints, Ints]:
    """Positions of the rows that carry a snapshot's adjustment, and the quantities counted.

    Rows are sorted by pair, moment, movements first, then rank.
    """
    at = np.flatnonzero(is_count)
    if len(at) == 0:
        return at.astype(np.int64), np.zeros(0, dtype=np.int64)
    fresh = np.ones(len(at), dtype=np.bool_)
    fresh[1:] = (pair[at[1:]] != pair[at[:-1]]) | (moment[at[1:]] != moment[at[:-1]])
    group = np.cumsum(fresh) - 1
    ends = np.append(np.flatnonzero(fresh)[1:] - 1, len(at) - 1)
    carrier = at[ends]
    believed = source[at] == source[carrier][group]
    rows = np.flatnonzero(believed)
    by_lot = rows[np.lexsort((rows, lot[at[rows]], group[rows]))]
    is_last = np.ones(len(by_lot), dtype=np.bool_)
    is_last[:-1] = (group[by_lot[1:]] != group[by_lot[:-1]]) | (
        lot[at[by_lot[1:]]] != lot[at[by_lot[:-1]]]
    )
    winners = by_lot[is_last]
    counted = np.zeros(len(carrier), dtype=np.int64)
    np.add.at(counted, group[winners], quantity[at[winners]])
    return carrier, counted


@dataclass(frozen=True, slots=True)
class Promises:
    """What of an SKU × place is not free, in base units.

    `reserved` is held by pending transfers out of the open stock, `committed` is paid for and not
    handed over, `quota` is set aside for channels and `quota_reserved` held within it.
    """

    reserved: int = 0
    committed: int = 0
    quota: int = 0
    quota_reserved: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """How a net stock lies on its accounts: on_hand + committed + quota + discrepancy = net."""

    on_hand: int
    quota: int
    discrepancy: int


def split_net(net: int, promised: Promises) -> Split:
    """What is promised to somebody stays on the books; what is missing for it is a discrepancy.

    A discrepancy (账实差异) below zero is stock that an outside system reported as sold or
    missing although it was not there, or was promised to someone else. What a channel has set
    aside and not sold is its own as long as it is there, and goes before a promise does.
    """
    held = promised.reserved + promised.committed + promised.quota_reserved
    lies = max(net, held, 0)
    quota = promised.quota_reserved + min(promised.quota - promised.quota_reserved, lies - held)
    return Split(lies - promised.committed - quota, quota, net - lies)


def losing(holds: Sequence[tuple[UUID, int]], missing: int) -> tuple[UUID, ...]:
    """Which reservations are left without stock when `missing` base units are not there.

    `holds` are (reservation, amount), the oldest first. Who came last goes without, whole, until
    what is missing is covered; what was paid already is not among them and loses last.
    """
    lost: list[UUID] = []
    for reservation, amount in reversed(holds):
        if missing <= 0:
            break
        lost.append(reservation)
        missing -= amount
    return tuple(lost)


def give_backs(free: Mapping[str, int], amount: int) -> dict[str, int]:
    """How much each quota gives back of what it has `free`, `amount` in all: the fullest first."""
    given: dict[str, int] = {}
    for code in sorted(free, key=lambda code: (-free[code], code)):
        given[code] = min(free[code], amount)
        amount -= given[code]
    return {code: part for code, part in given.items() if part}


def on_hand_account(place: str, sku: str) -> str:
    """The account of what lies at a place and can be sold or reserved; its floor is 0."""
    return account_code("stock.on_hand", place, sku)


def committed_account(place: str, sku: str) -> str:
    """The account of what is sold and not yet handed over (已占用); its floor is 0.

    It still lies at the place. A reservation (预占) is a pending transfer from `on_hand_account`
    or a quota to here; payment posts it.
    """
    return account_code("stock.committed", place, sku)


def quota_account(channel: str, place: str, sku: str) -> str:
    """The account of what is set aside for a channel (渠道配额); its floor is 0.

    The place comes first in the code, as in all of the stock's: who may see a place may see it.
    """
    return account_code(QUOTA, place, sku, channel)


def discrepancy_account(place: str, sku: str) -> str:
    """The account of what outside systems reported below zero; no floor."""
    return account_code("stock.discrepancy", place, sku)


def world_account(sku: str) -> str:
    """The counterparty: where receipts come from and sales go to."""
    return account_code("stock.world", sku)


def unit_of(sku: str) -> str:
    """The ledger's unit of an SKU: its base units."""
    return f"each:{sku}"
