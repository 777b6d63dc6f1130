"""Demand forecast (需求预测): what each SKU will sell at each place each day, and how surely.

Systems: S2.
Commands: sanhe plan, sanhe forecast, sanhe aggregates, sanhe override, sanhe backtest,
sanhe report.

Inputs: sales, stock-outs, promotions, prices, holidays, weather and planners' overrides as facts
in the lake. Outputs: forecast runs (mean, median, distribution, drivers per SKU × place) kept in
the lake with the models that made them, weekly forecasts of categories and regions a quarter
ahead that agree with the sums of their lines, what each override was worth, and backtests that
show how good each method was and where it loses, in money.
"""

from sanhe.goods.demand.aggregates import AGGREGATES, AggregateForecast
from sanhe.goods.demand.demand import Demand
from sanhe.goods.demand.drivers import DRIVERS
from sanhe.goods.demand.explaining import ExplainedForecast, override_words
from sanhe.goods.demand.fact_types import FACT_TYPES
from sanhe.goods.demand.forecasting import Progress
from sanhe.goods.demand.hierarchy import CoherentForecast, GroupForecast
from sanhe.goods.demand.methods import METHODS, lightgbm_missing
from sanhe.goods.demand.override_value import MeasuredOverride, Worth
from sanhe.goods.demand.overrides import Override
from sanhe.goods.demand.panel import DemandPanel
from sanhe.goods.demand.run import ForecastRun, History, WindowDemand

__all__ = [
    "AGGREGATES",
    "DRIVERS",
    "FACT_TYPES",
    "METHODS",
    "AggregateForecast",
    "CoherentForecast",
    "Demand",
    "DemandPanel",
    "ExplainedForecast",
    "ForecastRun",
    "GroupForecast",
    "History",
    "MeasuredOverride",
    "Override",
    "Progress",
    "WindowDemand",
    "Worth",
    "lightgbm_missing",
    "override_words",
]
