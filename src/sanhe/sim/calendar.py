"""The calendar that shoppers of a simulated retailer live by: Chinese holidays and 调休."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.places import official_days

if TYPE_CHECKING:
    from sanhe.sim.arrays import Bools, Ints


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


def calendar_of(first_day: date, days: int) -> Calendar:
    """The calendar of `days` days from `first_day` on."""
    ahead = 60
    weekday = (np.arange(days) + first_day.weekday()) % 7
    off = np.zeros(days + ahead, dtype=np.bool_)
    worked = np.zeros(days, dtype=np.bool_)
    for day, _, kind in official_days(first_day, first_day + timedelta(days=days + ahead - 1)):
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
