"""Weekly series a quarter ahead: the methods, the gate, and that nothing looks ahead."""

import datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from sanhe.models.forecast import (
    WeeklyPanel,
    WeeklySettings,
    YearlyRatioModel,
    flat_mean,
    forecast_weekly,
    grown_naive,
    wape,
    weekly_calendar,
    weekly_profile,
    weekly_seasonal_naive,
)

FIRST = datetime.date(2012, 1, 2)
SMALL = YearlyRatioModel(trees=40, stride=6)


def panel_of(sales: NDArray[np.float64], horizon: int = 13) -> WeeklyPanel:
    return WeeklyPanel(sales, weekly_calendar(FIRST, sales.shape[1] + horizon), horizon)


def seasonal(weeks: int, *, series: int = 8, growth: float = 0.0, noise: float = 0.05):
    rng = np.random.default_rng(5)
    at = np.arange(weeks)
    shape = 1 + 0.5 * np.sin(2 * np.pi * (at[None] / 52 + rng.random((series, 1))))
    level = rng.uniform(50, 500, (series, 1)) * np.exp(growth * at / 52)
    return np.asarray(level * shape * rng.lognormal(0, noise, (series, weeks)), np.float64)


def test_a_steady_yearly_growth_is_carried_on() -> None:
    sales = seasonal(52 * 4, growth=0.2, noise=0.0)
    made, came = grown_naive(panel_of(sales[:, :-13])), sales[:, -13:]
    assert wape(came, made) < 0.02
    assert wape(came, weekly_seasonal_naive(panel_of(sales[:, :-13]))) > 0.15


def test_the_profile_finds_the_season_at_the_new_level() -> None:
    sales = seasonal(52 * 4, noise=0.0)
    sales[:, -39:] *= 2  # a lasting jump of the level
    panel = panel_of(sales[:, :-13])
    assert wape(sales[:, -13:], weekly_profile(panel)) < 0.05
    assert wape(sales[:, -13:], weekly_seasonal_naive(panel)) > 0.4


def test_a_new_category_without_last_year_stays_finite() -> None:
    sales = seasonal(52 * 4)
    sales[0, :-5] = 0
    sales[1, :-60] = 0
    sales[2] = 0
    made = forecast_weekly(panel_of(sales), WeeklySettings(model=SMALL))
    assert np.isfinite(made.mean).all() and (made.mean >= 0).all()
    assert made.mean[2].max() < 1


def test_the_champion_is_near_the_best_and_knows_its_league() -> None:
    sales = seasonal(52 * 5, growth=0.1)
    made = forecast_weekly(panel_of(sales[:, :-13]), WeeklySettings(model=SMALL))
    assert sum(made.weights.values()) == pytest.approx(1)
    assert made.origins.tolist() == [247 - 13 * k for k in (4, 3, 2, 1)]
    error = wape(sales[:, -13:], made.mean)
    assert error < 0.75 * wape(sales[:, -13:], flat_mean(panel_of(sales[:, :-13])))
    league = made.wape()
    assert set(league) == {*made.weights, "champion"}
    pooled = {name: one.sum() / made.units.sum() for name, one in made.errors.items()}
    assert pooled["champion"] <= min(pooled.values()) + 1e-3


def test_what_comes_later_changes_nothing() -> None:
    sales = seasonal(52 * 5)
    origin = 52 * 5 - 20
    whole = panel_of(sales)
    changed = sales.copy()
    changed[:, origin:] *= 7
    settings = WeeklySettings(model=SMALL)
    first = forecast_weekly(whole.cut(origin), settings)
    second = forecast_weekly(panel_of(changed).cut(origin), settings)
    assert np.array_equal(first.mean, second.mean)
    # Negative control: a change before the origin is seen.
    changed[:, origin - 1] *= 7
    assert not np.array_equal(
        first.mean, forecast_weekly(panel_of(changed).cut(origin), settings).mean
    )


@pytest.mark.parametrize(
    ("weeks", "methods"),
    [
        (5, {"flat_mean"}),
        (60, {"flat_mean"}),
        (110, {"flat_mean", "seasonal_naive"}),
        (140, {"flat_mean", "seasonal_naive", "grown_naive", "profile"}),
    ],
)
def test_methods_take_part_when_their_history_suffices(weeks: int, methods: set[str]) -> None:
    made = forecast_weekly(panel_of(seasonal(weeks)))
    assert set(made.weights) == methods
    assert made.mean.shape == (8, 13)


def test_events_are_counted_in_weeks_to_the_nearest_day() -> None:
    calendar = weekly_calendar(FIRST, 6, [[datetime.date(2012, 1, 16)], []])
    assert calendar[1].tolist() == [-2, -1, 0, 1, 2, 3]
    assert calendar[2].tolist() == [3.0] * 6
    assert calendar[0, 0] == pytest.approx(2 / 7)


def test_bad_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="calendar"):
        WeeklyPanel(np.ones((2, 30)), np.ones((1, 30)))
    with pytest.raises(ValueError, match="below 0"):
        panel_of(np.array([[1.0, -1.0]]))
    with pytest.raises(ValueError, match="too few"):
        SMALL.forecast(panel_of(seasonal(100)))
