"""Opening hours: read in the ways shops write them, and counted minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.place.stores import OpeningHours, OpenSpan, opening_hours

ZONE = "Asia/Shanghai"
MONDAY = datetime(2024, 6, 3, tzinfo=ZoneInfo(ZONE))


def at(hour: float, *, days: int = 0) -> datetime:
    return MONDAY + timedelta(days=days, hours=hour)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("09:00-21:00", "Mo-Su 09:00-21:00"),
        ("周一至周五 9:00～21:00；周六、周日 10:00-22:00", "Mo-Fr 09:00-21:00; Sa,Su 10:00-22:00"),
        ("24/7", "00:00-24:00"),
        ("Mo-Su 08:00-20:00; Su off", "Mo-Sa 08:00-20:00"),
        ("每天 10:00-22:00；节假日 休息", "10:00-22:00; PH off"),
        ("Fr-Mo 10:00-12:00", "Mo,Fr,Sa,Su 10:00-12:00"),
    ],
)
def test_ways_of_writing_the_same_hours(text: str, same: str) -> None:
    assert opening_hours(text) == opening_hours(same)


@pytest.mark.parametrize(
    "text",
    ["", "nine to five", "Mo 25:00-26:00", "Mo 9-17", "Xx 09:00-10:00", "Mo 09:60-10:00",
     "09:00-12:00,11:00-13:00"],
)  # fmt: skip
def test_hours_that_say_nothing_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="opening hours"):
        opening_hours(text)


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    bar = opening_hours("Fr,Sa 20:00-02:00")
    assert bar.week[4] == (OpenSpan(1200, 1560),)
    late = at(1, days=5)  # Saturday 01:00, Friday's hours
    assert next(bar.spans(late, time_zone=ZONE))[0] == late
    assert bar.after(late, 90, time_zone=ZONE) == at(20.5, days=5)


def test_work_waits_for_opening_and_runs_over_closing() -> None:
    hours = opening_hours("Mo-Fr 09:00-12:00,13:00-18:00; PH off")
    assert hours.after(at(7), 0, time_zone=ZONE) == at(9)
    assert hours.after(at(11.5), 30, time_zone=ZONE) == at(12)
    assert hours.after(at(11.5), 60, time_zone=ZONE) == at(13.5)
    assert hours.after(at(17.5, days=4), 60, time_zone=ZONE) == at(9.5, days=7)
    off = frozenset({date(2024, 6, 10)})
    assert hours.after(at(17.5, days=4), 60, time_zone=ZONE, holidays=off) == at(9.5, days=8)
    assert OpeningHours(((),) * 7).after(at(9), 5, time_zone=ZONE) is None


def test_the_clock_is_the_places_own() -> None:
    hours = opening_hours("Mo-Fr 09:00-17:00")
    spring = datetime(2024, 3, 8, 21, 30, tzinfo=UTC)  # Friday 16:30 in New York; on Sunday +1 h
    assert hours.after(spring, 60, time_zone="America/New_York") == datetime(
        2024, 3, 11, 13, 30, tzinfo=UTC
    )


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(11, 23)), min_size=7, max_size=7),
    st.integers(0, 10_000),
    st.integers(0, 600),
)
def test_after_agrees_with_counting_minutes(
    week: list[tuple[int, int]], start: int, minutes: int
) -> None:
    hours = OpeningHours(tuple((OpenSpan(a * 60, b * 60),) for a, b in week))
    since = MONDAY + timedelta(minutes=start)
    moment, open_minutes = since, 0

    def is_open(when: datetime) -> bool:
        opens, closes = week[when.weekday()]
        return opens * 60 <= when.hour * 60 + when.minute < closes * 60

    while not (is_open(moment) if minutes == 0 else open_minutes == minutes):
        open_minutes += is_open(moment)
        moment += timedelta(minutes=1)
    assert hours.after(since, minutes, time_zone=ZONE) == moment
