"""What expires unsold: the closed form against selling unit by unit, day by day."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.models.inventory import expiring_unsold

LOTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=6)
DEMAND = st.lists(st.integers(0, 9), min_size=9, max_size=9)

Line: TypeAlias = tuple[list[tuple[int, int]], list[int]]


def sold_day_by_day(lots: list[tuple[int, int]], demand: list[int]) -> int:
    """What is left of all lots after selling each day the one that expires first."""
    left = [[days, quantity] for days, quantity in sorted(lots)]
    for day, wanted in enumerate(demand):
        for lot in left:
            sold = min(wanted, lot[1]) if lot[0] > day else 0
            lot[1] -= sold
            wanted -= sold
    return sum(quantity for _, quantity in left)


@given(st.lists(st.tuples(LOTS, DEMAND), min_size=1, max_size=4))
def test_it_is_what_selling_day_by_day_leaves(
    lines: list[Line],
) -> None:
    rows = [(at, *lot) for at, (lots, _) in enumerate(lines) for lot in lots]
    line, days, quantity = np.array(rows, np.int64).reshape(-1, 3).T
    running = np.cumsum([[0, *demand] for _, demand in lines], axis=1, dtype=np.float64)
    unsold = expiring_unsold(line, days, quantity, demand=running[line, days], lines=len(lines))
    assert unsold.tolist() == [sold_day_by_day(lots, demand) for lots, demand in lines]


def test_more_demand_leaves_no_more() -> None:
    rng = np.random.default_rng(3)
    line, days = rng.integers(0, 2000, 8000), rng.integers(0, 12, 8000)
    quantity, rate = rng.integers(0, 50, 8000), rng.uniform(0, 9, 2000)
    less, more = (
        expiring_unsold(line, days, quantity, demand=factor * rate[line] * days, lines=2000)
        for factor in (1.0, 1.5)
    )
    assert (more <= less).all()
    assert (more < less).any()
    assert (less <= np.bincount(line, quantity, 2000)).all()


def test_lots_below_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="less than nothing"):
        expiring_unsold(
            np.array([0]), np.array([1]), np.array([-1]), demand=np.array([0.0]), lines=1
        )
