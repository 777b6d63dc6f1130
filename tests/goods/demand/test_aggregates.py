"""Categories and regions by week from the facts: sums, units, what is seen, and the league."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day, fact, item, lake_of, shop, sold

WEEKS = 130


def two_years() -> list[Fact]:
    """Milk sells by the season, rice steadily in grams; one fact a week. P and Q differ in region.

    Week w is sold on its third day; day WEEKS * 7 is the first forecast day.
    """
    facts: list[Fact] = []
    for week in range(WEEKS):
        milk = round(100 + 60 * np.sin(2 * np.pi * week / 52))
        facts.append(sold("M", "P", 7 * week + 2, milk))
        facts.append(sold("M2", "Q", 7 * week + 2, 10))
        facts.append(sold("R", "Q", 7 * week + 2, 5000))
    masters = [
        item("M", category="food/dairy"),
        item("M2", category="food/dairy"),
        item("R", category="food/rice", base_unit="g"),
        shop("P", region="north"),
        shop("Q", region="south"),
    ]
    return [*facts, *masters]


def test_categories_add_up_in_units_that_can_be_compared() -> None:
    made = Demand(lake_of(two_years())).aggregates(day(WEEKS * 7))
    assert made.groups == ("food/dairy", "food/rice")
    assert made.first_days[0] == day(WEEKS * 7) and made.first_days[-1] == day(WEEKS * 7 + 84)
    assert made.mean.shape == (2, 13)
    assert made.mean[1] == pytest.approx(5.0)  # kilograms
    come = [110 + 60 * np.sin(2 * np.pi * week / 52) for week in range(WEEKS, WEEKS + 13)]
    assert made.mean[0] == pytest.approx(np.array(come), rel=0.05)


def test_the_league_names_each_method_of_each_group_and_where_it_loses() -> None:
    made = Demand(lake_of(two_years())).aggregates(day(WEEKS * 7))
    rows = made.league.to_pylist()
    assert {row["method"] for row in rows} == {*made.weights, "champion"}
    assert {row["origins"] for row in rows} == {4}
    at = {(row["group"], row["method"]): row for row in rows}
    flat, naive = at["food/dairy", "flat_mean"], at["food/dairy", "seasonal_naive"]
    assert flat["wape"] > 0.2 and flat["beaten_by_naive"]
    assert naive["wape"] == pytest.approx(0, abs=0.01) and not naive["beaten_by_naive"]
    assert at["food/rice", "flat_mean"]["wape"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("by", "groups"), [("region", ("north", "south")), ("department", ("food",))]
)
def test_other_ways_of_adding_up(by: str, groups: tuple[str, ...]) -> None:
    made = Demand(lake_of(two_years())).aggregates(day(WEEKS * 7), by=by, horizon_weeks=4)
    assert made.groups == groups
    assert made.mean.shape == (len(groups), 4)


def test_facts_of_as_of_and_later_are_not_seen() -> None:
    facts, as_of = two_years(), WEEKS * 7
    before = Demand(lake_of(facts)).aggregates(day(as_of))
    later = Demand(lake_of([*facts, sold("M", "P", as_of, 900)])).aggregates(day(as_of))
    assert np.array_equal(later.mean, before.mean) and later.league.equals(before.league)
    # Negative control: the day before is seen.
    seen = Demand(lake_of([*facts, sold("M", "P", as_of - 1, 900)])).aggregates(day(as_of))
    assert not seen.league.equals(before.league)


def test_a_short_history_gives_the_recent_mean_and_says_so() -> None:
    facts = [sold("M", "P", 7 * week, 10) for week in range(6)]
    holiday = fact("holiday.declared", 3, name="Dragon Boat", kind="public")
    made = Demand(lake_of([*facts, holiday])).aggregates(day(42))
    assert made.groups == ("",)
    assert made.mean == pytest.approx(10)
    assert "6 weeks of history" in made.notes[0]
    assert made.league.num_rows == 0


def test_bad_questions_are_refused() -> None:
    demand = Demand(lake_of(two_years()))
    with pytest.raises(BadInput, match="add up by 'colour'"):
        demand.aggregates(day(100), by="colour")
    with pytest.raises(BadInput, match="0 weeks"):
        demand.aggregates(day(100), horizon_weeks=0)
    with pytest.raises(BadInput, match="less than a week"):
        demand.aggregates(day(3))
    with pytest.raises(BadInput, match="nothing was sold"):
        demand.aggregates(day(WEEKS * 7 + 400))
