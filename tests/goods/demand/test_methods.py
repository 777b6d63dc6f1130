from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Sequence

import numpy as np
import pytest

from sanhe.core.errors import MissingPart
from sanhe.goods.demand.methods import METHODS, make, sized
from sanhe.goods.demand.statistical import STATISTICAL
from sanhe.models.forecast import ACCURATE, FAST, Panel
from tests.goods.demand.facts_of import MONDAY


def panel(series: int, days: int, *, horizon_days: int = 7) -> Panel:
    rng = np.random.default_rng(3)
    shape = (series, days)
    return Panel(
        sales=rng.poisson(3, shape).astype(np.float32),
        in_stock=np.ones(shape, np.float32),
        opened_empty=np.zeros(shape, bool),
        static=np.arange(series, dtype=np.int32)[:, None],
        static_names=("sku",),
        known=np.zeros((series, days + horizon_days, 0), np.float32),
        known_names=(),
        first_day=MONDAY,
        horizon_days=horizon_days,
    )


def test_a_large_panel_gets_the_whole_model_and_a_small_one_a_part() -> None:
    large = sized(ACCURATE, panel(13_000, 100)).gbm
    assert large == ACCURATE.gbm
    small = sized(ACCURATE, panel(300, 60)).gbm
    assert small.rows == 10_000
    assert small.leaves == 15 and small.trees == 50 and small.least_rows == 20


def test_no_size_is_larger_than_what_was_set() -> None:
    for series, days in ((50, 30), (1_000, 60), (4_000, 100)):
        got, most = sized(FAST, panel(series, days)).gbm, FAST.gbm
        assert got.rows <= most.rows and got.trees <= most.trees
        assert got.leaves <= most.leaves and got.least_rows <= most.least_rows


@pytest.mark.parametrize("method", [m for m in METHODS if m not in STATISTICAL])
@pytest.mark.parametrize("horizon_days", [1, 28])
def test_every_method_reaches_every_horizon(method: str, horizon_days: int) -> None:
    made = make(panel(60, 70, horizon_days=horizon_days), method, FAST)
    assert made.mean.shape == made.median.shape == (60, horizon_days)
    assert np.isfinite(made.mean).all() and (made.mean >= 0).all()
    assert made.mean.mean() == pytest.approx(3, rel=0.1)
    low, high = (made.dispersion.quantile(made.mean, q) for q in (0.05, 0.95))
    inside = (panel(60, 70).sales[:, -1:] >= low) & (panel(60, 70).sales[:, -1:] <= high)
    assert 0.8 < inside.mean() <= 1


@pytest.mark.parametrize("method", STATISTICAL)
def test_statistical_methods_say_what_to_install(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name == "statsforecast" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingPart, match=r'pip install "sanhe\[stats\]"'):
        make(panel(3, 40), method, FAST)


@pytest.mark.parametrize("method", STATISTICAL)
def test_statistical_methods_find_the_week(method: str) -> None:
    pytest.importorskip("statsforecast", reason="the extra `stats` is not installed")
    weekly: Sequence[float] = [1, 2, 3, 4, 5, 9, 0]
    flat = panel(3, 70)
    sales = np.tile(np.array(weekly, np.float32), (3, 10))
    sales[1, :14] = np.nan  # begins later
    sales[2] = 0
    week = dataclasses.replace(flat, sales=sales)
    made = make(week, method, FAST)
    assert made.mean[:2] == pytest.approx(np.tile(weekly, (2, 1)), abs=0.6)
    assert not made.mean[2].any()
