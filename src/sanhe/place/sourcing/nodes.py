"""The places as they are now: what an address or a store can be promised, and who would send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from sanhe.core.errors import NotFound
from sanhe.core.places import Point
from sanhe.goods.stock import Stock
from sanhe.place.sourcing.rules import Node
from sanhe.place.stores import Store, Stores
from sanhe.place.tasks import Tasks

MOST_NEAR: Final = 40
"""So many of the nearest stores are looked at for one address."""
_PICK: Final = "pick"


class Nodes:
    """Reads the stores that may serve an order, their stock and their open pick work.

    What it reads is of this moment and holds nothing: the ledger alone decides who gets what.
    What is asked again about `kept` SKUs is as it was read first.
    """

    def __init__(
        self, stores: Stores, stock: Stock, tasks: Tasks, *, kept: Collection[str] = ()
    ) -> None:
        self._stores, self._stock, self._tasks = stores, stock, tasks
        self._kept, self._read = frozenset(kept), dict[tuple[object, ...], list[Node]]()

    def of_one_moment(self, skus: Collection[str]) -> Nodes:
        """The same, each place read once for all of these SKUs: to ask about many baskets."""
        return Nodes(self._stores, self._stock, self._tasks, kept=skus)

    def near(self, point: Point, skus: Collection[str], *, channel: str) -> list[Node]:
        """The stores of a channel that deliver to an address, nearest first."""

        def read(skus: Collection[str]) -> list[Node]:
            near = self._stores.near(point, channel)[:MOST_NEAR]
            return self.of([one.store for one in near], skus, channel=channel)

        return self._once(("near", point, channel), skus, read)

    def fetchable(
        self, point: Point, skus: Collection[str], *, channel: str, within_metres: float
    ) -> list[Node]:
        """The stores of a channel where a shopper could fetch it, nearest first."""

        def read(skus: Collection[str]) -> list[Node]:
            near = self._stores.near(point, channel, within_metres=within_metres)[:MOST_NEAR]
            return self.of([one.store for one in near], skus, channel=channel)

        return self._once(("fetchable", point, channel, within_metres), skus, read)

    def at(self, place: str, skus: Collection[str], *, channel: str) -> Node:
        """One store. Raises NotFound for a place that takes no orders of the channel."""

        def read(skus: Collection[str]) -> list[Node]:
            store = self._stores.get(place)
            if not store.sells_on(channel):
                raise NotFound(f"{place} takes no orders of {channel}: name another store")
            return self.of([store], skus, channel=channel)

        return self._once(("at", place, channel), skus, read)[0]

    def around(
        self, place: str, skus: Collection[str], *, channel: str, within_metres: float
    ) -> list[Node]:
        """Other stores of a channel where a shopper could fetch it instead, nearest first; none
        where it is not told where the place lies."""
        found = self._stores.of([place])
        point = found[0].place.point if found else None
        if point is None:
            return []
        near = self._stores.near(point, channel, within_metres=within_metres)[:MOST_NEAR]
        others = [one.store for one in near if one.store.place.id != place]
        return self.of(others, skus, channel=channel)

    def _once(
        self,
        question: tuple[object, ...],
        skus: Collection[str],
        read: Callable[[Collection[str]], list[Node]],
    ) -> list[Node]:
        if not skus or not self._kept.issuperset(skus):
            return read(skus)
        if question not in self._read:
            self._read[question] = read(self._kept)
        return self._read[question]

    def of(self, stores: Sequence[Store], skus: Collection[str], *, channel: str) -> list[Node]:
        """These stores as an order of a channel finds them."""
        pairs = {(sku, store.place.id) for store in stores for sku in skus}
        safety = {store.place.id: store.safety_units for store in stores}
        found = self._stock.available(pairs, channel=channel).to_pylist() if pairs else []
        # A part draws from the channel's quota or from the open stock, never from both.
        available = {
            (row["place"], row["sku"]): max(
                row["available"], row["quota"] + safety[row["place"]] if row["quota"] else 0
            )
            for row in found
        }
        picks: Counter[str] = Counter()
        for row in self._tasks.counts().to_pylist() if stores else []:
            if row["kind"] == _PICK:
                picks[row["place"]] += row["open"] + row["taken"]
        return [
            Node(
                store,
                {sku: available.get((store.place.id, sku), 0) for sku in skus},
                open_picks=picks[store.place.id],
            )
            for store in stores
        ]
