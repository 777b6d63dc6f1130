"""Demand forecasts for many daily series at once: mean, median and distribution.

Arrays in, arrays out. A `Panel` holds N series of T days and what is known of the H days ahead.
`forecast` picks the champion on a hold-out; `backtest` shows how it would have done before.
"""

from sanhe.models.forecast.backtest import backtest
from sanhe.models.forecast.baselines import (
    same_weekday_mean,
    sba,
    seasonal_naive,
    smoothed_mean,
    tsb,
    weekday_profile,
)
from sanhe.models.forecast.censoring import (
    CensoringSettings,
    Demand,
    demand_panel,
    estimate_demand,
    uncensored_days,
)
from sanhe.models.forecast.champion import (
    ACCURATE,
    FAST,
    SIMPLE,
    ChampionSettings,
    Forecast,
    forecast,
)
from sanhe.models.forecast.distribution import (
    Dispersion,
    DispersionSet,
    Kind,
    fit_dispersion,
)
from sanhe.models.forecast.drivers import effects, level, whole_parts
from sanhe.models.forecast.gbm import FittedGbm, GbmSettings, GlobalGbm, Prediction, Target
from sanhe.models.forecast.hierarchy import Level, top_down, weighted
from sanhe.models.forecast.history import FeatureNames
from sanhe.models.forecast.launch import Launched, LaunchSettings, launched
from sanhe.models.forecast.panel import Panel, is_counts
from sanhe.models.forecast.scores import Score, bias, coverage, pinball, wape
from sanhe.models.forecast.season import Season, season_factor
from sanhe.models.forecast.spread import own_spread, uncertainty
from sanhe.models.forecast.weekly import (
    WeeklyForecast,
    WeeklySettings,
    flat_mean,
    forecast_weekly,
    grown_naive,
)
from sanhe.models.forecast.weekly import profile as weekly_profile
from sanhe.models.forecast.weekly import seasonal_naive as weekly_seasonal_naive
from sanhe.models.forecast.weekly_model import WeeklyPanel, YearlyRatioModel, weekly_calendar

__all__ = [
    "ACCURATE",
    "FAST",
    "SIMPLE",
    "CensoringSettings",
    "ChampionSettings",
    "Demand",
    "Dispersion",
    "DispersionSet",
    "FeatureNames",
    "FittedGbm",
    "Forecast",
    "GbmSettings",
    "GlobalGbm",
    "Kind",
    "LaunchSettings",
    "Launched",
    "Level",
    "Panel",
    "Prediction",
    "Score",
    "Season",
    "Target",
    "WeeklyForecast",
    "WeeklyPanel",
    "WeeklySettings",
    "YearlyRatioModel",
    "backtest",
    "bias",
    "coverage",
    "demand_panel",
    "effects",
    "estimate_demand",
    "fit_dispersion",
    "flat_mean",
    "forecast",
    "forecast_weekly",
    "grown_naive",
    "is_counts",
    "launched",
    "level",
    "own_spread",
    "pinball",
    "same_weekday_mean",
    "sba",
    "season_factor",
    "seasonal_naive",
    "smoothed_mean",
    "top_down",
    "tsb",
    "uncensored_days",
    "uncertainty",
    "wape",
    "weekday_profile",
    "weekly_calendar",
    "weekly_profile",
    "weekly_seasonal_naive",
    "weighted",
    "whole_parts",
]
