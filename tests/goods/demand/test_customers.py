"""Who bought, as an input of the forecast: never from the future, and only where asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sanhe.core.facts import Fact
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day, fact, history, item, lake_of

DAYS, HORIZON = 56, 7


def bought(week: int, category: str, buyers: int, *, place: str = "P", **more: Any) -> Fact:
    """Week `week` of the tests, Monday to Sunday."""
    return fact(
        "demand.customers",
        7 * week,
        place=place,
        tag=category,
        category=category,
        until=day(7 * week + 6).isoformat(),
        buyers=buyers,
        **more,
    )


def shop(*more: Fact) -> list[Fact]:
    facts = history({(sku, "P"): [3] * DAYS for sku in ("A", "B")})
    return [*facts, item("A", category="food/dairy"), item("B", category="home"), *more]


def weekly(weeks: int = 8) -> list[Fact]:
    """Dairy is bought by 10 and one more each week, food by 90; nothing is told of home."""
    told = [bought(week, "food/dairy", 10 + week, member_share=week / 10) for week in range(weeks)]
    return [*told, *(bought(week, "food", 90) for week in range(weeks))]


def inputs(facts: list[Fact], as_of: int = DAYS, **more: Any) -> dict[str, np.ndarray]:
    demand = Demand(lake_of(facts), customers=True, **more)
    panel = demand.panel(day(as_of), horizon_days=HORIZON).panel
    return {
        name: panel.known[:, :, at]
        for at, name in enumerate(panel.known_names)
        if name.startswith("customers_")
    }


def both(*facts: Fact) -> list[Fact]:
    """The same told of the other category, so that half of the series know who bought."""
    return [*facts, *(bought(week, "home", 5, member_share=0.5) for week in range(8))]


def test_a_day_sees_the_last_week_that_had_ended_a_horizon_before() -> None:
    found = inputs(shop(*both(*weekly())))
    buyers = np.round(np.expm1(found["customers_buyers"][0]))
    # Week w ends on day 7 w + 6: it is first seen a horizon later, on day 7 w + 13.
    assert np.isnan(buyers[:13]).all()
    for target in range(13, DAYS + HORIZON):
        assert buyers[target] == 10 + (target - 13) // 7
    assert found["customers_member_share"][0, 27] == pytest.approx(0.2)
    assert "customers_new_share" not in found


def test_nothing_of_the_day_of_the_forecast_or_later_is_seen() -> None:
    before = inputs(shop(*both(*weekly())), as_of=49)
    changed = [*weekly(7), bought(7, "food/dairy", 999, member_share=1.0)]
    after = inputs(shop(*both(*changed)), as_of=49)
    for name, grid in before.items():
        np.testing.assert_array_equal(grid, after[name])
    # Negative control: a week that has ended by then is seen.
    seen = [*weekly(6), bought(6, "food/dairy", 999, member_share=1.0)]
    other = inputs(shop(*both(*seen)), as_of=49)
    assert not np.array_equal(before["customers_buyers"], other["customers_buyers"], equal_nan=True)


def test_what_the_model_learns_from_is_what_it_would_have_known_then() -> None:
    """An earlier cut of the panel equals the panel built then, its horizon included."""
    facts = shop(*both(*weekly()))
    now, then = inputs(facts), inputs(facts, as_of=42)
    for name, grid in then.items():
        np.testing.assert_array_equal(grid, now[name][:, : grid.shape[1]])


def test_the_longest_path_counts_and_other_categories_do_not() -> None:
    found = inputs(shop(*both(*weekly())))
    assert np.expm1(found["customers_buyers"][1, -1]) == pytest.approx(5)
    only_food = [one for one in weekly() if one.payload["category"] == "food"]
    coarse = inputs(shop(*both(*only_food)))
    assert np.expm1(coarse["customers_buyers"][0, -1]) == pytest.approx(90)


def test_it_is_off_by_default_and_left_out_where_too_little_is_told() -> None:
    facts = shop(*both(*weekly()))
    panel = Demand(lake_of(facts)).panel(day(DAYS), horizon_days=HORIZON).panel
    assert not [name for name in panel.known_names if name.startswith("customers_")]
    assert inputs(shop(*weekly(2))) == {}
    assert inputs(shop()) == {}


def test_runs_with_and_without_are_kept_apart() -> None:
    lake = lake_of(shop(*both(*weekly())))
    asked = {"horizon_days": HORIZON}
    without = Demand(lake).forecast(day(DAYS), **asked)
    with_it = Demand(lake, customers=True).forecast(day(DAYS), **asked)
    assert without.id != with_it.id
    assert Demand(lake).forecast(day(DAYS), **asked).id == without.id
