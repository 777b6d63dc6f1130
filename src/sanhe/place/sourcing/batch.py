"""Many orders of one moment at once: they share the stock and the pick capacity of the places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sanhe.core.errors import Shortage
from sanhe.place.sourcing.choose import choose
from sanhe.place.sourcing.policy import Policy
from sanhe.place.sourcing.rules import Node, Order, Sourcing

ROUNDS = 3
"""How often at most every order is taken out and chosen again."""


def choose_all(
    orders: Sequence[Order], nodes: Iterable[Node], policy: Policy
) -> list[Sourcing | None]:
    """The places of many orders, in the orders' order; None = nothing that holds it is left.

    Those with most to lose choose first: with the one place that serves them at its price, or
    whose next best is much dearer. Then each is taken out and chosen again, until none gains. An
    order chosen again stands last in its queue and those behind its old place only come sooner,
    so every time told stays possible. Together they take no unit and no pick twice. The sum of
    weights, with a lost order dearer than any, is never more than one at a time in the given
    order gives.
    """
    places = {node.place: node for node in nodes}
    regrets = [_regret(order, places.values(), policy) for order in orders]
    by_regret = sorted(range(len(orders)), key=lambda n: (-regrets[n], n))
    first = _Batch(orders, dict(places), policy)
    second = _Batch(orders, dict(places), policy)
    first.choose(range(len(orders)))
    second.choose(by_regret)
    for batch in (first, second):
        batch.improve(by_regret)
    return min((first, second), key=lambda batch: batch.weight).found


def _regret(order: Order, nodes: Iterable[Node], policy: Policy) -> float:
    """What an order loses when its first choice is taken by another."""
    try:
        found = choose(order, nodes, policy)
    except Shortage:
        return -1.0
    if not found.alternatives:
        return math.inf
    return float(found.alternatives[0].weighed_cents - found.weighed_cents)


class _Batch:
    """The places as the orders chosen so far leave them."""

    def __init__(self, orders: Sequence[Order], places: dict[str, Node], policy: Policy) -> None:
        self.found: list[Sourcing | None] = [None] * len(orders)
        self._orders, self._places, self._policy = orders, places, policy

    @property
    def weight(self) -> tuple[int, int]:
        """Orders lost, then the sum of what the others weigh."""
        lost = sum(found is None for found in self.found)
        return lost, sum(found.weighed_cents for found in self.found if found is not None)

    def choose(self, sequence: Iterable[int]) -> None:
        """Choose for these orders, one after the other."""
        for number in sequence:
            self._put(number, self._best(number))

    def improve(self, sequence: Sequence[int]) -> None:
        """Take each order out and choose again, until a round brings nothing."""
        for _ in range(ROUNDS):
            gained = False
            for number in sequence:
                before = self._out(number)
                now = self._best(number)
                better = now is not None and (
                    before is None or now.weighed_cents < before.weighed_cents
                )
                self._put(number, now if better else before)
                gained = gained or better
            if not gained:
                return

    def _best(self, number: int) -> Sourcing | None:
        try:
            return choose(self._orders[number], self._places.values(), self._policy)
        except Shortage:
            return None

    def _put(self, number: int, sourcing: Sourcing | None) -> None:
        self.found[number] = sourcing
        for part in () if sourcing is None else sourcing.parts:
            self._places[part.place] = self._places[part.place].less(part)

    def _out(self, number: int) -> Sourcing | None:
        sourcing, self.found[number] = self.found[number], None
        for part in () if sourcing is None else sourcing.parts:
            self._places[part.place] = self._places[part.place].more(part)
        return sourcing
