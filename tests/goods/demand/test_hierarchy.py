"""Lines, categories and regions as one forecast: every node is the sum of its lines."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact
from sanhe.goods.demand import CoherentForecast, Demand, ForecastRun
from sanhe.goods.demand.run import Predicted
from tests.goods.demand.facts_of import day, item, lake_of, shop, sold

DAYS = 7 * 90
CATEGORY = {"M": "food/dairy", "M2": "food/dairy", "R": "food/rice", "X": ""}
REGION = {"P": "north", "Q": "south", "S": "north"}
METHODS = ("bottom_up", "top_down", "weighted")


def retailer() -> list[Fact]:
    """Four SKUs at three places for 90 weeks, with a season; R is weighed, M grows."""
    rng = np.random.default_rng(11)
    facts: list[Fact] = []
    for sku, mean in (("M", 8), ("M2", 3), ("R", 4000), ("X", 2)):
        for place in REGION:
            for at in range(DAYS):
                season = 1 + 0.6 * np.sin(2 * np.pi * at / 364)
                grown = (1 + at / DAYS) if sku == "M" else 1.0
                facts.append(sold(sku, place, at, int(rng.poisson(mean * season * grown))))
        unit = {"base_unit": "g"} if sku == "R" else {}
        facts.append(item(sku, category=CATEGORY[sku], **unit) if CATEGORY[sku] else item(sku))
    return [*facts, *(shop(place, region=region) for place, region in REGION.items())]


@cache
def world() -> tuple[Demand, ForecastRun]:
    demand = Demand(lake_of(retailer()))
    return demand, demand.trial(day(DAYS), 28, "same_weekday_mean")


def told(**more: Any) -> CoherentForecast:
    demand, run = world()
    return demand.hierarchy(run, weeks=6, **more)


@pytest.mark.parametrize("method", METHODS)
def test_every_node_is_the_sum_of_its_lines(method: Any) -> None:
    made = told(method=method, by=("category", "region", "department"))
    rows = made.table().to_pylist()
    lines = [row for row in rows if row["level"] == "line"]
    assert len(lines) == 12 * 6
    for by in ("category", "region", "department"):
        groups = [row for row in rows if row["level"] == by]
        assert len(groups) == {"category": 3, "region": 2, "department": 2}[by] * 6
        for row in groups:
            mine = [
                line["forecast"]
                for line in lines
                if line["week"] == row["week"] and group_of(by, line) == row["key"]
            ]
            assert row["forecast"] == pytest.approx(sum(mine), abs=1e-6)
    # Negative control: alone, categories and lines do not agree.
    week = made.first_days[0]
    alone = sum(r["alone"] for r in rows if r["level"] == "category" and r["week"] == week)
    summed = sum(r["alone"] for r in lines if r["week"] == week)
    assert abs(alone - summed) > 0.5


def group_of(by: str, line: dict[str, Any]) -> str:
    if by == "region":
        return REGION[line["place"]]
    category = CATEGORY[line["sku"]]
    return category.split("/")[0] if by == "department" else category


def test_bottom_up_is_the_run_and_top_down_is_the_categories_word() -> None:
    _, run = world()
    made = told(method="bottom_up")
    scale = np.where(np.array(run.keys["sku"].to_pylist()) == "R", 0.001, 1.0)
    first = run.mean[:, :7].sum(1) * scale
    np.testing.assert_allclose(made.lines[:, 0], first, rtol=1e-5)
    # Beyond the run's horizon its last week repeats.
    np.testing.assert_allclose(made.lines[:, 5], run.mean[:, 21:28].sum(1) * scale, rtol=1e-5)
    shared = told(method="top_down").levels[0]
    np.testing.assert_allclose(shared.mean, shared.alone, atol=1e-6)


def test_weighted_lies_between_what_lines_and_groups_say() -> None:
    made = told(method="weighted", by=("category",))
    level = made.levels[0]
    below = np.zeros_like(level.mean)
    np.add.at(below, level.of_line, made.alone)
    low, high = np.minimum(below, level.alone), np.maximum(below, level.alone)
    assert (level.mean >= low - 1e-9).all() and (level.mean <= high + 1e-9).all()
    assert np.abs(level.mean - below).max() > 0.01


def test_groups_that_know_no_season_follow_their_lines() -> None:
    demand, _ = world()
    early = demand.trial(day(7 * 30), 28, "same_weekday_mean")
    made = demand.hierarchy(early, weeks=4, by=("category",))
    np.testing.assert_array_equal(made.lines, made.alone)
    assert [note for note in made.notes if "season" in note]
    assert not [note for note in told().notes if "season" in note]


@pytest.mark.parametrize("method", METHODS)
def test_a_planners_override_is_not_undone(method: Any) -> None:
    demand, run = world()
    doubled = run.mean.copy()
    doubled[0, :7] *= 2
    changed = replace(run, mean=doubled, unadjusted=Predicted(run.mean, run.median))
    plain = demand.hierarchy(run, weeks=6, method=method)
    made = demand.hierarchy(changed, weeks=6, method=method)
    added = float(run.mean[0, :7].sum(dtype=np.float64) * run.scale[0])
    assert made.lines[0, 0] - plain.lines[0, 0] == pytest.approx(added, rel=1e-5)
    np.testing.assert_allclose(made.lines[1:], plain.lines[1:])
    level = made.levels[0]
    np.testing.assert_allclose(level.mean.sum(0), made.lines.sum(0), atol=1e-6)


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(BadInput, match="can't reconcile by"):
        told(method="magic")
    with pytest.raises(BadInput, match="each once"):
        told(by=("category", "category"))
    with pytest.raises(BadInput, match="can't add up by"):
        told(by=("colour",))
    with pytest.raises(NotFound, match="no level"):
        told().table("department")
