"""The tasks of the queue, and how they are queued: carrying out what was approved, sealing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import TYPE_CHECKING

from sanhe.connectors.files import write_order
from sanhe.core.decisions import Status
from sanhe.core.errors import NotFound, Permanent
from sanhe.core.jobs import Message, Outbox, Task, deliver, run_worker
from sanhe.goods.replenish import KIND, TRANSFER
from sanhe.people.promotions import PUBLISHING
from sanhe.wiring.publishing import publish_approved

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

ORDERS = "purchase_order"
CARRY_OUT = "carry_out"
SEAL = "seal_ledger"
FORGET = "forget_commands"
PUBLISH_APPROVED = "publish_promotions"


def queue_execution(sanhe: Sanhe, work: Work, *, actor: str) -> None:
    """Queue the execution of all that is approved: orders of `order_day`, and promotions."""
    if _is_ready(work, PUBLISHING):
        work.jobs.defer(PUBLISH_APPROVED, {"actor": actor}, lock=PUBLISH_APPROVED)
    if not _is_ready(work, KIND, TRANSFER):
        return
    day = order_day(sanhe)
    work.jobs.defer(CARRY_OUT, {"actor": actor, "day": day.isoformat()}, lock=CARRY_OUT)


def _is_ready(work: Work, *kinds: str) -> bool:
    """Whether something of these kinds is approved and not taken yet."""
    ready = {Status.APPROVED, Status.EDITED}
    return any(work.decisions.count(kind=kind, statuses=ready, most=1) for kind in kinds)


def order_day(sanhe: Sanhe) -> date:
    """The day from which approved lines are ordered: the morning planned for.

    The clock's day would put the due date behind the days that the plan covers whenever the data
    is a day late, and the next plan would order the same need again. Raises NotFound before the
    first plan.
    """
    return sanhe.demand.latest().as_of


def queue_seal(work: Work) -> None:
    """Queue the sealing of the ledger's new entries."""
    work.jobs.defer(SEAL, {}, lock=SEAL)


def queue_forgetting(work: Work) -> None:
    """Queue the deletion of answers to commands that are kept no longer."""
    work.jobs.defer(FORGET, {}, lock=FORGET)


def run_jobs(sanhe: Sanhe) -> tuple[str, ...]:
    """Run what is queued until nothing is left; returns the purchase orders that were made.

    What is approved and was not carried out, as its job failed, is queued again first (not
    without a forecast: the next plan does it). Raises Permanent when a job fails.
    """
    made: list[str] = []
    with sanhe.work(actor="worker") as work, suppress(NotFound):
        queue_execution(sanhe, work, actor="worker")

    def carry_out(*, actor: str, day: str) -> None:
        with sanhe.work(actor=actor) as work:
            executed = work.replenish.execute(work.suppliers, day=date.fromisoformat(day))
        made.extend(executed.orders)

    def seal_ledger() -> None:
        with sanhe.work(actor="ledger") as work:
            work.ledger.seal()

    def forget_commands() -> None:
        with sanhe.work(actor="worker") as work:
            work.commands.forget()

    def publish(*, actor: str) -> None:
        publish_approved(sanhe, actor=actor)

    tasks: dict[str, Task] = {
        CARRY_OUT: carry_out,
        SEAL: seal_ledger,
        FORGET: forget_commands,
        PUBLISH_APPROVED: publish,
    }
    outcome = run_worker(sanhe.database, tasks)
    deliver_orders(sanhe)
    if outcome.failures:
        raise Permanent(
            f"{len(outcome.failures)} jobs failed: {outcome.failures[0]}; mend the cause, then "
            "sanhe plan goes on: what was approved stays approved and is ordered once"
        )
    return tuple(made)


def deliver_orders(sanhe: Sanhe) -> int:
    """Write the orders in the outbox as files and mark them sent; returns how many.

    A crash in between writes the same file again, which changes nothing.
    """
    at_work: list[Work] = []

    @contextmanager
    def opened() -> Iterator[Outbox]:
        with sanhe.work(actor="outbox") as work:
            at_work[:] = [work]
            yield work.outbox

    def send(message: Message) -> None:
        write_order(sanhe.orders_folder, message.payload)
        at_work[0].suppliers.sent([message.key])

    return deliver(opened, ORDERS, send)
