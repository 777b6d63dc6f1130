"""Coupons used in the past, by member, campaign and week."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.people.coupons import used_by_week


def used(number: int, member: str, on: date, *, cents: int | None, **payload: object) -> Fact:
    moment = datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
    return Fact(
        "coupon.used", "crm", f"U{number}", moment, on, None, None, member, None, cents, "CNY",
        payload,
    )  # fmt: skip


def test_uses_are_added_up_by_member_campaign_and_week() -> None:
    lake = MemoryLake()
    monday, sunday, next_monday = date(2026, 5, 4), date(2026, 5, 10), date(2026, 5, 11)
    facts = [
        used(1, "M1", monday, cents=100, campaign="K1", match_cents=20),
        used(2, "M1", sunday, cents=50, campaign="K1"),
        used(3, "M1", next_monday, cents=7, campaign="K1"),
        used(4, "M1", monday, cents=3),
        used(5, "M2", monday, cents=None, campaign="K1", coupon="C"),
    ]
    write_facts(lake, facts_table(facts))
    rows = [tuple(row.values()) for row in used_by_week(lake).to_pylist()]
    assert rows == [
        ("M1", None, monday, 1, 3, 0),
        ("M1", "K1", monday, 2, 150, 20),
        ("M1", "K1", next_monday, 1, 7, 0),
        ("M2", "K1", monday, 1, 0, 0),
    ]


def test_without_uses_there_are_no_rows() -> None:
    assert used_by_week(MemoryLake()).num_rows == 0
