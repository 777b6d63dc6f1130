"""The places' rules: which description counts, and when a business day begins."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.core.values import Json, business_day

EARTH_RADIUS_METRES: Final = 6_371_008.8
"""The mean radius of the earth (IUGG, 2a/3 + b/3 of GRS 80)."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point on the earth in degrees north and east. Raises BadInput outside of it."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise BadInput(
                f"({self.latitude}, {self.longitude}) is no point on the earth",
                remedy="give latitude -90 to 90 and longitude -180 to 180, in degrees",
            )


def metres_between(one: Point, other: Point) -> float:
    """The great-circle distance by the haversine formula (Sinnott 1984), within 0.6 % of the
    ellipsoid's: 2 R asin sqrt(sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2))."""
    north, other_north = math.radians(one.latitude), math.radians(other.latitude)
    rise = math.sin((other_north - north) / 2) ** 2
    turn = math.sin(math.radians(other.longitude - one.longitude) / 2) ** 2
    chord = rise + math.cos(north) * math.cos(other_north) * turn
    return 2 * EARTH_RADIUS_METRES * math.asin(math.sqrt(min(chord, 1.0)))


@dataclass(frozen=True, slots=True)
class Place:
    """A node (网点): `cut_off` is the local time at which its business day begins.

    `latitude` and `longitude` are degrees, both or neither told; see `point`.
    """

    id: str
    name: str
    kind: str
    parent: str | None = None
    time_zone: str | None = None
    cut_off: time = time()
    city: str | None = None
    region: str | None = None
    latitude: float | None = None
    longitude: float | None = None

    @property
    def point(self) -> Point | None:
        """Where it lies; None = not told."""
        if self.latitude is None or self.longitude is None:
            return None
        return Point(self.latitude, self.longitude)

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

    Raises BadInput for a cut-off that is no time, and for coordinates that are no point.
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
        **_coordinates(given.get("latitude"), given.get("longitude"), code),
    )


def _coordinates(latitude: Json, longitude: Json, code: str) -> dict[str, float]:
    told = [value for value in (latitude, longitude) if isinstance(value, (int, float))]
    if not told:
        return {}
    try:
        point = Point(*map(float, told)) if len(told) == 2 else None
    except BadInput as error:
        raise BadInput(error.what, place=f"place {code}", remedy=error.remedy) from error
    if point is None:
        raise BadInput(
            "one coordinate alone",
            place=f"place {code}",
            remedy="give latitude and longitude, or neither",
        )
    return {"latitude": point.latitude, "longitude": point.longitude}


def _time(text: str | None, code: str) -> time:
    try:
        return time.fromisoformat(text) if text else time()
    except ValueError as error:
        raise BadInput(
            f"cut_off {text!r} is no time", place=f"place {code}", remedy="write it as HH:MM"
        ) from error
