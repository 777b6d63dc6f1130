"""The flows of orders: each command once, by whoever may act there; sales told as facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.core.values import Json, business_day
from sanhe.place.orders import (
    Basket,
    Order,
    Piece,
    Placed,
    Placing,
    Plan,
    PricedLine,
    Quote,
    Sold,
    Sourcing,
)
from sanhe.wiring.jobs import queue_seal

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

SOURCE: Final = "sanhe.orders"
"""The source of the sales that orders tell."""
TOLD_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class By:
    """Who acts, and for which places.

    A command on an order writes what no scope covers, the ledger: it runs for everything, after
    it is checked here that the order lies in the scope.
    """

    actor: str
    scope: Scope = EVERYTHING

    def may_act(self, places: Sequence[str]) -> bool:
        """Whether one of these places is among those of the scope."""
        allowed = self.scope.places
        return self.scope.suppliers is None and (
            allowed is None or not allowed.isdisjoint(places)
        )

    def check(self, order: Order) -> Order:
        """The order; raises NotFound for one at other places, as if there were none."""
        if not self.may_act([order.place, *(part.place for part in order.parts)]):
            raise NotFound(f"no order {order.id}: look it up by its number")
        return order


@dataclass(frozen=True, slots=True)
class _Within:
    """Sourcing that names no place outside of who acts."""

    sourcing: Sourcing
    by: By

    def choose(self, basket: Basket, lines: Sequence[PricedLine], *, now: datetime) -> Plan:
        """As the sourcing chooses; raises BadInput for a place that is not theirs."""
        plan = self.sourcing.choose(basket, lines, now=now)
        strange = [piece.place for piece in plan.pieces if not self.by.may_act([piece.place])]
        if strange:
            raise BadInput(
                f"{strange[0]} is none of your places",
                place="delivery/place",
                remedy="name one of your own, or ask an administrator",
            )
        return plan


def _once(
    work: Work,
    name: str,
    key: str,
    *,
    body: Mapping[str, Json],
    run: Callable[[], Mapping[str, Json]],
) -> Mapping[str, Json]:
    answer = work.commands.once(name, key, body, run)
    assert isinstance(answer, Mapping)
    return answer


def _pieces(pieces: Sequence[Piece] | None) -> list[Json] | None:
    return None if pieces is None else [asdict(piece) for piece in pieces]


def quote_basket(sanhe: Sanhe, basket: Basket, *, by: By) -> Quote:
    """What a basket costs and promises now; nothing is held."""
    with sanhe.work(actor=by.actor) as work:
        return work.orders.quote(basket, _Within(work.sourcing, by))


def place_order(sanhe: Sanhe, asked: Placing, *, key: str, by: By) -> Mapping[str, Json]:
    """Place an order, once for each key: what was placed, as JSON.

    Raises what `Orders.place` does; Conflict for a key that was used for another basket.
    """
    with sanhe.work(actor=by.actor) as work:
        return _once(
            work,
            "order.place",
            key,
            body=asdict(asked),
            run=lambda: told_placed(work.orders.place(asked, _Within(work.sourcing, by))),
        )


def cancel_order(
    sanhe: Sanhe, order: UUID, reason: str, *, pieces: Sequence[Piece] | None, key: str, by: By
) -> Mapping[str, Json]:
    """Cancel an order, or pieces of it, once for each key: `refund` is its id, if any."""

    def run(work: Work) -> Mapping[str, Json]:
        by.check(work.orders.get(order))
        refund = work.orders.cancel(order, reason, pieces=pieces)
        return {"refund": None if refund is None else str(refund)}

    body = {"order": str(order), "reason": reason, "pieces": _pieces(pieces)}
    with sanhe.work(actor=by.actor) as work:
        return _once(work, "order.cancel", key, body=body, run=lambda: run(work))


def hand_over(
    sanhe: Sanhe, order: UUID, *, pieces: Sequence[Piece] | None, key: str, by: By
) -> Mapping[str, Json]:
    """Say that goods left for the shopper, once for each key: the order's state then."""

    def run(work: Work) -> Mapping[str, Json]:
        by.check(work.orders.get(order))
        return {"state": work.orders.hand_over(order, pieces).value}

    body = {"order": str(order), "pieces": _pieces(pieces)}
    with sanhe.work(actor=by.actor) as work:
        return _once(work, "order.hand_over", key, body=body, run=lambda: run(work))


def expire_orders(sanhe: Sanhe) -> int:
    """Let go of all unpaid orders whose time is over; how many."""
    expired = 0
    while True:
        with sanhe.work(actor=SOURCE) as work:
            found = len(work.orders.expire())
        expired += found
        if not found:
            return expired


def tell_sales(sanhe: Sanhe, *, limit: int = TOLD_AT_ONCE) -> int:
    """Tell what left the places as facts of sale, and let the stock follow; how many parts.

    What was committed goes back to on hand and the fact takes it out, in one transaction: books
    and facts agree, and no checkout waits for it.
    """
    with sanhe.work(actor=SOURCE) as work:
        sold = work.orders.untold(limit=limit)
        if not sold:
            return 0
        work.orders.told(sold)
        batch = work.facts.open_batch(source=SOURCE, name="orders")
        work.facts.append(batch, sale_facts(work, sold))
        work.follow(batch)
        queue_seal(work)
    return len(sold)


def sale_facts(work: Work, sold: Sequence[Sold]) -> list[Fact]:
    """What was sold as facts, on the business day of its place."""
    calendars = work.places.calendars({one.place for one in sold})
    facts = []
    for one in sold:
        zone, cut_off = calendars[one.place]
        facts.append(
            Fact(
                type="sale.line",
                source=SOURCE,
                external_id=one.id,
                event_at=one.at,
                day=business_day(one.at, time_zone=zone, cut_off=cut_off),
                sku=one.sku,
                place=one.place,
                quantity=one.quantity,
                amount_cents=one.amount_cents,
                currency=one.currency,
                payload={"receipt": one.receipt, "line": one.line},
            )
        )
    return facts


def told_placed(placed: Placed) -> dict[str, Json]:
    """What was placed, as JSON."""
    moments = {name: getattr(placed, name) for name in ("expires_at", "ready_at", "arrives_at")}
    return {
        "id": str(placed.id),
        "number": placed.number,
        "state": placed.state.value,
        "total_cents": placed.total_cents,
        **{name: None if at is None else at.isoformat() for name, at in moments.items()},
    }
