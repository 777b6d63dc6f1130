"""What people in a store do with its goods, once each: count, receive, send to another place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import Fact
from sanhe.core.values import Json, business_day
from sanhe.goods.stock import COUNT_SOURCE, count_facts
from sanhe.goods.suppliers import SOURCE, Arrived
from sanhe.wiring.acting import By, once
from sanhe.wiring.jobs import queue_seal

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

COUNTED_BY: Final = frozenset({"count", "discrepancy"})
"""The kinds of task that a count settles."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """Goods that came for an order, or left for a transfer; `note` is the paper they go with."""

    order: str
    note: str
    lines: tuple[Arrived, ...]


def count_stock(
    sanhe: Sanhe,
    place: str,
    counts: Mapping[str, int],
    *,
    task: UUID | None = None,
    key: str,
    by: By,
) -> Json:
    """Say what lies at one's own place, in base units by SKU, once for each key: the stock
    follows, and the task that asked for it is done.

    Raises BadInput, NotFound for no such SKU or task, Conflict for a task that is closed, in
    another's hands or of another kind.
    """

    def run(work: Work) -> Json:
        _check_place(by, place)
        for sku in counts:
            work.catalog.item(sku)
        at, day = _moment(sanhe, work, place)
        facts = count_facts(place, counts, note=key, at=at, day=day)
        _record(work, facts, source=COUNT_SOURCE, name=f"count {place}")
        if task is not None:
            _settle(work, task, place=place, counts=counts)
        return {"counted": len(facts)}

    told: Json = {
        "place": place,
        "counts": dict(counts),
        "task": None if task is None else str(task),
    }
    return once(sanhe, ("stock.count", key), by, body=told, run=run)


def receive_order(sanhe: Sanhe, came: Delivered, *, key: str, by: By) -> Json:
    """Take in what came for an order to one's own place, once for each key and each delivery
    note: where the order stands. More or less than ordered is taken as it is.

    Raises NotFound, BadInput, Conflict for a delivery note that told something else before.
    """

    def run(work: Work) -> Json:
        place = _own(work, came.order, by, of="place")
        at, day = _moment(sanhe, work, place)
        facts = work.suppliers.receipt(came.order, came.lines, note=came.note, at=at, day=day)
        _record(work, facts, source=SOURCE, name=f"receipt {came.order} {came.note}")
        return {"state": work.suppliers.get(came.order).status.value}

    return once(sanhe, ("order.receive", key), by, body=_told(came), run=run)


def send_order(sanhe: Sanhe, left: Delivered, *, key: str, by: By) -> Json:
    """Say what left one's own place for a transfer, once for each key and each loading list:
    where the order stands. Raises what `receive_order` does, BadInput for no transfer."""

    def run(work: Work) -> Json:
        place = _own(work, left.order, by, of="supplier")
        at, day = _moment(sanhe, work, place)
        facts = work.suppliers.departure(left.order, left.lines, note=left.note, at=at, day=day)
        _record(work, facts, source=SOURCE, name=f"departure {left.order} {left.note}")
        return {"state": work.suppliers.get(left.order).status.value}

    return once(sanhe, ("order.send", key), by, body=_told(left), run=run)


def _settle(work: Work, task: UUID, *, place: str, counts: Mapping[str, int]) -> None:
    found = work.tasks.get(task)
    if found.place != place or found.kind not in COUNTED_BY:
        raise Conflict(f"task {task} is a {found.kind} at {found.place}: a count does not end it")
    work.tasks.take(task)
    lines = {line.sku for line in found.lines}
    work.tasks.finish(task, done={sku: units for sku, units in counts.items() if sku in lines})


def _own(work: Work, order: str, by: By, *, of: str) -> str:
    """The place of an order that is one's own. Raises NotFound."""
    found = work.suppliers.get(order)
    place = str(getattr(found, of))
    if not by.may_act([place]):
        raise NotFound(f"no order {order!r} of your places: look it up in the list")
    return place


def _moment(sanhe: Sanhe, work: Work, place: str) -> tuple[datetime, date]:
    """Now, and the business day that it belongs to at a place."""
    found = work.places.get(place)
    at = sanhe.clock.now()
    zone = work.places.time_zone(found)
    return at, business_day(at, time_zone=zone, cut_off=found.cut_off)


def _record(work: Work, facts: list[Fact], *, source: str, name: str) -> None:
    batch = work.facts.open_batch(source=source, name=name, kind="sync")
    appended = work.facts.append(batch, facts)
    if appended.contradicting:
        raise Conflict(f"{name} was told before: give another note")
    work.follow(batch)
    queue_seal(work)


def _check_place(by: By, place: str) -> None:
    if not by.may_act([place]):
        raise BadInput(f"{place!r} is none of your places", place="place", remedy="name your own")


def _told(given: Delivered) -> Json:
    lines: list[Json] = [
        [one.sku, one.quantity, one.lot, None if one.expires is None else one.expires.isoformat()]
        for one in given.lines
    ]
    return {"order": given.order, "note": given.note, "lines": lines}
