"""What is published, read once for each edition of the book and kept in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from sanhe.core.storage import Transaction
from sanhe.people.promotions import store
from sanhe.people.promotions.book import Book
from sanhe.people.promotions.rules import Promotion, Stacking
from sanhe.people.promotions.written import read

_MOST: Final = 4
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class Edition:
    """The promotions published in an edition of the book, and the book of the last moment asked.

    An edition's number is random and never used again, so that what is kept of it is right in
    every transaction that reads this number, also beside one that publishes.
    """

    def __init__(self, promotions: Iterable[Promotion]) -> None:
        self.promotions: Mapping[str, Promotion] = {one.id: one for one in promotions}
        self._moments = sorted(
            {_FIRST, _LAST}
            | {
                moment
                for one in self.promotions.values()
                for moment in (one.begins_at, one.ends_at)
            }
        )
        self._last: tuple[datetime, datetime, Book] | None = None

    def book(self, at: datetime, stacking: Stacking) -> Book:
        """Those that hold at a moment; the same book until one of them begins or ends."""
        last = self._last
        if last is not None and last[0] <= at < last[1] and last[2].stacking == stacking:
            return last[2]
        since = max(moment for moment in self._moments if moment <= at)
        until = min(moment for moment in self._moments if moment > at)
        holding = [one for one in self.promotions.values() if one.begins_at <= at < one.ends_at]
        self._last = (since, until, Book(holding, stacking))
        return self._last[2]


_kept: dict[UUID, Edition] = {}
_keeping = threading.Lock()


def current(tx: Transaction) -> Edition:
    """The edition that this transaction sees: one small query, and the rest only when it is new."""
    known = _kept.get(store.edition(tx))
    if known is not None:
        return known
    number, terms = store.published(tx)
    made = Edition(read(Promotion, one) for one in terms)
    with _keeping:
        while len(_kept) >= _MOST:
            del _kept[next(iter(_kept))]
        _kept[number] = made
    return made
