"""What holds for any basket and any promotions."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sanhe.people.promotions import (
    USUAL,
    Asked,
    Book,
    BuyGet,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    Item,
    Priced,
    Promotion,
    Why,
    priced,
    spread,
)
from tests.people.promotions.shelves import BEGIN, END, NOON, asked, promotions


@given(asked(), promotions())
def test_every_cent_has_its_reason(basket: Asked, rules: list[Promotion]) -> None:
    found = priced(basket, Book(rules, USUAL))
    off: Counter[int] = Counter()
    for one in found.applied:
        assert sum(cents for _, cents in one.shares) == one.cents
        assert all(cents > 0 for _, cents in one.shares)
        off.update(dict(one.shares))
    for item, before in zip(found.items, basket.items, strict=True):
        assert item.initial_cents == before.cents(before.price_cents)
        assert item.final_cents == item.initial_cents - off[item.line] >= 0


@given(asked(), promotions())
def test_limits_hold(basket: Asked, rules: list[Promotion]) -> None:
    found = priced(basket, Book(rules, USUAL))
    known = {one.id: one for one in rules}
    counting = [known[one.promotion] for one in found.applied]
    for one, promotion in zip(found.applied, counting, strict=True):
        for most in (promotion.cap_cents, promotion.budget_cents):
            assert most is None or one.cents <= most
        assert promotion.coupon == bool(one.coupon)
        assert not promotion.tiers or basket.shopper.tier in promotion.tiers
    groups = [one.group for one in counting if one.group]
    assert len(groups) == len(set(groups)), "one of a group"
    names = {one.id for one in counting}
    later = {one.id: number for number, one in enumerate(Book(rules, USUAL).promotions)}
    for promotion in counting:
        excluded = {
            name for name in promotion.excludes & names if later[name] > later[promotion.id]
        }
        assert not excluded
    bearing: dict[int, list[str]] = {}
    for one in found.applied:
        for line, _ in one.shares:
            bearing.setdefault(line, []).append(known[one.promotion].stage)
    for stages in bearing.values():
        for at, stage in enumerate(stages):
            assert all(USUAL.allows(stage, other) for other in stages[:at])


@given(asked(), promotions())
def test_each_coupon_counts_or_is_told_why_not(basket: Asked, rules: list[Promotion]) -> None:
    found = priced(basket, Book(rules, USUAL))
    told = [one.coupon for one in (*found.applied, *found.refused) if one.coupon]
    assert sorted(told) == sorted(coupon.code for coupon in basket.coupons)


@given(asked(), promotions(), st.randoms(use_true_random=False))
def test_no_order_of_giving_makes_a_difference(
    basket: Asked, rules: list[Promotion], dice: random.Random
) -> None:
    one = priced(basket, Book(rules, USUAL))
    items = tuple(dice.sample(basket.items, len(basket.items)))
    coupons = tuple(dice.sample(basket.coupons, len(basket.coupons)))
    mixed = Book(dice.sample(rules, len(rules)), USUAL)
    assert priced(replace(basket, items=items, coupons=coupons), mixed) == one


@given(asked(), promotions())
def test_a_refusal_for_too_little_is_no_longer_told_once_it_is_there(
    basket: Asked, rules: list[Promotion]
) -> None:
    """What would make a promotion count does: by so much of its goods at the same price."""
    alone = [replace(one, excludes=frozenset(), group="", budget_cents=None) for one in rules[:1]]
    found = priced(basket, Book(alone, USUAL))
    for one in found.refused:
        if one.why is not Why.MINIMUM_CENTS or isinstance(alone[0].offer, (Gift, FreePostage)):
            continue
        sku = next(iter(sorted(alone[0].goods.skus)), "A9")
        category = next(iter(sorted(alone[0].goods.categories)), "")
        more = Item(99, sku, 1, one.needs - one.has, category=category)
        again = priced(replace(basket, items=(*basket.items, more)), Book(alone, USUAL))
        assert all(each.why is not Why.MINIMUM_CENTS for each in again.refused)


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**7), min_size=1, max_size=30))
def test_what_is_shared_out_sums_up(cents: int, weights: list[int]) -> None:
    cents = min(cents, sum(weights))
    parts = spread(cents, weights)
    assert sum(parts) == cents
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


def cheapest_of_each(prices: list[int], offer: BuyGet) -> int:
    """The plain way: all pieces in a row, the dearest first."""
    row, each = sorted(prices, reverse=True), offer.buy + offer.get
    whole = len(row) // each if offer.times is None else min(offer.times, len(row) // each)
    return sum(row[at] for at in range(whole * each) if at % each >= offer.buy)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 50)), min_size=1, max_size=6),
    st.builds(BuyGet, st.integers(1, 4), st.integers(1, 3), times=st.none() | st.integers(1, 3)),
)
def test_the_free_pieces_are_those_that_a_row_of_pieces_shows(
    lines: list[tuple[int, int]], offer: BuyGet
) -> None:
    basket = tuple(Item(at, f"A{at}", units, 10 * cents) for at, (units, cents) in enumerate(lines))
    rule = Promotion("p", "free", offer, "item", BEGIN, END)
    found: Priced = priced(Asked(basket, "till", "S1", NOON), Book([rule], USUAL))
    pieces = [item.price_cents for item in basket for _ in range(item.units)]
    off = sum(item.initial_cents - item.final_cents for item in found.items)
    assert off == cheapest_of_each(pieces, offer)


def test_a_free_piece_is_one_of_the_dearest_line() -> None:
    offer = FixedPrice(0, pieces=2)
    rule = Promotion("p", "trial", offer, "item", BEGIN, END, goods=Goods(skus=frozenset("AB")))
    basket = (Item(0, "A", 1, 900), Item(1, "B", 3, 500))
    found = priced(Asked(basket, "till", "S1", NOON), Book([rule], USUAL))
    assert [item.final_cents for item in found.items] == [0, 1_000]
