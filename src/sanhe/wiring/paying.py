"""The flows of payments: asked for, told, looked for where nobody told, given back.

While a provider is waited for no row of an order is locked: a payment is asked for and looked for
outside of transactions, a refund within one that holds its message in the outbox alone.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.connectors.till import TENDERS
from sanhe.core.errors import (
    BadInput,
    Conflict,
    Denied,
    NotFound,
    Permanent,
    Temporary,
)
from sanhe.core.jobs import Message, Outbox, deliver
from sanhe.core.values import Json
from sanhe.place.orders import (
    REFUND_TOPIC,
    Charge,
    OpenCharge,
    PaymentNotice,
    Payments,
    Refund,
    RefundNotice,
    Settled,
    ends_at,
)
from sanhe.wiring.acting import By

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

ACTOR: Final = "payments"
MOST_AWAY: Final = 3
"""After so many failed tries a provider is left in peace until the next run."""
_LOG = logging.getLogger("sanhe.payments")


@dataclass(frozen=True, slots=True)
class Payer:
    """How a shopper pays: `way` in the provider's words; who they are there (openid), and the
    network address of their device, where the way needs them."""

    way: str
    name: str = ""
    address: str = ""


@dataclass
class PaymentsRun:
    """What one run came to: payments found without a notice, charges closed, refunds done,
    refunds that still run, and what was refused with the reasons; `away`: how often a provider
    did not answer."""

    found: int = 0
    closed: int = 0
    refunded: int = 0
    running: int = 0
    refused: list[str] = field(default_factory=list)
    away: Counter[str] = field(default_factory=Counter)


def prepare_payment(
    sanhe: Sanhe,
    order: UUID,
    provider: str,
    *,
    payer: Payer,
    by: By,
) -> Mapping[str, Json]:
    """Ask a provider to collect what an order costs; what the shopper's device needs to pay.

    Money is taken until a minute before the order's time is over. Raises NotFound, BadInput,
    Conflict for an order that is not to be paid (so), Temporary when the provider is away.
    """
    asked = provider_of(sanhe, provider)
    with sanhe.work(actor=by.actor, scope=by.scope) as work:
        found = work.orders.get(order)
        work.dues.ask(found, provider, payer.way)
    charge = Charge(
        order=order,
        amount_cents=found.tenders.money_cents,
        currency=found.currency,
        description=f"{found.lines[0].name} · {found.number}",
        ends_at=ends_at(found),
        way=payer.way,
        payer=payer.name,
        address=payer.address,
    )
    with _not_the_callers_fault():
        return asked.prepare(charge)


def take_notice(
    sanhe: Sanhe, provider: str, headers: Mapping[str, str], *, body: bytes
) -> Settled | UUID | None:
    """Take a provider's notice: what became of the payment, the refund it is about, or None for
    news of something else. The same notice again, or two at once, have one effect.

    Raises Denied for a notice that is not the provider's, NotFound for an order or refund that
    is not known, Conflict for a payment that was told otherwise before.
    """
    told = provider_of(sanhe, provider).read_notice(headers, body)
    if told is None:
        return None
    with sanhe.work(actor=provider) as work:
        if isinstance(told, PaymentNotice):
            return work.orders.settle(told)
        _settle_refund(work, told)
        return told.refund


def take_at_till(
    sanhe: Sanhe,
    order: UUID,
    tender: str,
    *,
    amount_cents: int,
    reference: str,
    by: By,
) -> Settled:
    """Take a payment that staff say they got. `reference` names it: the slip of the terminal,
    for cash the receipt; the same again is the same payment.

    What can't be taken (see `place.orders.rules`) is to be given back at once, and counts as
    given back. Raises NotFound, BadInput for another tender, Conflict.
    """
    if tender not in TENDERS:
        raise BadInput(f"no tender {tender!r}", place="tender", remedy=f"one of {TENDERS}")
    if not reference:
        raise BadInput("it has no name", place="reference", remedy="give the slip's number")
    with sanhe.work(actor=by.actor) as work:
        found = by.check(work.orders.get(order))
        settled = work.orders.settle(
            PaymentNotice(
                provider=tender,
                reference=reference,
                order=order,
                amount_cents=amount_cents,
                currency=found.currency,
                paid_at=sanhe.clock.now(),
            )
        )
        if settled.refund is not None:
            work.orders.refunded(settled.refund)
    return settled


def settle_payments(sanhe: Sanhe) -> PaymentsRun:
    """One run of all that is open: payments that nobody told, and refunds. To be done at least
    twice a minute, as the last minute of an order's time is for asking."""
    run = find_lost(sanhe)
    return send_refunds(sanhe, run)


def find_lost(sanhe: Sanhe, run: PaymentsRun | None = None) -> PaymentsRun:
    """Ask for payments that nobody told: of orders whose time is nearly over, or that need no
    money any more. What is paid is settled; what is not is closed, so that no money comes late.
    """
    run = run or PaymentsRun()
    with sanhe.work(actor=ACTOR) as work:
        charges = work.dues.open_charges()
    for charge in charges:
        if run.away[charge.provider] < MOST_AWAY:
            with _told_apart(run, charge.provider, f"order {charge.order}"):
                _look(sanhe, charge, run)
    return run


def send_refunds(sanhe: Sanhe, run: PaymentsRun | None = None) -> PaymentsRun:
    """Ask for the refunds in the outbox, and again for those that were not done by then.

    The same refund asked again gives once: it has one id, with us and with the provider.
    """
    run = run or PaymentsRun()
    at_work: list[Work] = []

    @contextmanager
    def opened() -> Iterator[Outbox]:
        with sanhe.work(actor=ACTOR) as work:
            at_work[:] = [work]
            yield work.outbox

    def send(message: Message) -> None:
        _give_back(sanhe, at_work[0], UUID(message.key), run=run)

    deliver(opened, REFUND_TOPIC, send)
    with sanhe.work(actor=ACTOR) as work:
        due = work.dues.due_refunds()
    for refund in due:
        with sanhe.work(actor=ACTOR) as work:
            _give_back(sanhe, work, refund, run=run)
    return run


def provider_of(sanhe: Sanhe, name: str) -> Payments:
    """A provider that is set up. Raises NotFound."""
    found = sanhe.payments.get(name)
    if found is None:
        raise NotFound(
            f"no payment provider {name!r} is set up: SANHE_PAYMENTS names a file with it, see "
            "docs/guide/payments.md"
        )
    return found


def _look(sanhe: Sanhe, charge: OpenCharge, run: PaymentsRun) -> None:
    """Settle or close a charge. When it is paid in between, the next run finds it."""
    provider = provider_of(sanhe, charge.provider)
    found = provider.find(charge.order)
    if found is not None:
        with sanhe.work(actor=charge.provider) as work:
            work.orders.settle(found)
        run.found += 1
    elif provider.close(charge.order):
        with sanhe.work(actor=charge.provider) as work:
            work.dues.closed(charge)
        run.closed += 1


def _give_back(sanhe: Sanhe, work: Work, refund: UUID, *, run: PaymentsRun) -> None:
    """Ask a provider for a refund and keep its answer."""
    asked = work.dues.refund(refund)
    why, done = "", False
    if run.away[asked.provider] < MOST_AWAY:
        with _told_apart(run, asked.provider, f"refund {refund}") as refused:
            done = provider_of(sanhe, asked.provider).refund(asked)
        why = "".join(refused)
    if done:
        run.refunded += work.orders.refunded(refund)
        return
    run.running += not why
    work.dues.put_off(asked, refused=why, away=bool(run.away[asked.provider]))


def _settle_refund(work: Work, told: RefundNotice) -> None:
    asked: Refund = work.dues.refund(told.refund)
    if told.refused:
        work.dues.put_off(asked, refused=told.refused)
    else:
        work.orders.refunded(told.refund)


@contextmanager
def _told_apart(run: PaymentsRun, provider: str, what: str) -> Iterator[list[str]]:
    """Count a provider that is away; keep and log what it refuses; let our own faults through."""
    refused: list[str] = []
    try:
        yield refused
    except Temporary as error:
        run.away[provider] += 1
        _LOG.info("%s: %s", what, error)
    except Denied as error:  # our keys, or somebody in between: no word on this order
        run.away[provider] += MOST_AWAY
        _LOG.error("%s: %s", what, error)
    except (Permanent, Conflict, NotFound, BadInput) as error:
        refused.append(str(error))
        run.refused.append(f"{what}: {error}")
        _LOG.error("%s: %s", what, error)


@contextmanager
def _not_the_callers_fault() -> Iterator[None]:
    """A provider that does not take our keys is no matter of who is signed in."""
    try:
        yield
    except Denied as error:
        _LOG.error("a payment could not be asked for: %s", error)
        raise Permanent(str(error)) from error
