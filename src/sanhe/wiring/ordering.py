"""The flows of orders: each command once, by whoever may act there; sales told as facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.commands import Answer, Call
from sanhe.core.errors import BadInput, SanheError, TooMany
from sanhe.core.values import Json
from sanhe.place.orders import (
    MOST_LINES,
    SOURCE,
    Basket,
    Piece,
    Placed,
    Placing,
    Plan,
    PricedLine,
    Quote,
    Sourcing,
    sale_facts,
)
from sanhe.wiring.acting import By, once
from sanhe.wiring.jobs import queue_seal

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

TOLD_AT_ONCE: Final = 1_000
PLACE: Final = "order.place"
"""The name of the command that places an order."""


@dataclass(frozen=True, slots=True)
class Within:
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


def _pieces(pieces: Sequence[Piece] | None) -> list[Json] | None:
    return None if pieces is None else [asdict(piece) for piece in pieces]


def quote_basket(sanhe: Sanhe, basket: Basket, *, at: datetime | None = None, by: By) -> Quote:
    """What a basket costs and promises now, or by the prices and promotions of another moment;
    nothing is held."""
    with sanhe.work(actor=by.actor) as work:
        return work.orders.quote(basket, Within(work.sourcing, by), at=at)


def place_order(sanhe: Sanhe, asked: Placing, *, key: str, by: By) -> Json:
    """Place an order, once for each key: what was placed.

    Raises what `Orders.place` does; Conflict for a key that was used for another basket.
    """
    with sanhe.work(actor=by.actor) as work:
        answer = work.commands.once(
            PLACE,
            key,
            body=_asked(asked, work.persons.mark),
            run=lambda: told_placed(work.orders.place(asked, Within(work.sourcing, by))),
        )
    return answer.result()


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order as somebody asked for it, under their idempotency key."""

    asked: Placing
    key: str
    by: By

    def call(self, mark: Callable[[str], str]) -> Call:
        """The command that it is; who it goes to stands in it as a mark alone."""
        return Call(self.by.actor, PLACE, self.key, _asked(self.asked, mark))


def queue_order(sanhe: Sanhe, asked: Placing, *, key: str, by: By) -> Future[Answer] | None:
    """`place_order` through the lane while many want one of the SKUs; None while they don't.

    Nobody has to wait for the answer, which is that of `place_order`. A courier's basket goes the
    ordinary way, as each address has places of its own to be chosen. Raises TooMany.
    """
    skus = {line.sku for line in asked.basket.lines[:MOST_LINES]}
    rushed = [sku for sku in skus if sanhe.rush.wanted(sku)]
    if sanhe.lane is None or not rushed or asked.basket.delivery.method == "courier":
        return None
    return sanhe.lane.submit(Ordered(asked, key, by))


def place_orders(sanhe: Sanhe, ordered: Sequence[Ordered]) -> list[Answer]:
    """`place_order` for many: first come first served, one transaction for each who asks."""
    if len(ordered) == 1:
        return [_alone(sanhe, ordered[0])]
    groups: dict[By, list[int]] = {}
    for at, one in enumerate(ordered):
        groups.setdefault(one.by, []).append(at)
    answers: dict[int, Answer] = {}
    for by, group in groups.items():
        try:
            told = _placed_each(sanhe, [ordered[at] for at in group], by)
        except TooMany as error:  # of theirs nothing was done; what others asked for stands
            told = [Answer(refusal=error)] * len(group)
        answers.update(zip(group, told, strict=True))
    return [answers[at] for at in range(len(ordered))]


def _alone(sanhe: Sanhe, one: Ordered) -> Answer:
    try:
        return Answer(place_order(sanhe, one.asked, key=one.key, by=one.by))
    except SanheError as error:
        return Answer(refusal=error)


def _placed_each(sanhe: Sanhe, ordered: Sequence[Ordered], by: By) -> list[Answer]:
    asked: dict[str, Placing] = {}
    for one in ordered:
        asked.setdefault(one.key, one.asked)
    with sanhe.work(actor=by.actor) as work:

        def run(calls: Sequence[Call]) -> list[Answer]:
            fresh = [asked[call.key] for call in calls]
            outcomes = work.orders.place_each(fresh, Within(work.sourcing, by))
            return [
                Answer(told_placed(one)) if isinstance(one, Placed) else Answer(refusal=one)
                for one in outcomes
            ]

        return work.commands.once_each([one.call(work.persons.mark) for one in ordered], run)


def cancel_order(
    sanhe: Sanhe, order: UUID, *, reason: str, pieces: Sequence[Piece] | None, key: str, by: By
) -> Json:
    """Cancel an order, or pieces of it, once for each key: `refund` is its id, if any."""

    def run(work: Work) -> Json:
        by.check(work.orders.get(order))
        refund = work.orders.cancel(order, reason, pieces=pieces)
        work.fulfil.follow(order)
        return {"refund": None if refund is None else str(refund)}

    body: Json = {"order": str(order), "reason": reason, "pieces": _pieces(pieces)}
    return once(sanhe, ("order.cancel", key), by, body=body, run=run)


def hand_over(
    sanhe: Sanhe, order: UUID, *, pieces: Sequence[Piece] | None, key: str, by: By
) -> Json:
    """Say that goods left for the shopper, once for each key: the order's state then."""

    def run(work: Work) -> Json:
        by.check(work.orders.get(order))
        state = work.orders.hand_over(order, pieces)
        work.fulfil.follow(order, handed=True)
        return {"state": state.value}

    body: Json = {"order": str(order), "pieces": _pieces(pieces)}
    return once(sanhe, ("order.hand_over", key), by, body=body, run=run)


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
        batch = work.facts.open_batch(source=SOURCE, name="orders", kind="sync")
        calendars = work.places.calendars({one.place for one in sold})
        work.facts.append(batch, sale_facts(sold, calendars))
        work.orders.told(sold)
        work.follow(batch)
        queue_seal(work)
    return len(sold)


def told_placed(placed: Placed) -> dict[str, Json]:
    """What was placed, as JSON."""
    return {
        "id": str(placed.id),
        "number": placed.number,
        "state": placed.state.value,
        "total_cents": placed.total_cents,
        "due_cents": placed.due_cents,
        "expires_at": placed.expires_at.isoformat(),
        "ready_at": _iso(placed.ready_at),
        "arrives_at": _iso(placed.arrives_at),
    }


def _asked(asked: Placing, mark: Callable[[str], str]) -> dict[str, Json]:
    """What was asked, as JSON; of who it goes to only what tells them from another."""
    basket = asdict(asked.basket)
    basket["lines"] = list(basket["lines"])
    basket["coupons"] = list(basket["coupons"])
    # What is not used is left out: a key that was used before there were coupons stays the same.
    for name in ("coupons", "points", "stored_cents", "substitutes"):
        if not basket[name]:
            del basket[name]
    basket["delivery"]["by"] = _iso(asked.basket.delivery.by)
    told: dict[str, Json] = {"basket": basket, "agreed_cents": asked.agreed_cents}
    if asked.recipient is not None:
        told["recipient"] = mark(asked.recipient.written())
    return told


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
