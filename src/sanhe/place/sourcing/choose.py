"""One order at a time: what may be promised, and which places send it."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sanhe.core.errors import Shortage
from sanhe.place.sourcing.policy import Policy
from sanhe.place.sourcing.rules import (
    PAID,
    Alternative,
    Method,
    Need,
    Node,
    Order,
    Part,
    Promise,
    Reach,
    Sourcing,
    Term,
    fetched,
    reaches,
    window_ends,
)

ALTERNATIVES: Final = 3
"""How many other choices a sourcing tells of."""

SCARCE: Final = "scarce stock"
"""The term of what units taken here would have earned here."""

Taken = Mapping[str, int]


def choose(order: Order, nodes: Iterable[Node], policy: Policy) -> Sourcing:
    """The places of an order with the least sum of terms (see `Policy`).

    Every place alone and every two together are weighed, so that an order is split only where
    that pays or nothing else is left; where two don't hold it, places are added by cost per unit.
    A `whole` order has one place, and nobody comes later than its `by`. Without an address the
    shopper fetches it at one place. Raises Shortage naming what no place in reach holds enough of.
    """
    nodes = list(nodes)
    found = _weighed(order, _cheapest(order, nodes, policy), policy)
    if found is None:
        raise Shortage(_missing(order, nodes))
    return found


def promises(order: Order, nodes: Iterable[Node], policy: Policy) -> list[Promise]:
    """What may be promised now: each window that can be kept, then pick-up at each place.

    A window (two hours, today, 24 or 48 hours) is promised when the places that come in time hold
    the order; the cheapest of them are named. `SHIP` has the earliest time by which all can be
    there. Pick-ups come by their time. Nothing is promised that stock, hours, queue or couriers
    don't allow; more of any of them takes no window away and makes no time later.
    """
    nodes, asked = list(nodes), replace(order, due_at=None, by=None)
    ends = dict(window_ends(order.at, policy, time_zone=order.time_zone))
    by_node = [(node, list(reaches(asked, node, policy))) for node in nodes]
    found = []
    for method in Method:
        if method is Method.PICK_UP:
            continue
        due = _earliest(order, by_node) if method is Method.SHIP else ends.get(method)
        if due is None:
            continue
        timely = [[one for one in ways if one.arrives_at <= due] for _, ways in by_node]
        best = [min(ways, key=_by_cost) for ways in timely if ways]
        sourcing = _weighed(order, best, policy)
        if sourcing is not None:
            found.append(_promise(method, sourcing, due))
    fetchable = [fetched(asked, node, policy) for node in nodes if node.holds(order.needs)]
    by_time = sorted(filter(None, fetchable), key=lambda way: (way.arrives_at, way.metres))
    for way in by_time:
        sourcing = _whole(order, way, policy)
        found.append(_promise(Method.PICK_UP, sourcing, way.arrives_at))
    return found


def nearest_first(order: Order, nodes: Iterable[Node], policy: Policy) -> Sourcing:
    """The baseline: the nearest place that holds the order, by its cheapest courier.

    Where none does, the nearest places in turn, each with all it has. Raises Shortage.
    """
    nodes = list(nodes)
    near = sorted(_cheapest(order, nodes, policy), key=lambda way: (way.metres, way.node.place))
    for way in near:
        if way.node.holds(order.needs):
            return _whole(order, way, policy)
    chosen = _in_turn(order, near)
    if chosen is None:
        raise Shortage(_missing(order, nodes))
    return _sourcing(chosen, _margins(order), policy)


def scarcity(node: Node, need: Need, policy: Policy) -> list[float]:
    """What each further unit taken of a SKU costs here, in cents: rising from unit to unit.

    The j-th unit leaves S - j of S available; it is missed when D ≥ S - j + 1 are asked for. With
    D Poisson of the expected demand m: scarcity × margin × P(D > S - j).
    """
    from scipy.special import pdtrc

    most = min(node.sellable(need.sku), need.quantity)
    worth, mean = policy.scarcity * need.margin_cents, node.expected.get(need.sku, 0.0)
    if most == 0 or worth == 0 or mean == 0:
        return [0.0] * most
    have = node.available[need.sku]
    return [worth * float(pdtrc(have - unit, mean)) for unit in range(1, most + 1)]


def _by_cost(way: Reach) -> tuple[int, datetime, str]:
    return way.cents, way.arrives_at, "" if way.courier is None else way.courier.name


def _cheapest(order: Order, nodes: Iterable[Node], policy: Policy) -> list[Reach]:
    """The cheapest way of each place that can bring a part; those that hold nothing left out."""
    found = []
    for node in nodes:
        if not any(node.sellable(need.sku) for need in order.needs):
            continue
        if order.point is None:
            way = fetched(order, node, policy)
        else:
            way = min(reaches(order, node, policy), key=_by_cost, default=None)
        if way is not None:
            found.append(way)
    return found


def _earliest(order: Order, by_node: Sequence[tuple[Node, list[Reach]]]) -> datetime | None:
    """The first time by which the places in reach can bring everything; None = never."""
    left = {need.sku: need.quantity for need in order.needs}
    first = [(min(way.arrives_at for way in ways), node) for node, ways in by_node if ways]
    if order.whole:
        alone = [arrives for arrives, node in first if node.holds(order.needs)]
        return min(alone, default=None)
    for arrives, node in sorted(first, key=lambda pair: pair[0]):
        left = {sku: count - node.sellable(sku) for sku, count in left.items()}
        if all(count <= 0 for count in left.values()):
            return arrives
    return None


def _weighed(order: Order, ways: Sequence[Reach], policy: Policy) -> Sourcing | None:
    """The best choice among one way for each place, with the next best; None = not enough."""
    needs, margins = order.needs, _margins(order)
    choices: list[tuple[int, tuple[str, ...], Sequence[tuple[Reach, Taken]]]] = []

    def weigh(chosen: Sequence[tuple[Reach, Taken]]) -> int:
        cents = sum(
            way.cents + _scarce_cents(way.node, _lines(taken, margins), policy)
            for way, taken in chosen
        )
        choices.append((cents, tuple(way.node.place for way, _ in chosen), chosen))
        return cents

    for way in ways:
        if way.node.holds(needs):
            weigh([(way, {need.sku: need.quantity for need in needs})])
    if order.point is not None and not order.whole:
        _pairs(order, sorted(ways, key=_by_cost), policy, weigh=weigh)
        if not choices:
            chosen = _in_turn(order, _by_unit(order, ways))
            if chosen is not None:
                weigh(chosen)
    if not choices:
        return None
    best, *others = heapq.nsmallest(1 + ALTERNATIVES, choices, key=lambda choice: choice[:2])
    told = tuple(
        Alternative(places, cents, max(way.arrives_at for way, _ in chosen))
        for cents, places, chosen in others
    )
    return replace(_sourcing(best[2], margins, policy), alternatives=told)


def _pairs(
    order: Order,
    ways: Sequence[Reach],
    policy: Policy,
    *,
    weigh: Callable[[Sequence[tuple[Reach, Taken]]], int],
) -> None:
    """Weigh every two places that hold it together and may be the best; ways come cheapest first.

    Two cost at least what their ways do, so dearer ones than the best yet are left out.
    """
    needs = order.needs
    whole = [way for way in ways if way.node.holds(needs)]
    # One that holds it all alone gains by a second place only where that spares scarce stock.
    spared = {id(way): sum(sum(scarcity(way.node, n, policy)) for n in needs) for way in whole}
    best = min((way.cents + spared[id(way)] for way in whole), default=math.inf)
    for index, one in enumerate(ways):
        for other in ways[index + 1 :]:
            if one.cents + other.cents > best:
                break
            if id(one) in spared and spared[id(one)] <= other.cents:
                continue
            if id(other) in spared and spared[id(other)] <= one.cents:
                continue
            taken = _shared(needs, one.node, other.node, policy=policy)
            if taken is not None and all(any(part.values()) for part in taken):
                best = min(best, weigh([(one, taken[0]), (other, taken[1])]))


def _shared(
    needs: Sequence[Need], one: Node, other: Node, *, policy: Policy
) -> tuple[dict[str, int], dict[str, int]] | None:
    """How two places share the lines so that the least scarce units are taken; None = can't."""
    mine: dict[str, int] = {}
    theirs: dict[str, int] = {}
    for need in needs:
        if one.sellable(need.sku) + other.sellable(need.sku) < need.quantity:
            return None
        first = [(cost, 0) for cost in scarcity(one, need, policy)]
        second = [(cost, 1) for cost in scarcity(other, need, policy)]
        # Each list rises, so the cheapest units are a beginning of both.
        units = sorted([*first, *second])[: need.quantity]
        mine[need.sku] = sum(1 for _, where in units if where == 0)
        theirs[need.sku] = need.quantity - mine[need.sku]
    return mine, theirs


def _by_unit(order: Order, ways: Sequence[Reach]) -> list[Reach]:
    """The ways by what they cost for each unit they can bring."""

    def cents_per_unit(way: Reach) -> float:
        units = sum(min(way.node.sellable(need.sku), need.quantity) for need in order.needs)
        return way.cents / max(units, 1)

    return sorted(ways, key=lambda way: (cents_per_unit(way), way.node.place))


def _in_turn(order: Order, ways: Iterable[Reach]) -> list[tuple[Reach, Taken]] | None:
    """Each place in turn sends all it has of what is still missing; None = not enough."""
    left = {need.sku: need.quantity for need in order.needs}
    chosen: list[tuple[Reach, Taken]] = []
    for way in ways:
        taken = {sku: min(count, way.node.sellable(sku)) for sku, count in left.items()}
        if any(taken.values()):
            chosen.append((way, taken))
            left = {sku: count - taken[sku] for sku, count in left.items()}
    return None if any(left.values()) else chosen


def _margins(order: Order) -> dict[str, int]:
    return {need.sku: need.margin_cents for need in order.needs}


def _whole(order: Order, way: Reach, policy: Policy) -> Sourcing:
    taken = {need.sku: need.quantity for need in order.needs}
    return _sourcing([(way, taken)], _margins(order), policy)


def _lines(taken: Taken, margins: Mapping[str, int]) -> tuple[Need, ...]:
    return tuple(Need(sku, count, margins[sku]) for sku, count in sorted(taken.items()) if count)


def _scarce_cents(node: Node, lines: Iterable[Need], policy: Policy) -> int:
    return round(sum(sum(scarcity(node, line, policy)) for line in lines))


def _sourcing(
    chosen: Sequence[tuple[Reach, Taken]], margins: Mapping[str, int], policy: Policy
) -> Sourcing:
    """The sourcing of these ways with what each brings; its terms are summed by name."""
    summed: dict[str, int] = {}
    parts = []
    for way, taken in chosen:
        lines = _lines(taken, margins)
        for term in (*way.terms, Term(SCARCE, _scarce_cents(way.node, lines, policy))):
            summed[term.name] = summed.get(term.name, 0) + term.cents
        courier = None if way.courier is None else way.courier.name
        cost = sum(term.cents for term in way.terms if term.name in PAID)
        parts.append(
            Part(way.node.place, lines, courier, way.metres, way.ready_at, way.arrives_at, cost)
        )
    why = tuple(Term(name, cents) for name, cents in summed.items() if cents)
    return Sourcing(
        parts=tuple(parts),
        cost_cents=sum(term.cents for term in why if term.name in PAID),
        weighed_cents=sum(term.cents for term in why),
        why=why,
    )


def _promise(method: Method, sourcing: Sourcing, due: datetime) -> Promise:
    return Promise(
        method=method,
        places=sourcing.places,
        ready_at=sourcing.ready_at,
        arrives_at=sourcing.arrives_at,
        due_at=due,
        cost_cents=sourcing.cost_cents,
    )


def _missing(order: Order, nodes: Sequence[Node]) -> str:
    """What no place in reach holds enough of, in words."""
    for need in order.needs:
        have = sum(node.sellable(need.sku) for node in nodes)
        if have < need.quantity:
            return f"{need.sku}: {need.quantity} wanted, {have} can be promised"
    if order.whole and len(nodes) > 1 and not any(node.holds(order.needs) for node in nodes):
        return "no single place has all that belongs together: order it in parts"
    where = "" if order.point is None else " to this address"
    when = "" if order.by is None else f" by {order.by.isoformat(timespec='minutes')}"
    return f"no place that holds the order comes{where}{when}"
