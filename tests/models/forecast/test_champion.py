"""The choice of the champion: more than one stretch, and sums over the horizon."""

import dataclasses

import numpy as np

from sanhe.models.forecast import SIMPLE, ChampionSettings, forecast
from tests.models.forecast.synthetic import world


def test_one_odd_stretch_does_not_choose_the_method() -> None:
    rng = np.random.default_rng(8)
    steady = rng.poisson(6.0, (60, 168)).astype(np.float32)
    steady[:, -28:] = np.tile(steady[:, -35:-28], 4)  # as the last value would have it
    panel = dataclasses.replace(
        world(series=60, days=168, horizon_days=28).panel,
        sales=steady,
        in_stock=np.ones_like(steady),
        opened_empty=np.zeros(steady.shape, bool),
    )
    made = forecast(panel, ChampionSettings(least_series=61))
    on_the_last = {name: made.holdout_wape[name] for name in SIMPLE}
    assert min(on_the_last, key=lambda name: on_the_last[name]) == "seasonal_naive"
    assert made.method == "smoothed_mean"
