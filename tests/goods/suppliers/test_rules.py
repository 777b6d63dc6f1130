"""Order days, arrivals, protection intervals, costs, grouping, status."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.goods.suppliers import rules
from sanhe.goods.suppliers.rules import LineState, OrderLine, OrderStatus

MONDAY = date(2024, 6, 3)

calendars = st.sets(st.integers(1, 7)).map(lambda days: ",".join(map(str, sorted(days))))
some_days = st.dates(date(2024, 1, 1), date(2026, 12, 31))


def test_weekdays_are_read() -> None:
    assert rules.order_weekdays(" 1, 3,5 ") == {1, 3, 5}
    assert rules.order_weekdays(None) == rules.order_weekdays("") == rules.ANY_DAY


@pytest.mark.parametrize("text", ["0", "8", "mon", "1;3", "1.0"])
def test_wrong_weekdays_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        rules.order_weekdays(text)


def test_an_order_waits_for_the_vendors_day() -> None:
    thursday = rules.order_weekdays("4")
    assert rules.next_arrival(thursday, MONDAY, lead_time_days=2) == date(2024, 6, 8)
    # Ordered on Thursday 6, must last until what is ordered on Thursday 13 arrives on the 15th.
    assert rules.protection_days(thursday, MONDAY, lead_time_days=2) == 12


def test_daily_orders_protect_review_and_lead_time() -> None:
    assert rules.protection_days(rules.ANY_DAY, MONDAY, lead_time_days=3) == 4
    assert rules.protection_days(rules.ANY_DAY, MONDAY, lead_time_days=3, review_days=7) == 10


@given(calendars, some_days, st.integers(0, 30), st.integers(1, 21))
def test_the_next_order_day_is_the_first_that_fits(
    text: str, day: date, lead: int, review: int
) -> None:
    weekdays = rules.order_weekdays(text)
    ordered = rules.next_order_day(weekdays, day)
    assert 0 <= (ordered - day).days < 7
    assert ordered.isoweekday() in weekdays
    between = [day + timedelta(days=n) for n in range((ordered - day).days)]
    assert all(other.isoweekday() not in weekdays for other in between)
    covered = rules.protection_days(weekdays, day, lead_time_days=lead, review_days=review)
    assert covered >= (ordered - day).days + review + lead


@given(
    st.lists(st.tuples(calendars, st.integers(1, 20)), min_size=1, max_size=8),
    some_days,
    st.integers(0, 30),
)
def test_many_lines_at_once_equal_one_by_one(
    lines: list[tuple[str, int]], day: date, lead: int
) -> None:
    waits = rules.order_waits(
        [text for text, _ in lines], day, review_days=[review for _, review in lines]
    )
    for index, (text, review) in enumerate(lines):
        weekdays = rules.order_weekdays(text)
        assert waits.next_days[index] == (rules.next_order_day(weekdays, day) - day).days
        assert waits.following_days[index] + lead == rules.protection_days(
            weekdays, day, lead_time_days=lead, review_days=review
        )


def test_no_lines_have_no_waits() -> None:
    assert len(rules.order_waits([], MONDAY).next_days) == 0


def test_a_cost_per_case_is_finer_than_one_per_unit() -> None:
    cost = rules.line_cost_cents(37, unit_cost_cents=6, cost_per_case_cents=599, case_size=100)
    assert cost == 222  # 221.63
    assert rules.line_cost_cents(3, unit_cost_cents=6, cost_per_case_cents=None, case_size=9) == 18
    assert (
        rules.line_cost_cents(3, unit_cost_cents=None, cost_per_case_cents=None, case_size=9)
        is None
    )


quantities = st.integers(1, 500)
order_lines = st.builds(
    OrderLine,
    sku=st.sampled_from(["A", "B", "C"]),
    place=st.sampled_from(["S1", "S2"]),
    supplier=st.sampled_from(["V1", "V2"]),
    quantity=quantities,
    lead_time_days=st.one_of(st.none(), st.integers(0, 5)),
    currency=st.sampled_from([None, "CNY", "EUR"]),
)


@given(st.lists(st.tuples(order_lines, calendars.map(rules.order_weekdays))), st.randoms())
def test_grouping_loses_nothing_and_ignores_order(
    lines: list[tuple[OrderLine, frozenset[int]]], chance: object
) -> None:
    drafts = rules.group_lines(lines, MONDAY, lead_time_days=3)
    shuffled = sorted(lines, key=lambda _: chance.random())  # type: ignore[attr-defined]
    again = rules.group_lines(shuffled, MONDAY, lead_time_days=3)
    heads = [(d.supplier, d.place, d.due, d.currency) for d in drafts]
    assert heads == [(d.supplier, d.place, d.due, d.currency) for d in again]
    assert len(set(heads)) == len(heads)
    assert sorted(map(repr, (line for d in drafts for line in d.lines))) == sorted(
        repr(line) for line, _ in lines
    )
    for draft in drafts:
        assert {(line.supplier, line.place, line.currency) for line in draft.lines} == {
            (draft.supplier, draft.place, draft.currency)
        }


def test_nothing_can_not_be_ordered() -> None:
    with pytest.raises(BadInput, match="can't order 0 of A for S1"):
        rules.group_lines([(OrderLine("A", "S1", "V1", 0), rules.ANY_DAY)], MONDAY)


@pytest.mark.parametrize(
    ("sent", "lines", "status"),
    [
        (False, [LineState(5, 0)], OrderStatus.PROPOSED),
        (True, [LineState(5, 0)], OrderStatus.SENT),
        (True, [LineState(5, 5), LineState(2, 0)], OrderStatus.PART_RECEIVED),
        (True, [LineState(5, 5), LineState(2, 3)], OrderStatus.RECEIVED),
        (False, [LineState(5, 5)], OrderStatus.RECEIVED),
        (True, [LineState(5, 5), LineState(2, 0, closed=True)], OrderStatus.CLOSED),
        (True, [LineState(5, 0, closed=True)], OrderStatus.CLOSED),
    ],
)
def test_status_follows_from_the_lines(
    sent: bool, lines: list[LineState], status: OrderStatus
) -> None:
    assert rules.order_status(sent=sent, lines=lines) is status


def test_order_names_sort_as_numbers() -> None:
    assert rules.order_name(123) == "SH-000123"
