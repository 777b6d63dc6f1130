"""The next best place for a piece that its place can't give: or the money back."""

from __future__ import annotations

from collections.abc import Iterator

from sanhe.core.errors import Shortage
from sanhe.core.places import Point
from sanhe.core.storage import Transaction
from sanhe.place import sourcing
from sanhe.place.orders import Nearby, Order, Orders, Piece
from sanhe.place.sourcing import Need, Node


class Elsewhere:
    """Finds who gives a piece instead.

    What a courier brings may come from any store that reaches the address, the cheapest first.
    What is picked up is kept at the nearest store as far as shoppers go; who doesn't want it
    there cancels, and has the money back.
    """

    def __init__(self, tx: Transaction, orders: Orders, nearby: Nearby) -> None:
        self._tx, self._orders = tx, orders
        self._nodes, self._policy = nearby.nodes, nearby.policy

    def find(self, order: Order, piece: Piece, *, why: str) -> str | None:
        """Move a piece of a paid order to the next best place, and name it; None: there is none,
        and it is cancelled with the money back. Holds the order's lock already."""
        for node, skus in self._next(order, piece):
            safety = node.store.safety_units
            keep = {(node.place, sku): safety for sku in skus if safety}
            try:
                self._orders.reroute(order.id, piece, node.place, keep=keep)
            except Shortage:
                continue
            return node.place
        self._orders.cancel(order.id, why, pieces=[piece])
        return None

    def _next(self, order: Order, piece: Piece) -> Iterator[tuple[Node, list[str]]]:
        """The places that have it, best first; those that could not give it before left out."""
        parts = order.parts_at(piece.line, piece.place)
        needs = tuple(Need(part.sku, piece.units * part.each) for part in parts)
        skus = [need.sku for need in needs]
        given_up = {
            part.place for part in order.parts if part.line == piece.line and part.cancelled
        } | {piece.place}
        for node in self._nodes_for(order, piece, needs):
            if node.place not in given_up:
                yield node, skus

    def _nodes_for(self, order: Order, piece: Piece, needs: tuple[Need, ...]) -> list[Node]:
        skus = [need.sku for need in needs]
        if order.method != "courier" or order.latitude is None or order.longitude is None:
            metres = self._policy.pickup_metres
            near = self._nodes.around(
                piece.place, skus, channel=order.channel, within_metres=metres
            )
            return [node for node in near if node.holds(needs)]
        point = Point(order.latitude, order.longitude)
        asked = sourcing.Order(needs, self._tx.clock.now(), point, due_at=order.arrives_at)
        weighed = []
        for node in self._nodes.near(point, skus, channel=order.channel):
            try:
                chosen = sourcing.choose(asked, [node], self._policy)
            except Shortage:  # it has too little, or no courier comes from there
                continue
            weighed.append((chosen.weighed_cents, node.place, node))
        return [node for _, _, node in sorted(weighed, key=lambda one: one[:2])]
