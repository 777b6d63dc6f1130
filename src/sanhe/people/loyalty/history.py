"""What happened to a member's points or stored value, a page of it at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sanhe.core.ledger import Ledger
from sanhe.people.loyalty.ports import Kind, Written
from sanhe.people.loyalty.purse import INTO


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a history: `amount` as it changed what the member can spend.

    `what` is the kind of the entry; one that was held is `held`, `spent` or `freed` by now, with 0
    once it is freed. What is taken from `debt` makes a debt, what is earned into it pays one.
    """

    number: int
    at: datetime
    what: str
    cause: str
    lot: str
    amount: int
    actor: str
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of a history, the last first; `next` is where the page after it begins, if any."""

    lines: tuple[Told, ...]
    next: int | None


def page_of(found: Sequence[Written], ledger: Ledger, *, limit: int) -> Page:
    """The page that these entries fill, of which one more than `limit` was read."""
    shown = found[:limit]
    held = [one.entry.id for one in shown if one.entry.kind is Kind.HELD]
    outcomes = ledger.outcomes(held)
    lines = tuple(_told(one, outcomes.get(one.entry.id)) for one in shown)
    return Page(lines, lines[-1].number if len(found) > limit else None)


def _told(written: Written, outcome: int | None) -> Told:
    entry = written.entry
    what, amount = entry.kind.value, entry.amount if entry.kind in INTO else -entry.amount
    if outcome is not None:
        what, amount = "spent" if outcome else "freed", -outcome
    return Told(
        written.number,
        entry.at,
        what,
        entry.cause,
        entry.lot,
        amount,
        written.actor,
        entry.note,
    )
