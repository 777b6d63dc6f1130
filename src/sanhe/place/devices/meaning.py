"""What an event of a till means: the facts that it tells, and what is wrong with it.

Pure. What can't be told is no reason to refuse an event: it happened, and a person looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final

from sanhe.core.facts import Fact
from sanhe.core.values import business_day
from sanhe.place.devices.rules import TillEvent

MOST_LINES: Final = 500
WRONG_CLOCK: Final = timedelta(minutes=5)
"""A device's clock that is further off is told as wrong."""
_MOST: Final = 10**12
_SALE, _COUNT = "sale.line", "stock.counted"
_WITHOUT_FACTS: Final = frozenset({"opened", "closed"})
"""A till session's begin and end: kept in the log, they tell no fact."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where and since when a device stands: `since` is its registration (UTC), `cut_off` local."""

    place: str
    since: datetime
    time_zone: str
    cut_off: time
    currency: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """The facts of an event, and in words what is wrong with it ("" = nothing)."""

    facts: tuple[Fact, ...]
    problem: str = ""


def source_of(device: str) -> str:
    """The source of a device's facts."""
    return f"till/{device}"


def meaning(event: TillEvent, standing: Standing, *, received_at: datetime) -> Meaning:
    """What an event tells of its place.

    `receipt`: sale.line for each line, named by event id and line number; `count`: stock.counted.
    Its moment is held between the device's registration and the arrival: a tablet that lost the
    time must not sell in 1970, or tomorrow. So the same event gives the same facts whenever it
    arrives, unless its clock is ahead.
    """
    try:
        if event.kind == "receipt":
            facts, problem = _receipt(event, standing), _payments(event)
        elif event.kind == "count":
            facts, problem = _count(event), ""
        else:
            known = event.kind in _WITHOUT_FACTS
            return Meaning((), "" if known else f"nobody knows the kind {event.kind!r}")
    except ValueError as error:
        return Meaning((), str(error))
    at = min(max(event.at, standing.since), received_at)
    if abs(event.at - at) > WRONG_CLOCK:
        problem = problem or f"its clock says {event.at:%Y-%m-%d %H:%M} UTC: set it right"
    return Meaning(tuple(_dated(facts, at, standing)), problem)


def _dated(facts: list[dict[str, Any]], at: datetime, standing: Standing) -> list[Fact]:
    day = business_day(at, time_zone=standing.time_zone, cut_off=standing.cut_off)
    return [Fact(event_at=at, day=day, place=standing.place, **fact) for fact in facts]


def _receipt(event: TillEvent, standing: Standing) -> list[dict[str, Any]]:
    receipt = _words(event.body.get("receipt"), "receipt")
    currency = event.body.get("currency", standing.currency)
    if currency != standing.currency:
        raise ValueError(f"the currency is {currency!r}, ours is {standing.currency}")
    facts = []
    for number, line in enumerate(_lines(event.body), start=1):
        quantity = _whole(line.get("quantity"), f"line {number}: quantity")
        amount = line.get("amount_cents")
        cents = None if amount is None else _whole(amount, f"line {number}: amount_cents")
        if quantity == 0 or (cents or 0) * quantity < 0:
            raise ValueError(f"line {number}: quantity {quantity}, amount {cents}")
        returned = line.get("return_of")
        payload = {"receipt": receipt, "line": number}
        if returned is not None:
            payload["return_of"] = _words(returned, f"line {number}: return_of")
        facts.append(
            _fact(event, number, line)
            | {"type": _SALE, "quantity": quantity, "payload": payload}
            | ({} if cents is None else {"amount_cents": cents, "currency": currency})
        )
    return facts


def _payments(event: TillEvent) -> str:
    """What is wrong with the payments of a receipt that can be told, where they are given."""
    given = event.body.get("payments")
    amounts: list[Any] = [line.get("amount_cents") for line in _lines(event.body)]
    if given is None or None in amounts:
        return ""
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        return "its payments can't be read"
    paid: list[Any] = [one.get("amount_cents") for one in given]
    if not all(isinstance(cents, int) and not isinstance(cents, bool) for cents in paid):
        return "its payments can't be read"
    if sum(paid) != sum(amounts):
        return f"{sum(paid)} cents were paid for {sum(amounts)}"
    return ""


def _count(event: TillEvent) -> list[dict[str, Any]]:
    facts = []
    for number, line in enumerate(_lines(event.body), start=1):
        quantity = _whole(line.get("quantity"), f"line {number}: quantity")
        facts.append(_fact(event, number, line) | {"type": _COUNT, "quantity": quantity})
    return facts


def _fact(event: TillEvent, number: int, line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": source_of(event.device),
        "external_id": f"{event.id}/{number}",
        "sku": _words(line.get("sku"), f"line {number}: sku"),
    }


def _lines(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lines = body.get("lines")
    if not isinstance(lines, list) or not 0 < len(lines) <= MOST_LINES:
        raise ValueError(f"it has no lines, or more than {MOST_LINES}")
    if not all(isinstance(line, Mapping) for line in lines):
        raise ValueError("a line is no object")
    return lines


def _words(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise ValueError(f"{name} is no text of 1 to 200 letters")
    return value


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > _MOST:
        raise ValueError(f"{name} is {value!r}, no whole number")
    return value
