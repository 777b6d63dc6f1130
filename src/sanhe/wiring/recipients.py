"""The flows of who orders go to: shown to who may know, told to couriers, erased."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import Conflict, Denied, NotFound
from sanhe.place.fulfil import Booking, BookingState
from sanhe.place.orders import Masked, Order, Recipient, State
from sanhe.place.returns import WAITING
from sanhe.place.sourcing import Policy
from sanhe.wiring.acting import By

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe

ACTOR: Final = "fulfil"


def masked_recipient(sanhe: Sanhe, order: Order) -> Masked | None:
    """Who an order goes to, in part: for anybody who sees the order."""
    with sanhe.work(actor=ACTOR) as work:
        return work.recipients.masked(order.id)


def is_open_for(order: Order, by: By) -> bool:
    """Whether a place of theirs still has something of a paid order to give away."""
    return order.state is State.PAID and any(
        part.open and by.may_act([part.place]) for part in order.parts
    )


def show_recipient(sanhe: Sanhe, order: UUID, *, any_time: bool, by: By) -> Recipient:
    """Who an order goes to, whole; that it was shown, and to whom, is kept in the trail.

    Raises Denied once the order is not open at their places any more, unless it is for `any_time`;
    NotFound where nobody was named, or with the code `erased` once they were erased.
    """
    with sanhe.work(actor=by.actor) as work:
        found = by.check(work.orders.get(order))
        if not any_time and not is_open_for(found, by):
            raise Denied(f"order {found.number} is not open here: ask customer service")
        recipient = work.recipients.open(order)
        if recipient is None:
            raise NotFound(f"order {found.number} names nobody it goes to")
        work.audit.record("recipient shown", f"order {found.number}", {"order": str(order)})
    return recipient


def courier_recipient(sanhe: Sanhe, booking: Booking) -> Recipient | None:
    """Who a courier is asked to bring a parcel to, or to fetch it from; None once they answered."""
    if booking.state is not BookingState.ASKED:
        return None
    with sanhe.work(actor=ACTOR) as work:
        if booking.shipment is not None:
            return work.recipients.open(work.fulfil.get(booking.shipment).order_id)
        assert booking.return_ is not None
        return work.recipients.open(work.returns.get(booking.return_).order_id)


def erase_person(
    sanhe: Sanhe,
    reason: str,
    *,
    member: str | None = None,
    order: UUID | None = None,
    by: By,
) -> bool:
    """Erase a member, or the recipient of a guest's order, for good; False: nothing was kept.

    Who seals for them meanwhile is waited for. Raises Conflict while one of their orders still
    needs it, or for an order of a member, who is erased as a whole.
    """
    with sanhe.work(actor=by.actor) as work:
        if order is not None:
            found = by.check(work.orders.get(order))
            if found.member is not None:
                raise Conflict(f"order {found.number} is of a member: erase the member")
        needing = work.recipients.hold(member, order)
        if needing:
            numbers = ", ".join(map(str, needing[:5]))
            raise Conflict(
                f"{len(needing)} orders are still open ({numbers}): cancel them, or wait until "
                "they are complete"
            )
        return work.recipients.erase(reason, member=member, order=order)


def erase_recipients(sanhe: Sanhe) -> int:
    """Erase who guests' orders went to, once they have been closed long enough; how many.

    One of which something is still to come back is left for later.
    """
    keep = timedelta(days=Policy.load(sanhe.settings.delivery).keep_days)
    erased = left = 0
    while True:
        with sanhe.work(actor="upkeep") as work:
            due = work.recipients.due(sanhe.clock.now() - keep, offset=left)
            for order in due:
                if any(back.state in WAITING for back in work.returns.of(order)):
                    left += 1
                else:
                    work.recipients.erase(f"closed {keep.days} days ago", order=order)
                    erased += 1
        if not due:
            return erased
