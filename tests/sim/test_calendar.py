"""What the calendar makes of days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sanhe.sim.calendar import calendar_of


@pytest.mark.parametrize(
    ("day", "off", "worked", "feels"),
    [
        (date(2025, 10, 1), True, False, 6),
        (date(2025, 9, 28), False, True, 2),
        (date(2025, 9, 27), False, False, 5),
        (date(2025, 9, 24), False, False, 2),
    ],
)
def test_what_a_day_feels_like(day: date, off: bool, worked: bool, feels: int) -> None:
    first = date(2025, 9, 1)
    calendar = calendar_of(first, 60)
    index = (day - first).days
    assert (calendar.off[index], calendar.worked[index]) == (off, worked)
    assert calendar.feels[index] == feels


def test_the_days_until_a_holiday_are_counted_past_the_end() -> None:
    first = date(2025, 9, 20)
    calendar = calendar_of(first, 6)
    assert first + timedelta(days=5) == date(2025, 9, 25)
    assert list(calendar.eve) == [11, 10, 9, 8, 7, 6]
