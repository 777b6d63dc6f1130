"""A promotion as a sentence: everything that decides is in it, in both languages."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sanhe.people.promotions import LANGUAGES, Promotion, sentence
from sanhe.people.promotions.rules import (
    Bundle,
    BuyGet,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    MemberPrice,
    Off,
    Offer,
    Part,
    Percent,
    Step,
)

DAY = datetime(2026, 9, 1, tzinfo=UTC)
TEA = Goods(categories=frozenset({"Tea"}), without_skus=frozenset({"T-1"}))
PLAIN = Promotion("P", "P", Percent(1_250), "item", DAY, DAY)
LIMITS: dict[str, Any] = {
    "coupon": True,
    "minimum_cents": 10_000,
    "minimum_pieces": 3,
    "channels": frozenset({"app"}),
    "places": frozenset({"S1"}),
    "tiers": frozenset({"gold"}),
    "newcomers": True,
    "weekdays": frozenset({1, 7}),
    "month_days": frozenset({8, 18}),
    "cap_cents": 5_000,
    "per_member": 2,
    "budget_cents": 900_000,
}


def yuan(cents: int) -> str:
    return f"¥{cents / 100:g}"


@pytest.mark.parametrize(
    ("offer", "english", "chinese"),
    [
        (Percent(1_250), "12.5 % off Tea without T-1.", "Tea（不含T-1）减12.5%。"),
        (Percent(1_000, "initial"), "10 % off the first price of Tea without T-1.", None),
        (
            Off((Step(10_000, 1_000), Step(20_000, 3_000))),
            "¥10 off from ¥100, ¥30 off from ¥200 on Tea without T-1.",
            "Tea（不含T-1）满¥100减¥10、满¥200减¥30。",
        ),
        (
            Off((Step(10_000, 1_000),), times=3),
            "¥10 off for each ¥100 of Tea without T-1, up to 3 times.",
            "Tea（不含T-1）每满¥100减¥10，最多3次。",
        ),
        (
            FixedPrice(0, 1),
            "Tea without T-1 at ¥0 a piece, at most 1 of a basket.",
            "Tea（不含T-1）每件¥0，每单最多1件。",
        ),
        (MemberPrice(), "Tea without T-1 at the member price.", "Tea（不含T-1）享会员价。"),
        (BuyGet(2, 1), "of each 3 pieces of Tea without T-1 the cheapest 1 free.", None),
        (
            BuyGet(1, 1, 5_000, times=2),
            "of each 2 pieces of Tea without T-1 the cheapest 1 for 50 % less, up to 2 times.",
            None,
        ),
        (
            Bundle((Part(TEA, 2), Part(Goods(skus=frozenset({"CUP"})), 1)), 9_900),
            "2 of Tea without T-1 and 1 of CUP together for ¥99.",
            "Tea（不含T-1）2件加CUP1件一起¥99。",
        ),
        (Gift("CUP", 2), "2 of CUP as a gift with Tea without T-1.", None),
        (FreePostage(800), "free delivery with Tea without T-1, up to ¥8.", None),
    ],
)
def test_each_offer_is_told(offer: Offer, english: str, chinese: str | None) -> None:
    promotion = replace(PLAIN, offer=offer, goods=TEA)
    assert sentence(promotion, "en", yuan) == english
    told = sentence(promotion, "zh-CN", yuan)
    assert told == chinese if chinese else told.endswith("。")


def test_whatever_limits_a_promotion_changes_its_sentence() -> None:
    shown_beside = {"id", "name", "offer", "stage", "begins_at", "ends_at", "goods"}
    joined_with = {"priority", "group", "excludes"}
    assert {one.name for one in fields(Promotion)} == {*LIMITS, *shown_beside, *joined_with}
    for language in LANGUAGES:
        plain = sentence(PLAIN, language, yuan)
        told = [sentence(replace(PLAIN, **{name: LIMITS[name]}), language, yuan) for name in LIMITS]
        assert len({plain, *told}) == 1 + len(LIMITS)
        assert not any("{" in one for one in told)
