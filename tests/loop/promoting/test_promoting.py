"""What a promotion would have done to past receipts, worked out by hand and from the lake."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.loop.promoting import (
    PUBLISH,
    Evidence,
    Given,
    Offered,
    PastBasket,
    Promoting,
    evidence,
    proposal,
)
from sanhe.people.promotions import (
    USUAL,
    Asked,
    Book,
    Goods,
    Item,
    Off,
    Percent,
    Promotion,
    Shopper,
    Step,
)

BEGIN, NOON, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(
    2027, 1, 1, tzinfo=UTC
)  # fmt: skip
FULL = Promotion("full", "ten off a hundred", Off((Step(10_000, 1_000),)), "basket", BEGIN, END)
TENTH = Promotion(
    "tenth", "a tenth off tea", Percent(1_000), "item", BEGIN, END, Goods(frozenset({"TEA"}))
)


def basket(*lines: tuple[str, int, int], tax: int = 0, place: str = "S1") -> PastBasket:
    """Lines of SKU, price and cost, one piece each."""
    items = tuple(
        Item(number, sku, 1, price, category="Food") for number, (sku, price, _) in enumerate(lines)
    )
    asked = Asked(items, "till", place, NOON, Shopper("gold"))
    return PastBasket(asked, tuple(cost for *_, cost in lines), (tax,) * len(lines))


def weighed(promotion: Promotion, *baskets: PastBasket, holding: list[Promotion]) -> Evidence:
    without, including = Book(holding, USUAL), Book([*holding, promotion], USUAL)
    return evidence(baskets, without=without, including=including, promotion=promotion.id)


def test_what_it_takes_off_and_how_much_more_has_to_be_bought() -> None:
    reached = basket(("A", 8_000, 5_000), ("B", 4_000, 3_000))
    near, far = basket(("A", 8_000, 5_000)), basket(("B", 4_000, 3_000), place="S2")
    found = weighed(FULL, reached, near, far, holding=[])
    assert (found.baskets, found.reached, found.discount_cents) == (3, 1, 1_000)
    assert (found.margin_before_cents, found.margin_after_cents) == (4_000, 3_000)
    assert found.change_cents == -1_000 and found.breakeven_share == pytest.approx(1 / 3)
    assert (found.near, found.lacking_cents) == (1, 2_000)
    assert found.refused == {"minimum_cents": 2}
    assert {name: part.reached for name, part in found.places.items()} == {"S1": 1, "S2": 0}


def test_tax_is_not_margin() -> None:
    found = weighed(FULL, basket(("A", 11_300, 5_000), tax=130_000), holding=[])
    assert found.margin_before_cents == 5_000
    assert found.change_cents == round(-1_000 / 1.13)


def test_a_promotion_that_others_give_way_to() -> None:
    """Tea falls below the hundred by the tenth, so that the ten off a hundred no longer counts."""
    found = weighed(TENTH, basket(("TEA", 10_500, 6_000), ("B", 400, 300)), holding=[FULL])
    assert (found.discount_cents, found.displaced_cents) == (1_050, -1_000)
    assert found.change_cents == -50
    assert found.exposed_cents == 400, "other goods of its category"
    told = proposal(TENTH, found, version=1)
    assert told.terms == (-1_050, 1_000, 0) and told.value == -50
    assert sum(told.terms) == told.value and len(told.terms) == len(PUBLISH.terms)


def test_below_cost_it_never_pays() -> None:
    cheap = Promotion("half", "half", Percent(5_000), "item", BEGIN, END)
    found = weighed(cheap, basket(("A", 1_000, 600)), holding=[])
    assert found.breakeven_share is None
    assert "never pays" in proposal(cheap, found, version=1).reason


def test_costs_that_are_not_known_are_said() -> None:
    known, unknown = basket(("A", 10_000, 6_000)), basket(("B", 30_000, 0))
    unknown = PastBasket(unknown.asked, (None,), (0,))
    found = weighed(FULL, known, unknown, holding=[])
    assert found.cost_known_share == 0.25 and found.margin_before_cents == 4_000
    assert found.change_cents == -2_000, "what is taken off is known all the same"
    assert proposal(FULL, found, version=1).guard_rails == ("cost_known_share",)


def test_one_that_no_basket_would_have_had_has_no_evidence() -> None:
    found = weighed(FULL, basket(("A", 500, 100)), holding=[])
    with pytest.raises(BadInput, match="none of 1 past baskets would have had it"):
        proposal(FULL, found, version=1)


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(["TEA", "A", "B"]), st.integers(0, 20_000), st.just(100)),
            min_size=1,
            max_size=4,
            unique_by=lambda line: line[0],
        ),
        max_size=8,
    ),
    st.sampled_from([0, 60_000, 130_000]),
)
def test_the_terms_sum_up_and_the_interval_holds_the_change(
    lines: list[list[tuple[str, int, int]]], tax: int
) -> None:
    found = weighed(TENTH, *(basket(*one, tax=tax) for one in lines), holding=[FULL])
    assert found.low_cents <= found.change_cents <= found.high_cents
    if found.reached:
        told = proposal(TENTH, found, version=1)
        assert sum(told.terms) == told.value
        if not tax:
            assert told.terms[2] == 0


def sold(number: int, receipt: str | None, sku: str, *, units: int, cents: int, day: int) -> Fact:
    payload: dict[str, Any] = {} if receipt is None else {"receipt": receipt}
    on = date(2026, 5, day)
    moment = datetime(2026, 5, day, 4, tzinfo=UTC)
    return Fact(
        "sale.line", "till", f"L{number}", moment, on, sku, "S1", None, units, cents, "CNY", payload
    )  # fmt: skip


def test_receipts_of_the_lake_are_the_baskets() -> None:
    lake = MemoryLake()
    facts = [
        sold(1, "r1", "A", units=2, cents=8_000, day=30),
        sold(2, "r1", "RICE", units=1_000, cents=2_500, day=30),
        sold(3, "r2", "A", units=1, cents=4_000, day=30),
        sold(4, None, "A", units=9, cents=36_000, day=30),
        sold(5, "r1", "A", units=-1, cents=-4_000, day=31),
        sold(6, "r1", "A", units=3, cents=12_000, day=29),
    ]
    write_facts(lake, facts_table(facts))
    goods = {"A": Offered("Food", unit_cost_cents=3_000), "RICE": Offered("Food", "g")}
    asked = {
        "stacking": USUAL, "goods": goods, "as_of": date(2026, 6, 1), "time_zone": "Asia/Shanghai",
    }  # fmt: skip
    found = Promoting(lake).evidence(FULL, [], **asked)
    assert (found.baskets, found.reached, found.discount_cents) == (3, 2, 2_000)
    assert found.revenue_cents == 10_500 + 12_000
    members = Promotion(
        "m", "members", Percent(1_000), "item", BEGIN, END, tiers=frozenset({"gold"})
    )
    assert Promoting(lake).evidence(members, [], **asked).reached == 3
    coupon = Promotion("c", "coupon", Percent(1_000), "coupon", BEGIN, END, coupon=True)
    assert Promoting(lake).evidence(coupon, [], **asked).reached == 3
    with pytest.raises(NotFound, match="no receipts from 2025"):
        Promoting(lake).evidence(FULL, [], **{**asked, "as_of": date(2026, 1, 1)})


def given_to(line: Fact, promotion: str, cents: int) -> Fact:
    """What a promotion took off a line."""
    payload = {**line.payload, "promotion": promotion, "coupon": False}
    return replace(
        line,
        type="discount.given",
        external_id=f"{line.external_id}/{promotion}",
        amount_cents=cents,
        payload=payload,
    )


def test_past_baskets_are_weighed_at_their_prices_before_promotions() -> None:
    """Ten were taken off a hundred then: the hundred is reached all the same."""
    lake = MemoryLake()
    line = sold(1, "r1", "A", units=2, cents=9_000, day=30)
    other = sold(2, "r2", "A", units=1, cents=5_000, day=30)
    asked = {
        "stacking": USUAL,
        "goods": {"A": Offered("Food", unit_cost_cents=3_000)},
        "as_of": date(2026, 6, 1),
        "time_zone": "Asia/Shanghai",
    }
    write_facts(lake, facts_table([line, other]))
    assert Promoting(lake).evidence(FULL, [], **asked).reached == 0
    assert Promoting(lake).given("old") == Given(0, 0, None, None)
    facts = [line, other, given_to(line, "old", 600), given_to(line, "older", 400)]
    write_facts(lake, facts_table(facts))
    found = Promoting(lake).evidence(FULL, [], **asked)
    assert (found.reached, found.revenue_cents, found.discount_cents) == (1, 10_000, 1_000)
    day = date(2026, 5, 30)
    assert Promoting(lake).given("old") == Given(1, 600, day, day)
