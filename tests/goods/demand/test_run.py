from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from sanhe.core.errors import BadInput, NotFound
from sanhe.goods.demand.run import (
    ForecastRun,
    History,
    dispersion_from_json,
    dispersion_to_json,
)
from sanhe.models.forecast import Dispersion, DispersionSet


def spread(kind: str = "counts", k: float = 2.0) -> DispersionSet:
    days = (1, 2, 7)
    name = "counts" if kind == "counts" else "quantities"
    return DispersionSet(tuple(Dispersion(name, np.log(k * n), 0.0, n) for n in days))


@pytest.fixture
def run() -> ForecastRun:
    mean = np.array([[1, 2, 3, 4, 5, 6, 7], [2, 2, 2, 2, 2, 2, 2], [500] * 7], np.float32)
    none = np.zeros((3, 28), np.float32)
    flat = np.ones(3, np.float32)
    return ForecastRun(
        id="run",
        as_of=date(2024, 6, 3),
        horizon_days=7,
        method="champion",
        chosen={"counts": "tsb", "quantities": "tsb"},
        keys=pa.table({"sku": ["A", "B", "C"], "place": ["P", "P", "P"]}),
        mean=mean,
        median=mean,
        counted=np.array([True, True, False]),
        scale=np.array([1, 1, 0.001]),
        dispersion={"counts": spread(), "quantities": spread("quantities")},
        spread=np.ones(len(mean)),
        holdout_wape={},
        history=History(none, np.ones(3, np.int32), flat, flat, flat, none[:, :7]),
        notes=(),
        digest="",
    )


def keys(*pairs: tuple[str, str]) -> pa.Table:
    return pa.table({"sku": [sku for sku, _ in pairs], "place": [place for _, place in pairs]})


def test_a_window_adds_up_its_days_in_the_order_asked(run: ForecastRun) -> None:
    got = run.window(keys(("B", "P"), ("A", "P"), ("A", "P")), [3, 4, 9])
    # Beyond the horizon of 7 days the last week repeats: 1 + ... + 7, then 1 + 2.
    assert got.mean.tolist() == [6.0, 10.0, 31.0]
    assert got.known.all()


def test_a_window_may_begin_later(run: ForecastRun) -> None:
    got = run.window(keys(("A", "P")), 2, start_days=3)
    assert got.mean.tolist() == [9.0]


def test_the_variance_is_that_of_the_sum(run: ForecastRun) -> None:
    got = run.window(keys(("A", "P"), ("B", "P")), [2, 7])
    assert got.variance == pytest.approx([3 + 9 / 4, 14 + 14**2 / 14])
    assert got.size == pytest.approx([4, 14])


def test_measured_goods_get_a_gamma_in_their_own_unit(run: ForecastRun) -> None:
    got = run.window(keys(("C", "P")), 2)
    assert not got.counted[0]
    assert got.mean[0] == pytest.approx(1000)
    # 1000 g = 1 kg: variance 1/4 kg², that is 250,000 g².
    assert got.variance[0] == pytest.approx(250_000)


def test_a_series_without_a_forecast_is_said_to_be_unknown(run: ForecastRun) -> None:
    got = run.window(keys(("A", "Q"), ("A", "P")), 1)
    assert got.known.tolist() == [False, True]
    assert got.mean.tolist() == [0.0, 1.0]
    assert got.variance[0] == 0
    with pytest.raises(NotFound, match="SKU A at Q"):
        run.row("A", "Q")


def test_no_days_no_demand(run: ForecastRun) -> None:
    got = run.window(keys(("A", "P")), 0)
    assert (got.mean[0], got.variance[0]) == (0, 0)


@pytest.mark.parametrize(("days", "start"), [(-1, 0), (1, -1), (800, 0)])
def test_an_impossible_interval_is_refused(run: ForecastRun, days: int, start: int) -> None:
    with pytest.raises(BadInput):
        run.window(keys(("A", "P")), days, start)


def test_quantiles_come_in_base_units(run: ForecastRun) -> None:
    low, high = run.quantile(0.05), run.quantile(0.95)
    assert low.shape == high.shape == (3, 7)
    assert (low <= run.mean).all() and (run.mean <= high).all()
    assert high[0, 0] == int(high[0, 0])
    assert run.quantile(0.95, days=7)[2] > run.quantile(0.5, days=7)[2] > 2000


def test_a_distribution_survives_being_kept() -> None:
    # Goods that are measured but came in whole numbers keep the kind that was fitted.
    both = {"counts": spread(), "quantities": spread("counts")}
    assert dispersion_from_json(dispersion_to_json(both)) == both
