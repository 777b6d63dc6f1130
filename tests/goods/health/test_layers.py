"""The age of stock against a till that sells unit by unit, the oldest first."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sanhe.goods.health.layers import layers_of

ARRIVALS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 9)), max_size=6)


def units_left(arrivals: list[tuple[int, int]], on_hand: int, oldest: int) -> list[int]:
    """The age of each unit that lies there, the newest first."""
    ages = [age for age, quantity in sorted(arrivals) for _ in range(quantity)]
    eldest = max([oldest, *ages])
    return [*ages, *[eldest] * on_hand][:on_hand]


@given(st.lists(st.tuples(ARRIVALS, st.integers(0, 30)), min_size=1, max_size=4))
def test_the_newest_arrivals_lie_there(lines: list[tuple[list[tuple[int, int]], int]]) -> None:
    flat = [(row, *one) for row, (arrivals, _) in enumerate(lines) for one in arrivals]
    row, age, quantity = np.array(flat, np.float64).reshape(-1, 3).T
    found = layers_of(
        np.array([float(on_hand) for _, on_hand in lines]),
        row.astype(np.int64),
        age_days=age,
        arrived=quantity,
        oldest_days=np.full(len(lines), 50.0),
    )
    means, buckets = found.mean_age_days(len(lines)), found.by_bucket(len(lines))
    for at, (arrivals, on_hand) in enumerate(lines):
        units = units_left(arrivals, on_hand, 50)
        if not units:
            assert np.isnan(means[at]) and buckets[at].sum() == 0
            continue
        assert np.isclose(means[at], np.mean(units))
        edges = [0, 31, 61, 91, 181, 10_000]
        assert buckets[at].tolist() == np.histogram(units, edges)[0].tolist()


def wasted_by_hand(units: list[int], rate: int, life: int) -> int:
    """Sell `rate` units a day, the oldest first; what reaches its life unsold is waste."""
    ages, waste = sorted(units, reverse=True), 0
    for day in range(life + 1):
        good = [age for age in ages if age + day < life]
        waste += len(ages) - len(good)
        ages = good[rate:]
    return waste


@given(ARRIVALS, st.integers(0, 40), st.integers(0, 4), st.integers(1, 60))
def test_what_expires_unsold_is_what_a_till_would_throw_away(
    arrivals: list[tuple[int, int]], on_hand: int, rate: int, life: int
) -> None:
    ages = np.array([float(age) for age, _ in arrivals])
    found = layers_of(
        np.array([float(on_hand)]),
        np.zeros(len(arrivals), np.int64),
        age_days=ages,
        arrived=np.array([float(quantity) for _, quantity in arrivals]),
        oldest_days=np.array([10.0]),
    )
    by_hand = wasted_by_hand(units_left(arrivals, on_hand, 10), rate, life)
    assert found.expiring(np.array([float(rate)]), np.array([float(life)]))[0] == by_hand


def test_what_keeps_for_ever_never_expires() -> None:
    found = layers_of(
        np.array([5.0]),
        np.zeros(0, np.int64),
        age_days=np.zeros(0),
        arrived=np.zeros(0),
        oldest_days=np.array([np.nan]),
    )
    for life in (np.inf, np.nan):
        assert found.expiring(np.array([0.0]), np.array([life])).tolist() == [0.0]
