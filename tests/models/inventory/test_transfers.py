"""Matching what places can spare with what others need: never too much, never at a loss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.models.inventory import (
    Moves,
    MovingCost,
    Needs,
    Offers,
    bought,
    match,
    share_of_delay,
)

FREE = MovingCost(0.0, 0.0, 1)


def offers(*rows: tuple[int, int, float, int, float]) -> Offers:
    """Each as (group, giver, days, quantity, share)."""
    group, giver, days, quantity, share = zip(*rows, strict=True)
    return Offers(
        np.array(group), np.array(giver), np.array(days, float), np.array(quantity), np.array(share)
    )


def needs(*rows: tuple[int, int, int], case: int = 1, daily: float = 5.0) -> Needs:
    """Each as (group, taker, quantity), at 100 cents a unit."""
    group, taker, quantity = (np.array(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return Needs(
        group=group,
        taker=taker,
        quantity=quantity,
        moq=np.ones(n, np.int64),
        case_size=np.full(n, case),
        unit_cost_cents=np.full(n, 100.0),
        position=np.zeros(n, np.int64),
        by_day=np.full((n, 28), daily),
    )


def moved(moves: Moves) -> list[tuple[int, int, int]]:
    rows = zip(moves.offer.tolist(), moves.need.tolist(), moves.quantity.tolist(), strict=True)
    return sorted(rows)


def random_case(seed: int) -> tuple[Offers, Needs, MovingCost]:
    rng = np.random.default_rng(seed)
    k, r = int(rng.integers(1, 30)), int(rng.integers(1, 30))
    giver = rng.integers(0, 12, k)
    group_of = rng.integers(0, 3, 60)
    given_offers = Offers(
        group=group_of[giver],
        giver=giver,
        days=np.where(rng.random(k) < 0.5, np.inf, rng.integers(0, 20, k)),
        quantity=rng.integers(0, 40, k),
        share=rng.random(k),
    )
    taker = 20 + rng.permutation(40)[:r]
    given_needs = Needs(
        group=group_of[taker],
        taker=taker,
        quantity=rng.integers(1, 40, r),
        moq=rng.choice([1, 1, 6], r),
        case_size=rng.choice([1, 1, 4, 12], r),
        unit_cost_cents=rng.uniform(0, 500, r),
        position=rng.integers(-3, 20, r),
        by_day=rng.uniform(0, 4, (r, 14)),
    )
    cost = MovingCost(
        float(rng.uniform(0, 500)), float(rng.uniform(0, 20)), 1, bool(rng.random() < 0.5)
    )
    return given_offers, given_needs, cost


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_more_than_there_is_than_is_needed_or_than_it_is_worth(seed: int) -> None:
    given_offers, given_needs, cost = random_case(seed)
    moves = match(given_offers, given_needs, cost)
    assert (moves.quantity > 0).all()
    of_offer = np.bincount(moves.offer, moves.quantity, given_offers.giver.size)
    of_need = np.bincount(moves.need, moves.quantity, given_needs.taker.size)
    assert (of_offer <= given_offers.quantity).all()
    assert (of_need <= given_needs.quantity).all()
    assert (given_offers.group[moves.offer] == given_needs.group[moves.need]).all()
    assert (given_offers.days[moves.offer] > cost.lead_time_days).all()
    for need in np.unique(moves.need):
        mine = moves.need == need
        assert len(set(given_offers.giver[moves.offer[mine]].tolist())) == 1
        price = cost.cents_per_line + cost.cents_per_unit * moves.quantity[mine].sum()
        assert moves.saved_cents[mine].sum() > price
        if cost.full_cases:
            assert of_need[need] % given_needs.case_size[need] == 0


def test_the_lot_that_expires_first_goes_first_and_one_giver_gives_all_its_lots() -> None:
    given_offers = offers((0, 1, np.inf, 9, 1.0), (0, 2, 6, 4, 1.0), (0, 2, 3, 5, 1.0))
    moves = match(given_offers, needs((0, 7, 12)), FREE)
    assert moved(moves) == [(1, 0, 4), (2, 0, 5)]


def test_what_would_expire_there_as_well_stays() -> None:
    moves = match(offers((0, 1, 3, 40, 1.0)), needs((0, 7, 40), daily=4.0), FREE)
    # Sold on two of the three days, as it is on its way on the first.
    assert moved(moves) == [(0, 0, 8)]
    held = replace(needs((0, 7, 40), daily=4.0), position=np.array([10]))
    assert moved(match(offers((0, 1, 3, 40, 1.0)), held, FREE)) == [(0, 0, 2)]


def test_only_a_purchase_that_is_avoided_saves_money() -> None:
    cost = MovingCost(500.0, 0.0, 1)
    given_offers = offers((0, 1, np.inf, 8, 1.0))
    # 20 needed are bought as two cases of 12; with 8 fewer, as one.
    assert moved(match(given_offers, needs((0, 7, 20), case=12), cost)) == [(0, 0, 8)]
    # 24 needed less 8 are still two cases.
    assert moved(match(given_offers, needs((0, 7, 24), case=12), cost)) == []


def test_a_small_saving_is_not_worth_a_trip() -> None:
    given_offers, given_needs = offers((0, 1, np.inf, 8, 0.02)), needs((0, 7, 8))
    assert moved(match(given_offers, given_needs, MovingCost(10.0, 0.0, 1))) == [(0, 0, 8)]
    assert moved(match(given_offers, given_needs, MovingCost(16.0, 0.0, 1))) == []
    assert moved(match(given_offers, given_needs, MovingCost(0.0, 2.0, 1))) == []


def test_a_case_that_is_not_full_stays() -> None:
    cases = MovingCost(0.0, 0.0, 1, full_cases=True)
    moves = match(offers((0, 1, np.inf, 30, 1.0)), needs((0, 7, 26), case=12), cases)
    assert moved(moves) == [(0, 0, 24)]
    assert moves.loose.tolist() == [2]


def test_delay_saves_a_share_of_the_purchase() -> None:
    days = np.array([0.0, 73.0, np.inf])
    assert share_of_delay(days, holding_rate_per_year=0.25).round(4).tolist() == [0, 0.0476, 1]
    assert share_of_delay(days, holding_rate_per_year=0.0).tolist() == [0, 0, 1]


def test_what_is_bought_for_a_need() -> None:
    need, one = np.array([0, 1, 13]), np.array([1, 1, 1])
    assert bought(need, one * 6, one * 4).tolist() == [0, 8, 16]


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="offer"):
        match(offers((0, 1, 3, -1, 1.0)), needs((0, 7, 1)), FREE)
    with pytest.raises(ValueError, match="cost"):
        match(offers((0, 1, 3, 1, 1.0)), needs((0, 7, 1)), MovingCost(-1.0, 0.0, 1))
