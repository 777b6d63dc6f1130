"""What may be promised to shoppers of each basket: the quotes that orders are held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from sanhe.core.errors import BadInput, NotFound, SanheError, Shortage
from sanhe.core.places import Place, Point
from sanhe.place.orders import (
    Basket,
    PricedLine,
    Promise,
    Quote,
    brought,
    fetched,
    needs_of,
)
from sanhe.place.sourcing import window_ends
from sanhe.wiring.acting import By
from sanhe.wiring.ordering import Within

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

MOST_PROMISED: Final = 50
"""So many baskets have their promises told at once."""
MOST_PICK_UPS: Final = 5
"""So many stores near an address are asked."""
_REFUSALS: Final = (BadInput, NotFound, Shortage)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a shopper wants it: brought or fetched near the address `to`, fetched at `place`.

    With both it is brought to the one or fetched at the other. `pick_ups`: so many stores near
    the address are told at most, the nearest that have it.
    """

    to: Point | None = None
    place: str | None = None
    pick_ups: int = 1

    def __post_init__(self) -> None:
        if self.to is None and self.place is None:
            raise BadInput(
                "neither an address nor a store is given", place="place", remedy="give one or both"
            )
        if not 0 <= self.pick_ups <= MOST_PICK_UPS:
            raise BadInput(
                f"{self.pick_ups} stores are asked for",
                place="pick_ups",
                remedy=f"give 0 to {MOST_PICK_UPS}",
            )


@dataclass(frozen=True, slots=True)
class Promised:
    """The ways to have a basket; `refused` says why there is none."""

    promises: tuple[Promise, ...]
    refused: SanheError | None = None


@dataclass(frozen=True, slots=True)
class Promises:
    """What is promised of each basket, in their order, and the places that it names."""

    baskets: tuple[Promised, ...]
    places: Mapping[str, Place]


def promise_baskets(sanhe: Sanhe, baskets: Sequence[Basket], where: Where, *, by: By) -> Promises:
    """In which ways each basket could be had alone, if it were ordered now; nothing is held.

    Their own delivery says nothing here. All see the stores of one moment. Raises BadInput for
    more than `MOST_PROMISED`.
    """
    if len(baskets) > MOST_PROMISED:
        raise BadInput(
            f"{len(baskets)} baskets are more than {MOST_PROMISED}",
            place="baskets",
            remedy="ask several times",
        )
    with sanhe.work(actor=by.actor) as work:
        asking = _Asking(sanhe, work, baskets, where=where, by=by)
        told = tuple(asking.promised(basket) for basket in baskets)
        named = {one for found in told for promise in found.promises for one in promise.places}
        return Promises(told, work.places.of(named))


class _Asking:
    """One call's view of the stores."""

    def __init__(
        self, sanhe: Sanhe, work: Work, baskets: Sequence[Basket], *, where: Where, by: By
    ) -> None:
        skus = {line.sku for basket in baskets for line in basket.lines}
        self._work, self._where, self._by = work, where, by
        self._nearby = work.sourcing.of_one_moment(skus)
        self._within = Within(self._nearby, by)
        zone = sanhe.settings.time_zone
        self._windows = window_ends(sanhe.clock.now(), self._nearby.policy, time_zone=zone)

    def promised(self, basket: Basket) -> Promised:
        """The ways to have one of the baskets."""
        found: list[Promise] = []
        refused: list[SanheError] = []
        if self._where.to is not None:
            try:
                found += brought(basket, self._where.to, self._windows, quote=self._quote)
            except _REFUSALS as error:
                refused.append(error)
        lines = found[0].quote.lines if found else None
        most = 1 if self._where.place else self._where.pick_ups
        found += islice(self._fetches(basket, self._stores(basket, lines), refused), most)
        return Promised(tuple(found), None if found else refused[0])

    def _quote(self, basket: Basket) -> Quote:
        return self._work.orders.quote(basket, self._within)

    def _fetches(
        self, basket: Basket, stores: Sequence[str], refused: list[SanheError]
    ) -> Iterator[Promise]:
        """The stores at which it can be fetched; why it can't at the others is noted."""
        for store in stores:
            try:
                yield fetched(basket, store, quote=self._quote)
            except _REFUSALS as error:
                refused.append(error)

    def _stores(self, basket: Basket, lines: Sequence[PricedLine] | None) -> list[str]:
        """Where to ask: at the named store, or the nearest that have the lines, where known."""
        if self._where.place is not None:
            return [self._where.place]
        if self._where.to is None or not self._where.pick_ups:
            return []
        needs = () if lines is None else needs_of(lines)
        near = self._nearby.nodes.fetchable(
            self._where.to,
            [need.sku for need in needs] or [line.sku for line in basket.lines],
            channel=basket.channel,
            within_metres=self._nearby.policy.pickup_metres,
        )
        held = [node.place for node in near if node.holds(needs)]
        return [place for place in held if self._by.may_act([place])][:MOST_PICK_UPS]
