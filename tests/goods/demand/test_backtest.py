from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact
from sanhe.goods.demand import Demand
from tests.goods.demand.facts_of import day, fact, history, item, lake_of, moment, sold

WEEK = [1, 2, 3, 4, 5, 9, 0]


def weekly(weeks: int = 8) -> list[Fact]:
    """Two stores, two SKUs, the same week over and over; B sells ten times as much."""
    facts = history(
        {
            (sku, place): [units * times for units in WEEK * weeks]
            for sku, times in (("A", 1), ("B", 10))
            for place in ("P", "Q")
        }
    )
    return [*facts, item("A", category="food/dairy"), item("B", category="home")]


def table(facts: list[Fact], as_of: int, **more: Any) -> list[dict[str, Any]]:
    given = {"origins": 2, "methods": ("seasonal_naive", "sba"), **more}
    rows: list[dict[str, Any]] = Demand(lake_of(facts)).backtest(day(as_of), **given).to_pylist()
    return rows


def line(rows: list[dict[str, Any]], **key: object) -> dict[str, Any]:
    found = [row for row in rows if all(row[name] == value for name, value in key.items())]
    assert len(found) == 1, found
    return found[0]


def test_a_week_that_repeats_is_forecast_without_error() -> None:
    rows = table(weekly(), 56)
    for back in (7, 14):
        naive = line(rows, method="seasonal_naive", origin=day(56 - back), group="all")
        assert naive["wape"] == pytest.approx(0)
        assert naive["bias"] == pytest.approx(0)
        assert naive["units"] == 2 * 11 * sum(WEEK)
        assert naive["beaten_by"] is None
        sba = line(rows, method="sba", origin=day(56 - back), group="all")
        assert sba["wape"] > 0
        assert sba["beaten_by"] == "seasonal_naive"


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("category", {"food", "home"}),
        ("store", {"P", "Q"}),
        ("region", {"(none)"}),
        ("velocity", {"fast", "medium"}),
        ("age", {"4 to 12 weeks"}),
    ],
)
def test_groups_part_the_series(by: str, groups: set[str]) -> None:
    rows = table(weekly(), 56, by=by, origins=1, methods=("sba",))
    assert {row["group"] for row in rows} == groups | {"all"}
    total = line(rows, group="all")
    parts = [row for row in rows if row["group"] != "all"]
    assert sum(row["series"] for row in parts) == total["series"] == 4
    assert sum(row["units"] for row in parts) == pytest.approx(total["units"])
    error = sum(row["wape"] * row["units"] for row in parts)
    assert error == pytest.approx(total["wape"] * total["units"])


def test_wape_is_the_sum_of_errors_over_the_sum_of_sales() -> None:
    facts = history({("A", "P"): [4] * 28 + [6] * 7})
    row = line(table(facts, 35, origins=1, methods=("seasonal_naive",)), group="all")
    assert row["wape"] == pytest.approx(2 / 6)
    assert row["bias"] == pytest.approx(-2 / 6)


def test_an_origin_sees_nothing_of_the_days_after_it() -> None:
    facts = weekly()
    base = table(facts, 56, origins=1)
    doubled = [
        one
        if one.day < day(49) or one.quantity is None
        else sold(str(one.sku), str(one.place), (one.day - day(0)).days, 2 * one.quantity)
        for one in facts
    ]
    late = table(doubled, 56, origins=1)
    # The outcomes doubled and the forecast stayed: half of them is missing.
    assert line(late, method="seasonal_naive", group="all")["bias"] == pytest.approx(-0.5)
    assert line(base, method="seasonal_naive", group="all")["bias"] == pytest.approx(0)


def test_a_promotion_announced_after_the_origin_is_not_used() -> None:
    facts = weekly()
    origin = day(49)
    for announced, visible in ((48, True), (49, False)):
        promotion = fact(
            "promotion.published",
            52,
            sku="A",
            discount=0.5,
            until=day(53).isoformat(),
            at=moment(announced),
        )
        seen = Demand(lake_of([*facts, promotion])).panel(origin, horizon_days=7).panel
        assert ("discount" in seen.known_names) is visible


def test_days_without_known_sales_are_not_scored() -> None:
    facts = [one for one in weekly() if one.day != day(50)]
    row = line(table(facts, 56, origins=1, methods=("seasonal_naive",)), group="all")
    assert row["units"] == 2 * 11 * (sum(WEEK) - WEEK[50 % 7])
    assert np.isfinite(row["wape"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"methods": ("oracle",)}, "unknown forecast methods"),
        ({"methods": ()}, "no method given"),
        ({"by": "colour"}, "can't group by"),
        ({"origins": 0}, "at least one"),
        ({"origins": 8}, "fewer origins"),
    ],
)
def test_what_cannot_be_measured_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        table(weekly(), 56, **more)
