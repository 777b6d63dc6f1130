"""The tasks of the queue, and how they are queued: carrying out what was approved, sealing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

from sanhe.connectors.files import write_order
from sanhe.core.errors import Permanent
from sanhe.core.jobs import Message, Outbox, deliver, run_worker

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

ORDERS = "purchase_order"
CARRY_OUT = "carry_out"
SEAL = "seal_ledger"


def queue_execution(work: Work, *, day: date, actor: str) -> None:
    """Queue the execution of all that is approved; orders are placed from `day` on."""
    work.jobs.defer(CARRY_OUT, {"actor": actor, "day": day.isoformat()}, lock=CARRY_OUT)


def queue_seal(work: Work) -> None:
    """Queue the sealing of the ledger's new entries."""
    work.jobs.defer(SEAL, {}, lock=SEAL)


def run_jobs(sanhe: Sanhe) -> tuple[str, ...]:
    """Run what is queued until nothing is left; returns the purchase orders that were made."""
    made: list[str] = []

    def carry_out(*, actor: str, day: str) -> None:
        with sanhe.work(actor=actor) as work:
            executed = work.replenish.execute(work.suppliers, day=date.fromisoformat(day))
        made.extend(executed.orders)

    def seal_ledger() -> None:
        with sanhe.work(actor="ledger") as work:
            work.ledger.seal()

    outcome = run_worker(sanhe.database, {CARRY_OUT: carry_out, SEAL: seal_ledger})
    if outcome.failures:
        raise Permanent(
            f"{len(outcome.failures)} jobs failed: {outcome.failures[0]}; mend the cause and "
            "approve again: what was approved stays approved"
        )
    deliver_orders(sanhe)
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
