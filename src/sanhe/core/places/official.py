"""The official public holidays of mainland China with their moved working days (调休), as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class OfficialHoliday:
    """One holiday: `first` and `last` day off, and the weekend days worked for it."""

    name: str
    first: date
    last: date
    working: tuple[date, ...]


@cache
def official_holidays() -> tuple[OfficialHoliday, ...]:
    """All holidays of the shipped table, oldest first."""
    text = files("sanhe.core.places").joinpath("holidays_cn.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["holiday"]
    return tuple(
        OfficialHoliday(row["name"], row["first"], row["last"], tuple(row["working"]))
        for row in rows
    )


def official_days(first: date, last: date) -> list[tuple[date, str, str]]:
    """Each (day, name, kind) from `first` to `last`; kind is "public" or "working_day"."""
    found: list[tuple[date, str, str]] = []
    for holiday in official_holidays():
        span = (holiday.last - holiday.first).days + 1
        days_off = [holiday.first + timedelta(days=step) for step in range(span)]
        found += [(day, holiday.name, "public") for day in days_off]
        found += [(day, holiday.name, "working_day") for day in holiday.working]
    return sorted(row for row in found if first <= row[0] <= last)
