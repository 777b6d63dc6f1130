"""Who an order goes to: checked by field, never in a message, masked for who need not know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sanhe.core.errors import BadInput
from sanhe.place.orders import Kept, Masked, Recipient
from sanhe.place.orders.recipient import checked_recipient
from tests.place.fulfil.store import ZHANG

FETCHER = Recipient("李雷", "+86 138-0013-1234")


def test_a_recipient_is_kept_as_it_is_written() -> None:
    assert Recipient.read(ZHANG.written()) == ZHANG
    spaced = replace(ZHANG, name=" 张小明 ", phone="１３８ 0013 1234")
    assert checked_recipient(spaced, "courier") == ZHANG
    assert checked_recipient(FETCHER, "pickup") == FETCHER
    assert checked_recipient(None, "pickup") is None
    assert checked_recipient(None, "carry") is None


@pytest.mark.parametrize("phone", ["12315", "+49 30 1234567", "021 5555 1234", "021-55551234/8"])
def test_numbers_of_all_countries_are_taken(phone: str) -> None:
    assert checked_recipient(replace(ZHANG, phone=phone), "courier") is not None


@pytest.mark.parametrize(
    ("method", "change", "field"),
    [
        ("courier", {"name": " "}, "recipient/name"),
        ("courier", {"name": "x" * 81}, "recipient/name"),
        ("courier", {"name": "a\ud800"}, "recipient/name"),
        ("courier", {"phone": ""}, "recipient/phone"),
        ("courier", {"phone": "2468"}, "recipient/phone"),
        ("courier", {"phone": "1" * 16}, "recipient/phone"),
        ("courier", {"phone": "call me"}, "recipient/phone"),
        ("courier", {"lines": ()}, "recipient/lines"),
        ("courier", {"lines": ("",)}, "recipient/lines"),
        ("courier", {"lines": ("a",) * 5}, "recipient/lines"),
        ("courier", {"lines": ("a", "b\x07")}, "recipient/lines/1"),
        ("courier", {"region": "x" * 121}, "recipient/region"),
        ("courier", {"postcode": "x" * 17}, "recipient/postcode"),
        ("courier", {"note": "x" * 301}, "recipient/note"),
        ("pickup", {}, "recipient/lines"),
        ("pickup", {"lines": ()}, "recipient/region"),
        ("pickup", {"lines": (), "region": ""}, "recipient/postcode"),
        ("carry", {}, "recipient"),
    ],
)
def test_what_cant_be_is_named_by_its_field_and_not_said(
    method: str, change: dict[str, str], field: str
) -> None:
    with pytest.raises(BadInput) as refused:
        checked_recipient(replace(ZHANG, **change), method)  # type: ignore[arg-type]
    assert refused.value.place == field
    for text in (ZHANG.name, ZHANG.phone, *ZHANG.lines, *map(str, change.values())):
        assert len(text) < 3 or text not in str(refused.value)


def test_a_courier_needs_somebody() -> None:
    with pytest.raises(BadInput, match="who to bring it to") as refused:
        checked_recipient(None, "courier")
    assert refused.value.place == "recipient"


@pytest.mark.parametrize("text", ["5", "[]x", '{"name": 1, "phone": "2"}', '{"who": "x"}', "null"])
def test_what_is_no_recipient_is_not_read(text: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Recipient.read(text)


def test_nothing_is_shown_by_chance_and_a_mask_shows_little() -> None:
    assert repr(ZHANG) == str(ZHANG) == "Recipient(…)"
    assert Masked.of(ZHANG) == Masked(Kept.KEPT, "张**", "138****1234", "上海市浦东新区")
