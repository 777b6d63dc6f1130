"""The rules of shipments: what was picked, which codes fit, which courier is asked next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import scrypt
from hmac import compare_digest
from typing import Final
from uuid import UUID

from sanhe.core.errors import TooMany
from sanhe.place.orders import Order, OrderPart
from sanhe.place.stores import Courier

CODE_DIGITS: Final = 8
GUESSES: Final = 5
GUESS_REFILL: Final = timedelta(minutes=10)
"""Of a shipment's code so many guesses are free, then one each refill.

In the 72 hours that a parcel waits, 437 guesses can be made: a chance of 4 in a million.
"""
_SUBJECT: Final = "shipment/"


class ShipmentState(StrEnum):
    """Where a shipment stands (发货状态)."""

    PICKING = "picking"
    READY = "ready"
    """Picked; the shopper or a courier may fetch it."""
    AWAY = "away"
    """A courier has it."""
    HANDED = "handed"
    """The shopper fetched it."""
    DELIVERED = "delivered"
    RETURNED = "returned"
    """The courier brought it back."""
    CANCELLED = "cancelled"
    """Nothing of it is wanted from here any more."""
    RELEASED = "released"
    """Nobody fetched it in time: stock free again, money back."""


WAITING: Final = (ShipmentState.PICKING, ShipmentState.READY)
"""The states in which the goods are still at the place."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How shipments are run.

    `pick_within` is given where nothing was promised; who picks up has `fetch_within` after it is
    ready. A courier answers within `answer_within`; when all have refused, the first is asked
    again after `pause`.
    """

    pick_within: timedelta = timedelta(minutes=30)
    fetch_within: timedelta = timedelta(hours=72)
    answer_within: timedelta = timedelta(seconds=30)
    pause: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """So many units of an order's line; `picked` of them lay there (None = not picked yet)."""

    line: int
    units: int
    picked: int | None = None

    @property
    def there(self) -> int:
        """The units that may leave."""
        return self.units if self.picked is None else self.picked


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one place gives for an order (发货单). Times in UTC.

    It is to be picked by `due_at`; who picks it up has until `fetch_until`.
    """

    id: UUID
    number: int
    order_id: UUID
    place: str
    method: str
    state: ShipmentState
    due_at: datetime
    opened_at: datetime
    ready_at: datetime | None
    away_at: datetime | None
    closed_at: datetime | None
    fetch_until: datetime | None
    lines: tuple[ShipmentLine, ...]

    @property
    def subject(self) -> str:
        """What its tasks are about."""
        return f"{_SUBJECT}{self.id}"


def shipment_of(subject: str) -> UUID | None:
    """The shipment that a task is about, if it is about one."""
    return UUID(subject.removeprefix(_SUBJECT)) if subject.startswith(_SUBJECT) else None


def needs_of(order: Order, place: str, lines: Sequence[ShipmentLine]) -> dict[str, int]:
    """Base units of each SKU that these lines need of a place."""
    needs: dict[str, int] = {}
    for line in lines:
        for part in order.parts_at(line.line, place):
            needs[part.sku] = needs.get(part.sku, 0) + line.there * part.each
    return {sku: units for sku, units in needs.items() if units}


def picked_lines(
    lines: Sequence[ShipmentLine],
    parts: Mapping[int, Sequence[OrderPart]],
    done: Mapping[str, int],
) -> list[ShipmentLine]:
    """Which units of which line were picked, from base units by SKU: the first line comes first.

    `parts` are the components of each line; of a bundle all components are needed.
    """
    left = dict(done)
    found = []
    for line in lines:
        fits = min(left.get(part.sku, 0) // part.each for part in parts[line.line])
        units = max(min(fits, line.units), 0)
        for part in parts[line.line]:
            left[part.sku] = left.get(part.sku, 0) - units * part.each
        found.append(ShipmentLine(line.line, line.units, units))
    return found


def code_hash(code: str, salt: bytes) -> bytes:
    """What is kept of a code: scrypt (RFC 7914), N = 2^14, r = 8, p = 1, so that whoever reads
    the table needs days for one code and not a second."""
    return scrypt(code.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)


def guess_digest(code: str, shipment: UUID) -> str:
    """Tells one guess from another without keeping it, in hex."""
    return code_hash(code, shipment.bytes).hex()


def fits(code: str, salt: bytes, kept: bytes) -> bool:
    """Whether it is the code."""
    return compare_digest(code_hash(code, salt), kept)


def after_guess(busy_until: datetime | None, now: datetime) -> datetime:
    """Until when guesses are used up after one more. Raises TooMany when there is none left."""
    after = max(busy_until or now, now) + GUESS_REFILL
    over = after - (now + GUESSES * GUESS_REFILL)
    if over > timedelta():
        raise TooMany(
            "too many wrong codes: ask the shopper to have a new one shown, and wait",
            retry_after_seconds=max(1, round(over.total_seconds())),
        )
    return after


def next_courier(
    couriers: Sequence[Courier], planned: str | None, attempts: int
) -> tuple[Courier, bool] | None:
    """Who is asked after so many attempts, and whether a new round begins; None = nobody comes.

    The one the promise was made with first, then by base fee; after the last the first again.
    """
    if not couriers:
        return None
    ordered = sorted(couriers, key=lambda one: (one.name != planned, one.base_fee_cents, one.name))
    return ordered[attempts % len(ordered)], attempts > 0 and attempts % len(ordered) == 0
