"""The holiday table and what it makes of days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sanhe.sim.calendar import calendar_of, holidays, holidays_between


def test_the_table_covers_three_years_of_seven_holidays() -> None:
    by_year = dict.fromkeys((2024, 2025, 2026), 0)
    for holiday in holidays():
        by_year[holiday.first.year] += 1
    # In 2025 Mid-Autumn fell into National Day, so that one row holds both.
    assert by_year == {2024: 7, 2025: 6, 2026: 7}


def test_worked_days_are_weekend_days_and_no_day_is_both() -> None:
    for holiday in holidays():
        assert holiday.first <= holiday.last
        for day in holiday.working:
            assert day.weekday() >= 5
            assert not holiday.first <= day <= holiday.last


def test_every_year_has_its_statutory_days_off() -> None:
    # Days off on weekdays less weekend days worked: 11 until 2024, 13 from 2025 on, of which
    # those that fall on a weekend and are not moved don't show.
    for year, least in ((2024, 10), (2025, 12), (2026, 11)):
        off, worked = 0, 0
        for day, _, kind in holidays_between(date(year, 1, 1), date(year, 12, 31)):
            off += kind == "public" and day.weekday() < 5
            worked += kind == "working_day"
        assert off - worked >= least


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
