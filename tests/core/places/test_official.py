"""The shipped table of official holidays."""

from __future__ import annotations

from datetime import date

import pytest

from sanhe.core.places import official_days, official_holidays


def test_the_table_covers_four_years_of_seven_holidays() -> None:
    by_year = dict.fromkeys((2023, 2024, 2025, 2026), 0)
    for holiday in official_holidays():
        by_year[holiday.last.year] += 1
    # In 2023 and 2025 Mid-Autumn fell into National Day, so that one row holds both.
    assert by_year == {2023: 6, 2024: 7, 2025: 6, 2026: 7}


def test_worked_days_are_weekend_days_and_no_day_is_both() -> None:
    for holiday in official_holidays():
        assert holiday.first <= holiday.last
        for day in holiday.working:
            assert day.weekday() >= 5
            assert not holiday.first <= day <= holiday.last


def test_every_year_has_its_statutory_days_off() -> None:
    # Days off on weekdays less weekend days worked: 11 until 2024, 13 from 2025 on, of which
    # those that fall on a weekend and are not moved don't show.
    for year, least in ((2023, 9), (2024, 10), (2025, 12), (2026, 11)):
        off, worked = 0, 0
        for day, _, kind in official_days(date(year, 1, 1), date(year, 12, 31)):
            off += kind == "public" and day.weekday() < 5
            worked += kind == "working_day"
        assert off - worked >= least


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2023, 10, 8), "working_day"),
        (date(2024, 2, 9), None),
        (date(2024, 2, 10), "public"),
        (date(2025, 2, 4), "public"),
        (date(2026, 2, 14), "working_day"),
        (date(2026, 2, 23), "public"),
        (date(2026, 2, 24), None),
    ],
)
def test_days_as_the_notices_say(day: date, kind: str | None) -> None:
    assert [found for _, _, found in official_days(day, day)] == ([kind] if kind else [])
