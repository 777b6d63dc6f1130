"""Codes as they are typed, windows, and how likely a guess is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sanhe.core.errors import BadInput
from sanhe.people.coupons import BY_KEY, expected_hits_a_day
from sanhe.people.coupons.rules import (
    ALPHABET,
    CODE_LENGTH,
    attempts_a_day,
    check_campaign,
    is_typed,
    masked,
    plain,
)
from tests.people.coupons.desk import BEGIN, END, NOW, SPRING


def test_with_ten_million_live_codes_a_day_of_guessing_hits_next_to_nothing() -> None:
    assert CODE_LENGTH >= 12 and set("ILOU").isdisjoint(ALPHABET)
    assert attempts_a_day(BY_KEY) == 87_000
    assert expected_hits_a_day(keys=1, live=10_000_000) < 1e-5
    assert expected_hits_a_day(keys=100_000, live=10_000_000) < 1e-5


def test_what_is_read_wrongly_is_typed_rightly() -> None:
    assert plain("7k2m-oil0 0000-ABCD") == "7K2M01100000ABCD"
    assert is_typed(plain("7k2m-oil0 0000-ABCD"))
    assert not is_typed("7K2M")
    assert not is_typed("7K2M0110000UABCD")


def test_a_message_shows_four_characters() -> None:
    assert masked("7k2m-oil0-0000-abcd") == "coupon …ABCD"


def test_a_coupon_is_valid_from_its_issue_until_the_end_or_so_many_days() -> None:
    later = NOW + timedelta(microseconds=7)
    assert SPRING.window(later) == (NOW, END)
    assert replace(SPRING, days=7).window(later) == (NOW, NOW + timedelta(days=7))
    assert replace(SPRING, days=70).window(later) == (NOW, END)
    assert replace(SPRING, days=7).window(BEGIN - timedelta(5)) == (BEGIN, BEGIN + timedelta(7))
    with pytest.raises(BadInput, match="campaign spring ended"):
        SPRING.window(END)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (replace(SPRING, name=" "), "campaigns/spring"),
        (replace(SPRING, ends_at=BEGIN), "campaigns/spring/ends_at"),
        (replace(SPRING, begins_at=BEGIN.replace(tzinfo=None)), "campaigns/spring/begins_at"),
        (replace(SPRING, most=0), "campaigns/spring/most"),
        (replace(SPRING, per_member=0), "campaigns/spring/per_member"),
        (replace(SPRING, days=0), "campaigns/spring/days"),
    ],
)
def test_a_campaign_that_cant_be_is_refused_by_its_place(wrong: object, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_campaign(wrong)  # type: ignore[arg-type]
    assert refused.value.place == place
