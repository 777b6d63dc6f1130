"""What goes back to each tender: in whatever steps, it ends the same."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.place.orders.rules import Tenders, split

WEIGHTS = st.lists(st.integers(0, 60), min_size=1, max_size=3)


@given(WEIGHTS)
def test_no_cent_more_ever_leaves_anybody_with_fewer(weights: list[int]) -> None:
    before = split(0, weights)
    assert before == [0] * len(weights)
    for cents in range(1, sum(weights) + 1):
        after = split(cents, weights)
        assert sum(after) == cents
        assert all(one <= other for one, other in zip(before, after, strict=True))
        assert all(one <= weight for one, weight in zip(after, weights, strict=True))
        before = after
    assert before == weights


@given(WEIGHTS, st.data())
def test_it_is_the_divisor_method_from_its_beginning(
    weights: list[int], data: st.DataObject
) -> None:
    cents = data.draw(st.integers(0, sum(weights)))
    shares = [0] * len(weights)
    for _ in range(cents):
        claims = [Fraction(w, 2 * has + 1) for w, has in zip(weights, shares, strict=True)]
        shares[claims.index(max(claims))] += 1
    assert split(cents, weights) == shares


@given(st.lists(st.integers(0, 10**12), min_size=3, max_size=3), st.data())
def test_nobody_is_a_cent_away_from_the_exact_share(
    weights: list[int], data: st.DataObject
) -> None:
    whole = sum(weights)
    cents = data.draw(st.integers(0, whole))
    for share, weight in zip(split(cents, weights), weights, strict=True):
        assert abs(Fraction(share) - (Fraction(cents * weight, whole) if whole else 0)) < 1


@pytest.mark.parametrize("cents", [-1, 4])
def test_more_than_there_is_can_t_be_shared_out(cents: int) -> None:
    with pytest.raises(BadInput):
        split(cents, (1, 2))


@given(
    points=st.integers(0, 5_000),
    stored=st.integers(0, 5_000),
    money=st.integers(0, 5_000),
    steps=st.lists(st.integers(1, 3_000), max_size=12),
)
def test_what_goes_back_in_steps_is_what_was_given(
    points: int, stored: int, money: int, steps: list[int]
) -> None:
    # Ten points are worth three cents: points are rounded by themselves.
    paid = Tenders(points, points * 3 // 10, stored, money)
    whole = paid.points_cents + stored + money
    gone, had = 0, paid.share(0)
    for step in [*steps, whole]:
        after = min(gone + step, whole)
        back = paid.share(after) - paid.share(gone)
        assert min(back.points, back.points_cents, back.stored_cents, back.money_cents) >= 0
        had = Tenders(
            had.points + back.points,
            had.points_cents + back.points_cents,
            had.stored_cents + back.stored_cents,
            had.money_cents + back.money_cents,
        )
        gone = after
        assert had == paid.share(gone)
    if paid.points_cents:
        assert had == paid
    else:  # points that are worth nothing pay for nothing
        assert (had.stored_cents, had.money_cents) == (stored, money)


def test_what_points_paid_is_not_rewarded() -> None:
    paid = Tenders(2_500, 2_500, 0, 7_500)
    assert [paid.without_points(kept) for kept in (0, 5_000, 9_999)] == [0, 3_750, 7_499]
    assert Tenders(0, 0, 0, 0).without_points(0) == 0
