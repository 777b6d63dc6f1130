"""A series' own spread: found where it is, pulled to the pool where little is known."""

import datetime

import numpy as np
import pytest

from sanhe.models.forecast import Dispersion, Panel, own_spread, uncertainty
from sanhe.models.forecast.spread import LIMITS, PRIOR_BLOCKS

DAYS = 364
F32 = np.float32


def sales(sizes: np.ndarray, mean: float = 6.0, days: int = DAYS, seed: int = 3) -> np.ndarray:
    """Weekly demand of negative binomial weeks with the given sizes, spread over the days."""
    rng = np.random.default_rng(seed)
    weeks = rng.negative_binomial(
        sizes[:, None], sizes[:, None] / (sizes[:, None] + 7 * mean), (len(sizes), days // 7)
    )
    daily = rng.multinomial(weeks.ravel(), np.full(7, 1 / 7))
    return daily.reshape(len(sizes), -1).astype(F32)


def test_restless_series_get_a_larger_factor_and_steady_ones_a_smaller() -> None:
    sizes = np.repeat([1.0, 4.0, 40.0], 200)
    units = sales(sizes)
    found = own_spread(units, np.ones(units.shape, bool), kind="counts")
    restless, middle, steady = (float(np.median(found[sizes == k])) for k in (1.0, 4.0, 40.0))
    assert restless > 2 * middle > 4 * steady
    # What counts is the ratio of two series' excess: 4 to 1 here, less what the prior takes.
    assert restless / middle == pytest.approx(4.0, rel=0.4)


def test_series_of_one_kind_are_told_apart_little() -> None:
    """The negative control: factors must not follow chance."""
    units = sales(np.full(500, 4.0))
    found = own_spread(units, np.ones(units.shape, bool), kind="counts")
    assert np.median(found) == pytest.approx(1.0, abs=0.2)
    assert np.quantile(found, 0.9) < 1.6 and np.quantile(found, 0.1) > 0.6


def test_a_short_history_says_nothing() -> None:
    units = sales(np.full(50, 1.0), days=28)
    assert own_spread(units, np.ones(units.shape, bool), kind="counts").tolist() == [1.0] * 50


def test_few_weeks_stay_near_the_pool() -> None:
    units = sales(np.repeat([1.0, 40.0], 100))
    units[0, :-56] = np.nan
    clean = ~np.isnan(units)
    found = own_spread(units, clean, kind="counts")
    whole = own_spread(
        sales(np.repeat([1.0, 40.0], 100)), np.ones(units.shape, bool), kind="counts"
    )
    # Four weeks against a prior of four.
    assert abs(np.log(found[0])) < abs(np.log(whole[0]))
    assert PRIOR_BLOCKS == 4


def test_days_out_of_stock_do_not_make_a_series_restless() -> None:
    units = sales(np.full(200, 20.0))
    clean = np.ones(units.shape, bool)
    rng = np.random.default_rng(5)
    gone = rng.random((100, DAYS)) < 0.3
    units[:100][gone] = 0
    told = own_spread(units, clean, kind="counts")
    clean[:100][gone] = False
    found = own_spread(units, clean, kind="counts")
    assert np.median(found[:100]) < np.median(told[:100])
    assert np.median(found[:100]) / np.median(found[100:]) < 1.5


@pytest.mark.parametrize("kind", ["counts", "quantities"])
def test_the_factor_stays_in_its_limits(kind: str) -> None:
    units = sales(np.repeat([0.02, 500.0], 40))
    found = own_spread(units, np.ones(units.shape, bool), kind=kind)  # type: ignore[arg-type]
    assert found.min() >= LIMITS[0] and found.max() <= LIMITS[1]


def test_the_spread_widens_variance_and_quantile() -> None:
    made = Dispersion("counts", a=0.5, b=0.3)
    mean = np.array([5.0, 5.0, 5.0])
    spread = np.array([0.2, 1.0, 4.0])
    assert made.variance(mean, spread=spread).tolist() == pytest.approx(
        (5 + spread * 25 / np.exp(0.5 + 0.3 * np.log(5))).tolist()
    )
    high = made.quantile(mean, 0.95, spread=spread)
    assert high[0] < high[1] < high[2]


def test_the_95_quantile_of_sums_holds_within_each_kind_of_series() -> None:
    """The pooled dispersion alone is right on average and wrong for both; this is the control."""
    sizes = np.repeat([2.0, 20.0], 1000)
    units = sales(sizes, days=DAYS + 28)
    seen, ahead = units[:, :DAYS], units[:, DAYS : DAYS + 14]
    panel = Panel(
        sales=seen,
        in_stock=np.full(seen.shape, np.nan, F32),
        opened_empty=np.zeros(seen.shape, bool),
        static=np.zeros((len(seen), 0), np.int32),
        static_names=(),
        known=np.zeros((len(seen), DAYS + 14, 0), F32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=14,
    )
    mean = np.full((len(seen), 14), 6.0, F32)
    dispersion, spread = uncertainty(panel, mean)
    above = {}
    for name, factor in (("own", spread), ("pooled", np.ones(len(seen)))):
        high = dispersion.sum_quantile(mean.sum(1), 0.95, 14, spread=factor)
        over = ahead.sum(1) > high
        above[name] = (float(over[sizes == 2].mean()), float(over[sizes == 20].mean()))
    assert max(above["own"]) < 0.09
    assert above["pooled"][0] > 0.09 and above["pooled"][1] < 0.02
