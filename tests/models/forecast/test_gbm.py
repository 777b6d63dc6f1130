"""The global model: better than the simple methods, blind to the future, the same each time."""

import dataclasses

import numpy as np
import pytest

from sanhe.models.forecast import (
    ChampionSettings,
    GbmSettings,
    GlobalGbm,
    Panel,
    backtest,
    forecast,
    same_weekday_mean,
    wape,
)
from tests.models.forecast.synthetic import world

SMALL = GbmSettings(rows=12_000, trees=50, leaves=15, learning_rate=0.15, target="sales")


def spoiled(panel: Panel, origin: int) -> Panel:
    """The panel with everything from `origin` on changed, but the known inputs."""
    sales, stock = panel.sales.copy(), panel.in_stock.copy()
    empty = panel.opened_empty.copy()
    sales[:, origin:] = sales[:, origin:] * 7 + 13
    stock[:, origin:] = 0.1
    empty[:, origin:] = True
    return dataclasses.replace(panel, sales=sales, in_stock=stock, opened_empty=empty)


@pytest.mark.parametrize("target", ["sales", "demand"])
def test_nothing_of_the_future_but_known_inputs_changes_the_forecast(target: str) -> None:
    panel = world(out_of_stock=0.3).panel
    origin = 84
    settings = ChampionSettings(gbm=dataclasses.replace(SMALL, target=target))

    before = forecast(panel.cut(origin), settings)
    after = forecast(spoiled(panel, origin).cut(origin), settings)
    np.testing.assert_array_equal(before.mean, after.mean)
    np.testing.assert_array_equal(before.median, after.median)
    np.testing.assert_array_equal(before.spread, after.spread)
    assert before.dispersion == after.dispersion

    # negative control: a known input of the horizon does change the model's forecast
    known = panel.known.copy()
    known[:, origin : origin + 7, 0] = 0.7
    promoted = dataclasses.replace(panel, known=known).cut(origin)
    model = GlobalGbm(settings.gbm).fit(panel.cut(origin))
    assert model.predict(promoted).sum() > model.predict(panel.cut(origin)).sum() * 1.2

    # negative control: the same change inside the history is seen
    seen = forecast(spoiled(panel, origin - 14).cut(origin), settings)
    assert not np.array_equal(before.mean, seen.mean)


def test_known_inputs_after_the_horizon_are_not_looked_at() -> None:
    panel = world().panel
    known = panel.known.copy()
    known[:, 91:] = 0.0
    changed = dataclasses.replace(panel, known=known)
    model = GlobalGbm(SMALL).fit(panel.cut(84))
    again = GlobalGbm(SMALL).fit(changed.cut(84))
    np.testing.assert_array_equal(model.predict(panel.cut(84)), again.predict(changed.cut(84)))


def test_the_global_model_beats_the_same_weekday_mean_and_comes_near_the_truth() -> None:
    made = world(series=120)
    panel = made.panel
    result = forecast(panel, ChampionSettings(gbm=SMALL))
    truth = made.mean[:, panel.days :]
    simple = same_weekday_mean(panel)
    assert result.method == "global_gbm"
    assert np.abs(result.mean - truth).sum() < 0.6 * np.abs(simple - truth).sum()
    actual = made.demand[:, panel.days :]
    assert wape(actual, result.median) <= wape(actual, result.mean) * 1.02


def test_noise_alone_is_not_given_to_the_global_model() -> None:
    panel = world(series=12).panel
    result = forecast(panel, ChampionSettings(gbm=SMALL))
    assert result.method != "global_gbm"
    assert "global_gbm" not in result.holdout_wape


def test_a_short_history_is_forecast_by_a_simple_method() -> None:
    panel = world(days=10).panel
    result = forecast(panel, ChampionSettings(gbm=SMALL))
    assert result.method in {"same_weekday_mean", "tsb", "seasonal_naive"}
    assert np.isfinite(result.mean).all()
    with pytest.raises(ValueError, match="too few"):
        GlobalGbm(SMALL).fit(panel)


def test_the_same_seed_gives_the_same_forecast() -> None:
    panel = world().panel
    first = GlobalGbm(SMALL).fit(panel).predict(panel)
    second = GlobalGbm(SMALL).fit(panel).predict(panel)
    np.testing.assert_array_equal(first, second)


def test_series_that_start_late_or_never_sold_do_not_break_the_fit() -> None:
    panel = world().panel
    sales = panel.sales.copy()
    sales[0] = 0
    sales[1, :90] = np.nan
    sales[2] = np.nan
    made = GlobalGbm(SMALL)
    late = dataclasses.replace(panel, sales=sales)
    mean = made.fit(late).predict(late)
    assert np.isfinite(mean).all()
    assert (mean >= 0).all()
    assert mean[0].mean() < 0.6


def test_backtest_scores_each_origin_and_group() -> None:
    panel = world().panel
    groups = ["fast" if level > 5 else "slow" for level in np.nanmean(panel.sales, axis=1)]
    scores = backtest(
        panel,
        [84, 91],
        {
            "weekday": same_weekday_mean,
            "champion": lambda cut: forecast(cut, ChampionSettings(gbm=SMALL)),
        },
        groups=groups,
    )
    assert len(scores) == 2 * 2 * 3
    by = {(s.method, s.origin, s.group): s for s in scores}
    for origin in (84, 91):
        champion, weekday = by["champion", origin, "all"], by["weekday", origin, "all"]
        assert champion.wape < weekday.wape
        assert 0.85 < champion.coverage <= 1
        assert champion.pinball < weekday.wape
    with pytest.raises(ValueError, match="cannot be scored"):
        backtest(panel, [95], {"weekday": same_weekday_mean})
