"""The flows of returns: asked for, received in any store, looked at; each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import BadInput
from sanhe.core.values import Json
from sanhe.place.fulfil import Booking
from sanhe.place.orders import Wanted
from sanhe.place.returns import SOURCE, Asked, Return, ReturnState, Verdict
from sanhe.wiring.acting import By, once
from sanhe.wiring.fulfilling import cancel_bookings
from sanhe.wiring.jobs import queue_seal

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work


def ask_return(sanhe: Sanhe, asked: Asked, *, key: str, by: By) -> Json:
    """Ask for goods of an order to come back, once for each key: the return's id."""

    def run(work: Work) -> Json:
        by.check(work.orders.get(asked.order))
        return {"id": str(work.returns.ask(asked).id)}

    body: Json = {
        "order": str(asked.order),
        "units": _units(asked.units),
        "reason": asked.reason,
        "way": asked.way,
        "place": asked.place,
    }
    return once(sanhe, ("return.ask", key), by, body=body, run=run)


def receive_return(
    sanhe: Sanhe, return_: UUID, place: str, *, counts: Mapping[int, int], key: str, by: By
) -> Json:
    """Say what arrived at one's own place, once for each key: the return's id. It may have been
    bought anywhere."""

    def run(work: Work) -> Json:
        _check_place(by, place)
        return {"id": str(work.returns.receive(return_, place, counts).id)}

    body: Json = {"return": str(return_), "place": place, "counts": _units(counts)}
    return once(sanhe, ("return.receive", key), by, body=body, run=run)


def inspect_return(
    sanhe: Sanhe, return_: UUID, verdicts: Mapping[int, Verdict], *, key: str, by: By
) -> Json:
    """Say what was found, once for each key: the return's id, with what goes back in cents. The
    stock follows in the same transaction."""

    def run(work: Work) -> Json:
        _check_place(by, work.returns.get(return_).place or "")
        done = inspected(work, return_, verdicts)
        return {"id": str(done.id), "amount_cents": done.amount_cents}

    told: Json = {
        str(line): [one.sellable, one.outlet, one.waste] for line, one in verdicts.items()
    }
    body: Json = {"return": str(return_), "verdicts": told}
    return once(sanhe, ("return.inspect", key), by, body=body, run=run)


def drop_return(sanhe: Sanhe, return_: UUID, *, why: str, key: str, by: By) -> Json:
    """Say that it does not come any more, once for each key: the return's id."""

    dropped: list[Booking] = []

    def run(work: Work) -> Json:
        by.check(work.orders.get(work.returns.get(return_).order_id))
        dropped.extend(one for one in work.returns.bookings(return_) if one.is_open)
        return {"id": str(work.returns.drop(return_, why=why).id)}

    body: Json = {"return": str(return_), "why": why}
    told = once(sanhe, ("return.drop", key), by, body=body, run=run)
    cancel_bookings(sanhe, dropped)
    return told


@dataclass(frozen=True, slots=True)
class Awaited:
    """A return with what whoever takes it in must know: its order's number, names by line."""

    found: Return
    order: int
    names: Mapping[int, str]


def goods_of(sanhe: Sanhe, found: Sequence[Return], *, by: By) -> list[Awaited]:
    """These returns with what they are, wherever it was bought: who may take a return in is told
    so much of its order."""
    with sanhe.work(actor=by.actor) as work:
        orders = {one.id: one for one in work.orders.find({one.order_id for one in found})}
    told = []
    for one in found:
        order = orders[one.order_id]
        names = {line.line: order.line(line.line).name for line in one.lines}
        told.append(Awaited(one, order.number, names))
    return told


def awaited_returns(sanhe: Sanhe, order: int, *, by: By) -> list[Awaited]:
    """What may be taken in at one's own places of the order of this number, wherever it was
    bought: asked for and meant for any store, or for one's own. None of it for no such order."""
    with sanhe.work(actor=by.actor) as work:
        orders, _ = work.orders.page(Wanted(number=order), limit=1)
        found = [back for one in orders for back in work.returns.of(one.id)]
    mine = [
        one
        for one in found
        if one.state is ReturnState.ASKED
        and (by.may_act([one.place]) if one.place else one.way == "store")
    ]
    return goods_of(sanhe, mine, by=by)


def inspected(work: Work, return_: UUID, verdicts: Mapping[int, Verdict]) -> Return:
    """Look at a return within a transaction: the refund is asked for, the stock follows."""
    done, facts = work.returns.inspect(return_, verdicts)
    if facts:
        batch = work.facts.open_batch(source=SOURCE, name=f"return {done.number}", kind="sync")
        work.facts.append(batch, facts)
        work.follow(batch)
        queue_seal(work)
    return done


def _check_place(by: By, place: str) -> None:
    if not by.may_act([place]):
        raise BadInput(f"{place!r} is none of your places", place="place", remedy="name your own")


def _units(units: Mapping[int, int]) -> dict[str, Json]:
    return {str(line): count for line, count in units.items()}
