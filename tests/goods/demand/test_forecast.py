from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact
from sanhe.core.lake import MemoryLake
from sanhe.goods.demand import METHODS, Demand, ForecastRun
from sanhe.goods.demand.statistical import STATISTICAL
from sanhe.models.forecast import FAST
from tests.goods.demand.facts_of import day, history, item, lake_of, sold

DAYS = 42


def shops(skus: int = 3, places: int = 4, *, days: int = DAYS, seed: int = 1) -> list[Fact]:
    """Poisson sales with a weekly pattern; levels from 2 to 8 a day."""
    rng = np.random.default_rng(seed)
    week = np.array([0.7, 0.8, 0.9, 1.0, 1.1, 1.4, 1.1])[np.arange(days) % 7]
    return history(
        {
            (f"S{sku}", f"P{place}"): rng.poisson((2 + 2 * sku) * week).tolist()
            for sku in range(skus)
            for place in range(places)
        }
    )


def told(demand: Demand, **more: object) -> tuple[ForecastRun, list[str]]:
    steps: list[str] = []
    run = demand.forecast(day(DAYS), 7, progress=lambda what, _: steps.append(what), **more)  # type: ignore[arg-type]
    return run, steps


def test_asking_again_returns_the_kept_run() -> None:
    demand = Demand(lake_of(shops()))
    first, steps = told(demand)
    assert any(step.startswith("learning") for step in steps)
    again, steps = told(demand)
    assert not any(step.startswith(("building", "learning")) for step in steps)
    assert again.id == first.id == demand.latest().id == demand.run(first.id).id
    assert (again.mean == first.mean).all() and (again.median == first.median).all()
    assert again.keys.equals(first.keys)
    assert again.dispersion == first.dispersion
    assert np.array_equal(again.history.last_days, first.history.last_days, equal_nan=True)
    assert again.notes == first.notes and again.holdout_wape == first.holdout_wape


def test_other_data_methods_and_horizons_are_other_runs() -> None:
    facts = shops()
    demand = Demand(lake_of(facts))
    runs = {
        demand.forecast(day(DAYS), 7).id,
        demand.forecast(day(DAYS), 8).id,
        demand.forecast(day(DAYS), 7, "sba").id,
        demand.forecast(day(DAYS - 1), 7).id,
        Demand(lake_of([*facts, sold("S9", "P0", 9, 5)])).forecast(day(DAYS), 7).id,
    }
    assert len(runs) == 5


def test_equal_data_in_another_lake_is_the_same_run() -> None:
    facts = shops()
    one, other = Demand(lake_of(facts)), Demand(lake_of(reversed(facts)))
    assert one.forecast(day(DAYS), 7).id == other.forecast(day(DAYS), 7).id


def test_facts_that_change_nothing_visible_need_no_new_forecast() -> None:
    facts = shops()
    first = Demand(lake_of(facts)).forecast(day(DAYS), 7)
    later = Demand(lake_of([*facts, sold("S0", "P0", DAYS + 1, 500)])).forecast(day(DAYS), 7)
    assert later.id == first.id
    assert (later.mean == first.mean).all()
    earlier = Demand(lake_of([*facts, sold("S0", "P9", DAYS - 1, 500)])).forecast(day(DAYS), 7)
    assert earlier.id != first.id


def test_a_run_that_is_stopped_leaves_nothing_and_can_be_made_again() -> None:
    lake = lake_of(shops())

    def stop(what: str, share: float) -> None:
        if what == "forecast made":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Demand(lake).forecast(day(DAYS), 7, progress=stop)
    assert not any(name.startswith("forecast/") for name in lake.tables())
    with pytest.raises(NotFound, match="no forecast yet"):
        Demand(lake).latest()
    assert Demand(lake).forecast(day(DAYS), 7).id == Demand(lake).latest().id


@pytest.mark.parametrize("method", [m for m in METHODS if m not in STATISTICAL])
def test_every_method_finds_the_level_and_the_week(method: str) -> None:
    facts = shops(skus=3, places=20)
    run = Demand(lake_of(facts), settings=FAST).forecast(day(DAYS), 7, method)
    level = {"S0": 2.0, "S1": 4.0, "S2": 6.0}
    skus = np.array(run.keys["sku"].to_pylist())
    for sku, mean in level.items():
        assert run.mean[skus == sku].mean() == pytest.approx(
            mean, rel=0.35 if method == "gbm" else 0.15
        )
    week = run.mean.sum(0) / run.mean.sum(0).mean()
    assert week[5] > 1.15 and week[0] < 0.9


def test_the_champion_says_why_it_is_a_simple_method() -> None:
    run = Demand(lake_of(shops(skus=2, places=2))).forecast(day(DAYS), 7)
    assert run.chosen["counts"] in METHODS
    assert "too little for the global model" in run.notes[0]


def test_counted_and_weighed_goods_are_learned_apart() -> None:
    facts = [*shops(skus=1), *history({("HAM", "P0"): [1500, 1750, 2250] * (DAYS // 3)})]
    run = Demand(lake_of([*facts, item("HAM", base_unit="g")])).forecast(day(DAYS), 7)
    ham = run.row("HAM", "P0")
    assert set(run.chosen) == {"counts", "quantities"}
    assert not run.counted[ham]
    assert run.mean[ham].mean() == pytest.approx(1833, rel=0.1)
    assert run.history.last_days[ham, -3:].tolist() == [1500, 1750, 2250]
    kinds = {goods: spread.fitted[0].kind for goods, spread in run.dispersion.items()}
    assert kinds == {"counts": "counts", "quantities": "quantities"}


def test_a_new_item_gets_the_level_of_like_items() -> None:
    facts = [*history({("S0", f"P{p}"): [6] * DAYS for p in range(5)}), sold("S0", "P9", 0, 0)]
    facts += [sold("S1", "P9", at, 3) for at in range(DAYS)]
    facts += [sold("S0", "P8", DAYS - 1, 0)]
    run = Demand(lake_of(facts)).forecast(day(DAYS), 7, "sba")
    new, dead = run.row("S0", "P8"), run.row("S0", "P9")
    assert 2 < run.mean[new].mean() < 6
    assert run.mean[dead].mean() == 0
    assert run.history.days_seen[new] == 1


def test_the_short_history_beside_a_forecast() -> None:
    facts = [sold("A", "P", at, at % 2, in_stock_share=0.5 if at == 9 else 1.0) for at in range(10)]
    facts += [sold("A", "P", 11, 4)]
    run = Demand(lake_of(facts)).forecast(day(12), 3, "sba")
    assert run.history.last_days[0, -4:].tolist()[::3] == [0.0, 4.0]
    assert np.isnan(run.history.last_days[0, -2])  # day 10: nothing was reported
    assert np.isnan(run.history.last_days[0, :16]).all()
    assert run.history.days_seen[0] == 11
    assert run.history.zero_share[0] == pytest.approx(5 / 11)
    assert run.history.stock_out_share[0] == pytest.approx(1 / 11)


def test_one_day_of_sales_is_enough_to_go_on() -> None:
    run = Demand(lake_of([sold("A", "P", 0, 4)])).forecast(day(1), 5)
    assert run.mean.tolist() == [[4] * 5]
    assert any("less than two days" in note for note in run.notes)


def test_what_cannot_be_asked_is_refused() -> None:
    demand = Demand(lake_of(shops(days=10)))
    with pytest.raises(BadInput, match="champion, gbm"):
        demand.forecast(day(10), 7, "crystal ball")
    with pytest.raises(BadInput, match="at least 1 day"):
        demand.forecast(day(10), 0)
    with pytest.raises(BadInput, match="too few for method gbm"):
        demand.forecast(day(10), 7, "gbm")
    with pytest.raises(NotFound):
        demand.run("no such run")


def test_the_last_sale_day() -> None:
    assert Demand(MemoryLake()).last_sale_day() is None
    assert Demand(lake_of(shops(days=10))).last_sale_day() == day(9)


WITHOUT_LIGHTGBM = """
from tests.goods.demand.facts_of import day
from tests.goods.demand.test_forecast import DAYS, lake_of, shops
from sanhe.goods.demand import Demand
run = Demand(lake_of(shops(skus=3, places=20))).forecast(day(DAYS), 7)
print("global_gbm" in run.holdout_wape["counts"], *run.notes, sep="|")
"""


@pytest.mark.parametrize("loads", [True, False])
def test_without_libgomp_a_simple_method_steps_in_and_says_so(
    tmp_path: Path, *, loads: bool
) -> None:
    if not loads:
        # What importing LightGBM does on a machine without the OpenMP runtime.
        broken = "raise OSError('libgomp.so.1: cannot open shared object file')"
        (tmp_path / "lightgbm.py").write_text(broken)
    root = Path(__file__).parents[3]
    paths = os.pathsep.join([str(tmp_path), str(root), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIGHTGBM],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    said = done.stdout.strip()
    assert ("libgomp.so.1" in said and "sanhe doctor" in said) is not loads
    assert said.startswith("True") is loads
