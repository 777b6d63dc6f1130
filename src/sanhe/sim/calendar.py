"""Chinese public holidays with their moved working days (调休), 2024 to 2026, as data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sanhe.sim.arrays import Bools, Ints


@dataclass(frozen=True, slots=True)
class Holiday:
    """One holiday: `first` and `last` day off, and the weekend days worked for it."""

    name: str
    first: date
    last: date
    working: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The calendar of a span of days, as arrays of shape [days].

    `weekday` is 0 for Monday to 6 for Sunday; `off` marks public holidays; `worked` marks
    weekend days that are worked; `feels` is the weekday that shoppers live by: a public
    holiday counts as Sunday, a worked weekend day as Wednesday; `eve` counts the days until
    the next public holiday, 99 when none is near.
    """

    first_day: date
    weekday: Ints
    off: Bools
    worked: Bools
    feels: Ints
    eve: Ints


@cache
def holidays() -> tuple[Holiday, ...]:
    """All holidays of the table, oldest first."""
    text = files("sanhe.sim").joinpath("holidays.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["holiday"]
    return tuple(
        Holiday(row["name"], row["first"], row["last"], tuple(row["working"])) for row in rows
    )


def holidays_between(first: date, last: date) -> list[tuple[date, str, str]]:
    """Each (day, name, kind) from `first` to `last`; kind is "public" or "working_day"."""
    found: list[tuple[date, str, str]] = []
    for holiday in holidays():
        span = (holiday.last - holiday.first).days + 1
        days_off = [holiday.first + timedelta(days=step) for step in range(span)]
        found += [(day, holiday.name, "public") for day in days_off]
        found += [(day, holiday.name, "working_day") for day in holiday.working]
    return sorted(row for row in found if first <= row[0] <= last)


def calendar_of(first_day: date, days: int) -> Calendar:
    """The calendar of `days` days from `first_day` on."""
    ahead = 60
    weekday = (np.arange(days) + first_day.weekday()) % 7
    off = np.zeros(days + ahead, dtype=np.bool_)
    worked = np.zeros(days, dtype=np.bool_)
    for day, _, kind in holidays_between(first_day, first_day + timedelta(days=days + ahead - 1)):
        index = (day - first_day).days
        if kind == "public":
            off[index] = True
        elif index < days:
            worked[index] = True
    eve = np.full(days, 99)
    until = 99
    for index in range(days + ahead - 1, -1, -1):
        until = 0 if off[index] else min(99, until + 1)
        if index < days:
            eve[index] = until
    off = off[:days]
    feels = np.where(off, 6, np.where(worked, 2, weekday))
    return Calendar(first_day, weekday, off, worked, feels, eve)
