"""Stock by lot: what is left of each expiry, first expired first out (FEFO).

The stock positions say how much lies there. Counts and receipts that name a last day of sale
say of which expiry it came; sales mostly name none, so the lot that expires first goes first, as
long as it may still be sold that day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sanhe.goods.stock.rules import Flags, Ints

UNDATED = np.iinfo(np.int64).max
"""Stands for "no expiry known" where last days of sale are days since 1970: sold last."""


@dataclass(frozen=True, slots=True)
class LotEvents:
    """What came in and went out of P SKU × place, arrays of length n.

    `pair` numbers the SKU × place from 0; `day` and `expires`, the last day of sale, are days
    since 1970, `expires` `UNDATED` where none is known; `quantity` is what came in (> 0) or went
    out (< 0) in base units.
    """

    pair: Ints
    day: Ints
    expires: Ints
    quantity: Ints


@dataclass(frozen=True, slots=True)
class Lots:
    """What is left, arrays of length m: `quantity` > 0 of a `pair` with the same `expires`."""

    pair: Ints
    expires: Ints
    quantity: Ints


def remaining_lots(events: LotEvents, *, net: Ints) -> Lots:
    """What is left of each expiry, [P] SKU × place of which `net` lies there.

    Day by day, what comes in before what goes out, and of that what names an expiry first: it is
    taken from that expiry; then from what may still be sold that day, first expired first; then
    from what may not, as it was sold nevertheless. Where more went out than there was, the next to
    come in makes up for it. The quantities of a pair sum to its net, 0 where that is below.
    """
    column, expires = _columns(events, len(net))
    left = np.zeros(expires.shape, np.int64)
    for at in _rounds(events):
        pair, quantity = events.pair[at], events.quantity[at]
        comes = quantity > 0
        left[pair[comes], column[at][comes]] += quantity[comes]
        goes = at[~comes]
        own = expires[events.pair[goes]]
        fits = (
            (own == events.expires[goes, None]) & (own < UNDATED),
            own >= events.day[goes, None],
            own <= UNDATED,
        )
        left[events.pair[goes]] = _less(left[events.pair[goes]], -events.quantity[goes], fits)
    surplus = left.sum(axis=1) - np.maximum(net, 0)
    left = _less(left, np.maximum(surplus, 0), (expires <= UNDATED,))
    rows, columns = np.nonzero(left)
    return Lots(rows, expires[rows, columns], left[rows, columns])


def _columns(events: LotEvents, pairs: int) -> tuple[Ints, Ints]:
    """The column of each event, its expiry's place among its pair's, and the expiries of the
    columns [pairs, K] in order; what is no expiry of a pair counts as undated there."""
    keys = np.stack([events.pair, events.expires])
    (pair, day), at = np.unique(keys, axis=1, return_inverse=True)
    column = np.arange(pair.size) - np.searchsorted(pair, pair)
    expires = np.full((pairs, int(column.max(initial=0)) + 1), UNDATED)
    expires[pair, column] = day
    return column[at.ravel()], expires


def _rounds(events: LotEvents) -> Iterator[Ints]:
    """The events in rounds: in each round the next one of every pair that has one left."""
    order = np.lexsort((events.expires, events.quantity < 0, events.day, events.pair))
    pair = events.pair[order]
    number = np.arange(order.size) - np.searchsorted(pair, pair)
    by_round = order[np.argsort(number, kind="stable")]
    yield from np.split(by_round, np.cumsum(np.bincount(number))[:-1]) if order.size else ()


def _less(left: Ints, wanted: Ints, fits: Sequence[Flags]) -> Ints:
    """What is left [r, K] when `wanted` [r] is taken: from what fits first, column by column,
    then from what fits next; no more than there is."""
    for fit in fits:
        offered = np.where(fit, left, 0)
        before = np.cumsum(offered, axis=1) - offered
        taken = np.clip(wanted[:, None] - before, 0, offered)
        left, wanted = left - taken, wanted - taken.sum(axis=1)
    return left
