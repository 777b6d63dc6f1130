"""The places' rules: which description counts, and when a business day begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.core.values import business_day


@dataclass(frozen=True, slots=True)
class Place:
    """A node (网点): `cut_off` is the local time at which its business day begins."""

    id: str
    name: str
    kind: str
    parent: str | None = None
    time_zone: str | None = None
    cut_off: time = time()
    city: str | None = None
    region: str | None = None

    def day(self, moment: datetime, *, default_time_zone: str) -> date:
        """The business day of a moment here."""
        zone = self.time_zone or default_time_zone
        return business_day(moment, time_zone=zone, cut_off=self.cut_off)


@dataclass(frozen=True, slots=True)
class Holiday:
    """A declared day; `place` None = everywhere; `kind` is public or working_day."""

    day: date
    name: str
    kind: str
    place: str | None = None


def places(facts: Iterable[Fact]) -> list[Place]:
    """The places as last described, by id; equal times are settled by source and external id.

    Raises BadInput for a cut-off that is no time.
    """
    last: dict[str, Fact] = {}
    for fact in sorted(facts, key=lambda fact: (fact.event_at, fact.source, fact.external_id)):
        if fact.place is not None:
            last[fact.place] = fact
    return [_place(code, last[code]) for code in sorted(last)]


def holidays(facts: Iterable[Fact]) -> list[Holiday]:
    """The declared days, in order, each once."""
    found = {
        Holiday(fact.day, str(fact.payload["name"]), str(fact.payload["kind"]), fact.place)
        for fact in facts
    }
    return sorted(found, key=lambda holiday: (holiday.day, holiday.place or "", holiday.name))


def _place(code: str, fact: Fact) -> Place:
    given = fact.payload

    def text(name: str) -> str | None:
        value = given.get(name)
        return None if value is None else str(value)

    return Place(
        id=code,
        name=str(given["name"]),
        kind=str(given["kind"]),
        parent=text("parent"),
        time_zone=text("time_zone"),
        cut_off=_time(text("cut_off"), code),
        city=text("city"),
        region=text("region"),
    )


def _time(text: str | None, code: str) -> time:
    try:
        return time.fromisoformat(text) if text else time()
    except ValueError as error:
        raise BadInput(
            f"cut_off {text!r} is no time", place=f"place {code}", remedy="write it as HH:MM"
        ) from error
