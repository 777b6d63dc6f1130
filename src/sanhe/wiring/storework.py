"""What people in a store do, once each: finish tasks, hand over by code, take returns in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, Denied, NotFound
from sanhe.core.values import Json
from sanhe.place.fulfil import Shipment, guess_digest, shipment_of
from sanhe.place.orders import Choice, Instead, Piece, lines_short
from sanhe.place.returns import return_of
from sanhe.place.tasks import StoreTask
from sanhe.wiring.acting import By, once

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work


def finish_task(
    sanhe: Sanhe,
    task: UUID,
    *,
    done: Mapping[str, int] | None = None,
    instead: Mapping[str, Instead] | None = None,
    note: str = "",
    key: str,
    by: By,
) -> Json:
    """Finish a store's task, with what follows, once for each key: the task's state.

    What is picked is ready, what is missing found elsewhere, unless something like it was picked
    `instead`; what a courier has got is away.
    Raises what `Tasks.finish` does, Conflict for a hand-over to a shopper, which needs the code.
    """

    def run(work: Work) -> Json:
        if not by.may_act([work.tasks.get(task).place]):
            raise NotFound(f"no task {task}: ask for the list of its place")
        ended = finished(work, task, done=done, instead=instead, note=note)
        return {"id": str(task), "state": ended.state.value}

    told: Json = None if done is None else dict(done)
    body: dict[str, Json] = {"task": str(task), "done": told, "note": note}
    if instead:
        body["instead"] = {sku: asdict(one) for sku, one in instead.items()}
    return once(sanhe, ("task.finish", key), by, body=body, run=run)


def finished(
    work: Work,
    task: UUID,
    *,
    done: Mapping[str, int] | None = None,
    instead: Mapping[str, Instead] | None = None,
    note: str = "",
) -> StoreTask:
    """Finish a task within a transaction, with what follows from it."""
    found = work.tasks.get(task)
    if found.kind == "inspect" and return_of(found.subject) is not None:
        raise Conflict("what came back is inspected unit by unit: say what was found of it")
    shipment = shipment_of(found.subject)
    if instead and (shipment is None or found.kind != "pick"):
        raise BadInput("only what is picked can be replaced", place="instead")
    if shipment is None or found.kind not in {"pick", "hand_over"}:
        return work.tasks.finish(task, done=done, note=note)
    known = work.fulfil.get(shipment)
    if found.kind == "hand_over" and known.method == "pickup":
        raise Conflict(f"shipment {known.number} is handed over by the shopper's code")
    work.orders.lock(known.order_id)
    ended = work.tasks.finish(task, done=done, note=note)
    if found.kind == "pick":
        picked = {line.sku: line.done or 0 for line in ended.lines}
        work.fulfil.picked(shipment, picked, instead=instead)
    else:
        work.fulfil.collected(shipment)
    return ended


def choices_for(work: Work, task: UUID, sku: str) -> list[Choice] | None:
    """What a store could pick instead of an SKU of a pick task; None: the shopper wants nothing
    else, or it is no line by itself. Raises NotFound, Conflict for what is not being picked."""
    found = work.tasks.get(task)
    shipment = shipment_of(found.subject)
    if shipment is None or found.kind != "pick":
        raise Conflict("only what is picked can be replaced")
    known = work.fulfil.get(shipment)
    order = work.orders.get(known.order_id)
    wanted = lines_short(
        order, [Piece(one.line, known.place, one.units) for one in known.lines], sku
    )
    if not order.substitutes or len(wanted) != 1:
        return None
    return work.orders.choices(order.id, wanted[0])


def show_code(sanhe: Sanhe, order: UUID, shipment: UUID, *, by: By) -> str:
    """A new code for the shopper to show at the store; the one before is void.

    Raises NotFound, Conflict for what can't be fetched (any more).
    """
    with sanhe.work(actor=by.actor) as work:
        by.check(work.orders.get(order))
        if work.fulfil.get(shipment).order_id != order:
            raise NotFound(f"no shipment {shipment} of this order: look the order up")
        return work.fulfil.new_code(shipment)


def hand_over_by_code(sanhe: Sanhe, shipment: UUID, code: str, *, key: str, by: By) -> Json:
    """Give a shipment to the shopper who shows its code, once for each key: where its order
    stands.

    A wrong code is counted, and Denied raised; TooMany after several. Raises NotFound, Conflict.
    """

    def run(work: Work) -> Json:
        _own(work, shipment, by)
        if not work.fulfil.check_code(shipment, code):
            return {"state": None}
        return {"state": work.fulfil.hand_over(shipment).value}

    body: Json = {"shipment": str(shipment), "code": guess_digest(code, shipment)}
    told = once(sanhe, ("shipment.hand_over", key), by, body=body, run=run)
    if not isinstance(told, Mapping) or told["state"] is None:
        raise Denied("this is not the code: let the shopper show it once more")
    return told


def _own(work: Work, shipment: UUID, by: By) -> Shipment:
    """A shipment of one's own places. Raises NotFound."""
    found = work.fulfil.get(shipment)
    if not by.may_act([found.place]):
        raise NotFound(f"no shipment {shipment}: look its order up")
    return found
