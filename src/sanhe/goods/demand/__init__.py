"""Demand forecast (需求预测): what each SKU will sell at each place each day, and how surely.

Systems: S2.
Commands: sanhe plan, sanhe backtest, sanhe report.

Inputs: sales, stock-outs, promotions, prices, holidays and weather as facts in the lake.
Outputs: forecast runs (mean, median, distribution per SKU × place) kept in the lake, and
backtests that show how good each method was and where it loses.
"""

from sanhe.goods.demand.demand import Demand
from sanhe.goods.demand.fact_types import FACT_TYPES
from sanhe.goods.demand.forecasting import Progress
from sanhe.goods.demand.methods import METHODS, lightgbm_missing
from sanhe.goods.demand.panel import DemandPanel
from sanhe.goods.demand.run import ForecastRun, History, WindowDemand

__all__ = [
    "FACT_TYPES",
    "METHODS",
    "Demand",
    "DemandPanel",
    "ForecastRun",
    "History",
    "Progress",
    "WindowDemand",
    "lightgbm_missing",
]
