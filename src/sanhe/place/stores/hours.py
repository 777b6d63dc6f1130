"""Opening hours: read as OpenStreetMap writes them, and counted in minutes of opening."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from sanhe.core.errors import BadInput

SEARCHED_DAYS: Final = 28
"""Further ahead than this no opening is looked for."""

_DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_HOLIDAY: Final = 7
_REMEDY: Final = 'write them as "Mo-Fr 09:00-21:00; Sa,Su 10:00-22:00; PH off", or "24/7"'
_CHINESE: Final = (
    *((f"{week}{day}", name) for week in ("周", "星期", "礼拜")
      for day, name in zip("一二三四五六日天", (*_DAYS, "Su"), strict=True)),
    ("每天", "Mo-Su"), ("节假日", "PH"), ("休息", "off"), ("全天", "00:00-24:00"),
    ("至", "-"), ("到", "-"), ("～", "-"), ("~", "-"), ("–", "-"), ("—", "-"),
    ("，", ","), ("、", ","), ("；", ";"), ("：", ":"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """From when to when it is open on one day, in local minutes after midnight.

    `closes` lies after `opens` and may lie past 1440: then it closes on the next day.
    """

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """The spans of each weekday from Monday on; `holiday` those of public holidays, if told."""

    week: tuple[tuple[OpenSpan, ...], ...]
    holiday: tuple[OpenSpan, ...] | None = None

    def on(self, day: date, *, holidays: Collection[date] = ()) -> tuple[OpenSpan, ...]:
        """The spans that begin on a day."""
        if self.holiday is not None and day in holidays:
            return self.holiday
        return self.week[day.weekday()]

    def spans(
        self, since: datetime, *, time_zone: str, holidays: Collection[date] = ()
    ) -> Iterator[tuple[datetime, datetime]]:
        """When it is open from a moment on, for `SEARCHED_DAYS`, in UTC, in order.

        The first span begins at the moment itself when it is open then.
        """
        first = since.astimezone(ZoneInfo(time_zone)).date()
        for ahead in range(-1, SEARCHED_DAYS):
            day = first + timedelta(days=ahead)
            for opens, closes in _moments(self.on(day, holidays=holidays), day, time_zone):
                if closes > since:
                    yield max(opens, since), closes

    def after(
        self,
        since: datetime,
        minutes: float,
        *,
        time_zone: str,
        holidays: Collection[date] = (),
    ) -> datetime | None:
        """The first moment in opening by which it was open for `minutes` since a moment.

        None when that is further ahead than `SEARCHED_DAYS`.
        """
        left = timedelta(minutes=minutes)
        done = since
        for opens, closes in self.spans(since, time_zone=time_zone, holidays=holidays):
            opens = max(opens, done)
            if closes - opens >= left:
                return opens + left
            left -= max(closes - opens, timedelta())
            done = max(done, closes)
        return None


@cache
def opening_hours(text: str) -> OpeningHours:
    """Opening hours from text: rules parted by `;`, each days and spans; a later rule wins.

    The part of OpenStreetMap's `opening_hours` that shops use: weekdays and ranges of them
    (`Mo-Fr`, `Sa,Su`; none = every day), `PH` for public holidays, spans
    (`09:00-12:30,14:00-21:00`, also past midnight), `off` and `24/7`. The Chinese words for
    these are understood too (周一至周五). Raises BadInput.
    """
    plain = text.strip()
    for word, written in _CHINESE:
        plain = plain.replace(word, written)
    plain = re.sub(r"\s*([-,])\s*", r"\1", plain.replace("24/7", "Mo-Su 00:00-24:00"))
    by_day: dict[int, tuple[OpenSpan, ...]] = {}
    for rule in filter(None, (part.strip() for part in plain.split(";"))):
        found = re.fullmatch(r"(?:([A-Z][A-Za-z,-]*)\s*)?(off|closed|[0-9][0-9:,-]*)", rule)
        if found is None:
            raise _unreadable(text, rule)
        for day in _days(found[1] or "Mo-Su", text):
            by_day[day] = () if found[2] in {"off", "closed"} else _spans(found[2], text)
    if not by_day:
        raise _unreadable(text, text)
    return OpeningHours(tuple(by_day.get(day, ()) for day in range(7)), by_day.get(_HOLIDAY))


def _unreadable(text: str, part: str) -> BadInput:
    return BadInput(f"opening hours {text!r} can't be read at {part!r}", remedy=_REMEDY)


def _days(text: str, whole: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        if part == "PH":
            yield _HOLIDAY
        elif first in _DAYS and (not last or last in _DAYS):
            start = _DAYS.index(first)
            for step in range((_DAYS.index(last or first) - start) % 7 + 1):
                yield (start + step) % 7
        else:
            raise _unreadable(whole, part)


def _spans(text: str, whole: str) -> tuple[OpenSpan, ...]:
    spans = []
    for part in text.split(","):
        opens, _, closes = part.partition("-")
        start, end = _minutes(opens, whole), _minutes(closes, whole)
        spans.append(OpenSpan(start, end if end > start else end + 1440))
    spans.sort(key=lambda span: span.opens)
    for one, following in pairwise(spans):
        if following.opens < one.closes:
            raise BadInput(f"opening hours {whole!r} overlap", remedy=_REMEDY)
    return tuple(spans)


def _minutes(text: str, whole: str) -> int:
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else 1441
    if minutes > 1440 or (found and int(found[2]) > 59):
        raise _unreadable(whole, text)
    return minutes


@lru_cache(maxsize=16_384)
def _moments(
    spans: tuple[OpenSpan, ...], day: date, time_zone: str
) -> tuple[tuple[datetime, datetime], ...]:
    """The spans of a day in UTC. The same few are asked for by every order of a day."""
    zone = ZoneInfo(time_zone)
    return tuple((_moment(day, s.opens, zone), _moment(day, s.closes, zone)) for s in spans)


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """The moment of a local minute of a day; wall time, so that a changed clock moves it."""
    days, rest = divmod(minute, 1440)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
    return wall.astimezone(ZoneInfo("UTC"))
