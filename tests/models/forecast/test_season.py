"""The time of year of a group: a known wave, none, too short a past, and nothing seen ahead."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest

from sanhe.models.forecast import Panel, Season, season_factor, smoothed_mean

DAYS, HORIZON = 3 * 364, 28
AHEAD = np.arange(DAYS, DAYS + HORIZON)


def wave(days: np.ndarray, *, high: float = 0.5) -> np.ndarray:
    """A year that is `high` above its mean in spring and as much below in autumn."""
    return 1 + high * np.sin(2 * np.pi * days / 364)


def groups_of(season: np.ndarray, *, seed: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(np.array([[200.0], [50.0], [20.0]]) * season).astype(float)


def panel_of(season: np.ndarray, sales: np.ndarray | None = None) -> Panel:
    """Forty slow series of the last 200 days, of three groups that are known for three years."""
    rng = np.random.default_rng(3)
    level = np.exp(rng.uniform(np.log(0.5), np.log(8), 40))
    sold = rng.poisson(level[:, None] * season[-200:]).astype(np.float32)
    return Panel(
        sales=sold,
        in_stock=np.ones_like(sold),
        opened_empty=np.zeros(sold.shape, bool),
        static=np.arange(40, dtype=np.int32)[:, None],
        static_names=("sku",),
        known=np.zeros((40, 200 + HORIZON, 0), np.float32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=HORIZON,
        season=Season(
            groups_of(season) if sales is None else sales, (np.arange(40) % 3).astype(np.int32)
        ),
    )


def test_the_factor_is_the_season_over_the_level_of_now() -> None:
    season = wave(np.arange(DAYS))
    made = season_factor(groups_of(season), HORIZON, half_life_days=56.0)
    weight = 0.5 ** (np.arange(DAYS)[::-1] / 56.0)
    level = (season * weight).sum() / weight.sum()
    assert made.shape == (3, HORIZON)
    assert made[:2] == pytest.approx(np.broadcast_to(wave(AHEAD) / level, (2, HORIZON)), rel=0.12)


def test_the_turn_of_the_season_is_met() -> None:
    panel = panel_of(wave(np.arange(DAYS)))
    plain = smoothed_mean(dataclasses.replace(panel, season=None))
    told = smoothed_mean(panel)
    recent = panel.sales[:, -200:].mean() / wave(np.arange(DAYS - 200, DAYS)).mean()
    come = recent * wave(AHEAD).mean()
    assert abs(told.mean() / come - 1) < 0.08
    assert abs(plain.mean() / come - 1) > 0.2


def test_years_that_don_t_repeat_tell_nothing() -> None:
    # The negative control: each year has its wave at another time.
    days = np.arange(DAYS)
    shifted = wave(days + np.array([0, 182, 91])[days // 364])
    made = season_factor(groups_of(shifted), HORIZON, half_life_days=56.0)
    steady = season_factor(groups_of(np.ones(DAYS)), HORIZON, half_life_days=56.0)
    repeated = season_factor(groups_of(wave(days)), HORIZON, half_life_days=56.0)
    assert np.abs(np.log(steady)).mean() < 0.05
    assert np.abs(np.log(made)).mean() < 0.3 * np.abs(np.log(repeated)).mean()


@pytest.mark.parametrize("days", [30, 364, 364 + 112 + HORIZON + 27])
def test_too_short_a_past_changes_nothing(days: int) -> None:
    sales = groups_of(wave(np.arange(DAYS)))[:, -days:]
    assert (season_factor(sales, HORIZON, half_life_days=56.0) == 1).all()


def test_a_group_that_sold_nothing_gets_a_finite_factor() -> None:
    sales = groups_of(wave(np.arange(DAYS)))
    sales[2] = 0
    made = season_factor(sales, HORIZON, half_life_days=56.0)
    assert np.isfinite(made).all() and (made > 0).all()
    assert (season_factor(np.zeros((2, DAYS)), HORIZON, half_life_days=56.0) == 1).all()


def test_nothing_after_the_origin_is_seen() -> None:
    panel = panel_of(wave(np.arange(DAYS)))
    assert panel.season is not None
    later = panel.season.sales.copy()
    later[:, -40:] *= 9
    other = dataclasses.replace(panel, season=Season(later, panel.season.group))
    before, changed = (smoothed_mean(one.cut(160, 28)) for one in (panel, other))
    assert (before == changed).all()
    assert (smoothed_mean(panel) != smoothed_mean(other)).any()


def test_some_series_keep_their_group() -> None:
    panel = panel_of(wave(np.arange(DAYS)))
    rows = np.array([3, 4, 11])
    part = panel.only(rows)
    assert part.season is not None and panel.season is not None
    assert part.season.group.tolist() == panel.season.group[rows].tolist()


def test_wrong_seasons_are_refused() -> None:
    with pytest.raises(ValueError, match=r"groups must lie in 0\.\.1"):
        Season(np.ones((2, 5)), np.array([0, 2], np.int32))
    with pytest.raises(ValueError, match="finite"):
        Season(np.full((2, 5), np.nan), np.array([0, 1], np.int32))
    panel = panel_of(np.ones(DAYS))
    with pytest.raises(ValueError, match=r"season\.group"):
        dataclasses.replace(panel, season=Season(np.ones((1, 5)), np.array([0], np.int32)))
