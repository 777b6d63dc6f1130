"""The what-if: paired intervals, verdicts, and the same answer for any number of workers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sanhe.core.errors import BadInput
from sanhe.sim import (
    DaysOfCover,
    OrderUpTo,
    Policy,
    WhatIf,
    World,
    days_of_cover,
    known_optimum,
    tiny_world,
    what_if,
)
from sanhe.sim.policies import old_parameters

SETTINGS = tiny_world(3)


def lavish(world: World) -> Policy:
    """Six times the old covers: much stock for little gain."""
    old = old_parameters()
    covers = tuple(6 * days for days in old.cover_days)
    return DaysOfCover(replace(old, cover_days=covers), name="lavish")


def starving(world: World) -> Policy:
    """Hardly any stock."""
    return OrderUpTo(np.ones(len(world.lines), dtype=np.int64), name="starving")


@pytest.fixture(scope="module")
def richer() -> WhatIf:
    """Old against lavish."""
    return what_if(SETTINGS, weeks=5, seeds=(3, 4), new=lavish)


def test_the_same_policy_shows_no_difference_at_all() -> None:
    same = what_if(SETTINGS, weeks=5, seeds=(3, 4), new=days_of_cover)
    assert all(row.difference == 0 and row.verdict == "about the same" for row in same.rows)
    assert same.verdict == "about the same"


def test_more_stock_shows_as_more_days_of_stock(richer: WhatIf) -> None:
    row = richer.row("inventory_days")
    assert row.new > 1.5 * row.old and row.verdict == "worse"
    assert row.low < row.difference < row.high and row.low > 0
    assert richer.row("fill_rate").new >= richer.row("fill_rate").old
    assert richer.last_day == SETTINGS.last_history_day
    assert (richer.last_day - richer.first_day).days == 5 * 7 - 1


def test_empty_shelves_are_called_worse() -> None:
    starved = what_if(SETTINGS, weeks=5, seeds=(3, 4, 5), new=starving)
    assert starved.verdict == "worse"
    assert starved.row("fill_rate").verdict == "worse"
    assert starved.row("lost_units").difference > 0


def test_tables_name_both_policies(richer: WhatIf) -> None:
    assert set(richer.classes["policy"].to_pylist()) == {richer.old, richer.new}
    assert richer.days.num_rows == 2 * 35
    assert set(richer.classes["seed"].to_pylist()) == {3, 4}


def test_workers_do_not_change_the_answer() -> None:
    one, two = (
        what_if(SETTINGS, weeks=5, seeds=(3, 4), new=known_optimum, workers=workers)
        for workers in (1, 2)
    )
    assert one.rows == two.rows
    assert one.days.equals(two.days)


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(BadInput, match="too little"):
        what_if(SETTINGS, weeks=9)
    with pytest.raises(BadInput, match="no metric"):
        what_if(SETTINGS, weeks=5, seeds=(3,), new=days_of_cover).row("luck")
