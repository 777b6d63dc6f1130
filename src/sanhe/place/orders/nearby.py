"""Sourcing by the promise engine: a named store, or the stores around an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sanhe.core.places import Point
from sanhe.core.values import Json
from sanhe.place import sourcing
from sanhe.place.orders.basket import Basket, Delivery, PricedLine
from sanhe.place.orders.choose import AtPlace, Piece, Plan


@dataclass(frozen=True, slots=True)
class Nearby:
    """Chooses by cost, promise, pick capacity and stock; see `place.sourcing`.

    Nothing comes later than the basket's `by`, and bundles come from one place with the rest of
    it. What is carried away comes from where the shopper stands, whatever the store's hours.
    """

    nodes: sourcing.Nodes
    policy: sourcing.Policy = field(default_factory=sourcing.Policy)

    def of_one_moment(self, skus: Collection[str]) -> Nearby:
        """The same, with the stores read once for baskets of these SKUs."""
        return replace(self, nodes=self.nodes.of_one_moment(skus))

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        """The places that give each line, with when they reach the shopper and why.

        Raises Shortage naming what no place in reach has enough of in time, NotFound for a store
        that takes no orders of the channel.
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
            by=wanted.by,
            whole=any(line.components != ((line.sku, 1),) for line in lines),
        )
        chosen = sourcing.choose(asked, found, self.policy)
        goods = sum(line.amount_cents for line in lines)
        kept = {node.place: node.store.safety_units for node in found}
        return Plan(
            place=chosen.parts[0].place,
            pieces=tuple(pieces_of(chosen.parts, lines)),
            delivery_cents=self.policy.fee.of(goods) if wanted.method == "courier" else 0,
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
