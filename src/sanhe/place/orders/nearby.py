"""Sourcing by the promise engine: a named store, or the stores around an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sanhe.core.errors import Shortage
from sanhe.core.places import Point
from sanhe.core.values import Json
from sanhe.place import sourcing
from sanhe.place.orders.basket import Basket, Delivery, PricedLine
from sanhe.place.orders.choose import AtPlace, Piece, Plan


@dataclass(frozen=True, slots=True)
class DeliveryFee:
    """What shoppers pay for a courier: `cents`, nothing from goods of `free_from_cents` on."""

    cents: int = 0
    free_from_cents: int | None = None

    def of(self, goods_cents: int) -> int:
        """The fee of a basket."""
        free = self.free_from_cents is not None and goods_cents >= self.free_from_cents
        return 0 if free else self.cents


@dataclass(frozen=True, slots=True)
class Nearby:
    """Chooses by cost, promise, pick capacity and stock; see `place.sourcing`.

    What is carried away comes from where the shopper stands, whatever the store's hours.
    """

    nodes: sourcing.Nodes
    policy: sourcing.Policy = field(default_factory=sourcing.Policy)
    fee: DeliveryFee = field(default_factory=DeliveryFee)

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        """The places that give each line, with when they reach the shopper and why.

        Raises Shortage naming what no place in reach has enough of, NotFound for a store that
        takes no orders of the channel.
        """
        wanted = basket.delivery
        if wanted.method == "carry":
            return AtPlace().choose(basket, lines, now=now)
        needs = needs_of(lines)
        skus = [need.sku for need in needs]
        if wanted.method == "pickup":
            found = [self.nodes.at(wanted.place or "", skus, channel=basket.channel)]
        else:
            found = self.nodes.near(_point(wanted), skus, channel=basket.channel)
        asked = sourcing.Order(
            needs,
            now,
            point=None if wanted.method == "pickup" else _point(wanted),
            due_at=wanted.by,
        )
        chosen = self._whole_bundles(asked, found, lines)
        goods = sum(line.amount_cents for line in lines)
        kept = {node.place: node.store.safety_units for node in found}
        return Plan(
            place=chosen.parts[0].place,
            pieces=tuple(pieces_of(chosen.parts, lines)),
            delivery_cents=self.fee.of(goods) if wanted.method == "courier" else 0,
            ready_at=max(part.ready_at for part in chosen.parts),
            arrives_at=max(part.arrives_at for part in chosen.parts),
            keep={
                (part.place, need.sku): kept[part.place]
                for part in chosen.parts
                for need in part.lines
                if kept[part.place]
            },
            why=told(chosen),
        )

    def _whole_bundles(
        self, asked: sourcing.Order, nodes: Sequence[sourcing.Node], lines: Sequence[PricedLine]
    ) -> sourcing.Sourcing:
        """The best choice; with a bundle in it and several places, the best single place."""
        chosen = sourcing.choose(asked, nodes, self.policy)
        bundled = any(line.components != ((line.sku, 1),) for line in lines)
        if len(chosen.parts) == 1 or not bundled:
            return chosen
        alone = [node for node in nodes if node.holds(asked.needs)]
        if not alone:
            raise Shortage("no single place has all that belongs together: order it in parts")
        singles = (sourcing.choose(asked, [node], self.policy) for node in alone)
        return min(singles, key=lambda one: one.weighed_cents)


def needs_of(lines: Sequence[PricedLine]) -> tuple[sourcing.Need, ...]:
    """What the lines need of each SKU, components of bundles included."""
    units: Counter[str] = Counter()
    for line in lines:
        for sku, quantity in line.needs:
            units[sku] += quantity
    return tuple(sourcing.Need(sku, quantity) for sku, quantity in units.items())


def pieces_of(parts: Sequence[sourcing.Part], lines: Sequence[PricedLine]) -> list[Piece]:
    """Which units of which line each part is: the lines in turn, from the parts in turn.

    A bundle stands in one part alone, so its units follow from its first component.
    """
    left = {part.place: {need.sku: need.quantity for need in part.lines} for part in parts}
    pieces = []
    for line in lines:
        open_units = line.quantity
        for place, stock in left.items():
            fits = min(stock.get(sku, 0) // each for sku, each in line.components)
            units = min(fits, open_units)
            if units:
                pieces.append(Piece(line.line, place, units))
                open_units -= units
                for sku, each in line.components:
                    stock[sku] -= units * each
    return pieces


def told(chosen: sourcing.Sourcing) -> dict[str, Json]:
    """Why these places, as it is kept with the order: terms that add up, and what came next."""
    return {
        "cost_cents": chosen.cost_cents,
        "weighed_cents": chosen.weighed_cents,
        "terms": [{"name": term.name, "cents": term.cents} for term in chosen.why],
        "parts": [
            {"place": part.place, "courier": part.courier, "metres": round(part.metres)}
            for part in chosen.parts
        ],
        "next": [
            {"places": list(other.places), "weighed_cents": other.weighed_cents}
            for other in chosen.alternatives
        ],
    }


def _point(wanted: Delivery) -> Point:
    assert wanted.latitude is not None and wanted.longitude is not None
    return Point(wanted.latitude, wanted.longitude)
