"""S11 one membership: the same basket costs the same everywhere, and everyone is told why not."""

from __future__ import annotations

from datetime import UTC, datetime

from sanhe.people.promotions import (
    USUAL,
    Asked,
    Book,
    Coupon,
    Item,
    MemberPrice,
    Off,
    Promotion,
    Shopper,
    Step,
    priced,
)

BEGIN, NOON, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(
    2027, 1, 1, tzinfo=UTC
)  # fmt: skip
BOOK = Book(
    [
        Promotion("member", "member price", MemberPrice(), "price", BEGIN, END),
        Promotion("full", "10 off 100", Off((Step(10_000, 1_000),)), "basket", BEGIN, END),
        Promotion(
            "welcome", "5 off 50", Off((Step(5_000, 500),)), "coupon", BEGIN, END, coupon=True
        ),
    ],
    USUAL,
)
COUPON = Coupon("WELCOME-1", "welcome", BEGIN, END)


def basket(units: int, *, channel: str, tier: str = "gold") -> Asked:
    tea = Item(0, "TEA", units, 4_000, member_price_cents=3_600)
    return Asked((tea,), channel, "S1", NOON, Shopper(tier), (COUPON,))


def test_a_basket_costs_the_same_at_the_till_and_in_the_app() -> None:
    at_till, in_app = (priced(basket(3, channel=one), BOOK) for one in ("till", "app"))
    assert at_till == in_app and at_till.final_cents == 3 * 3_600 - 1_000 - 500
    assert [one.promotion for one in at_till.applied] == ["member", "full", "welcome"]


def test_who_is_refused_a_coupon_is_told_what_would_make_it_valid() -> None:
    found = priced(basket(1, channel="till"), BOOK)
    (why,) = (one for one in found.refused if one.coupon)
    assert str(why) == "its goods come to 3600 cents of 5000: 1400 more are missing"
    guest = priced(basket(1, channel="till", tier=""), BOOK)
    assert "it is for members" in [str(one) for one in guest.refused]
