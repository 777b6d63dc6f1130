"""The flows of returns: asked for, received in any store, looked at; each once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import BadInput
from sanhe.core.values import Json
from sanhe.place.fulfil import Booking
from sanhe.place.returns import SOURCE, Asked, Return, Verdict
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
