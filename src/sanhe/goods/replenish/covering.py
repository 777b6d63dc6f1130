"""How a line is supplied, and its demand over the days that an order has to cover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish.lines import LONGEST_DAYS
from sanhe.goods.replenish.matching import Texts
from sanhe.goods.replenish.ports import Forecast
from sanhe.models.inventory import Bools, Demand, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Supply:
    """How each line is supplied, [N]; `order_weekdays` as ISO numbers in text, empty = any.

    `lead_time_days` and `lead_time_sd_days` are measured or agreed. `order_in`: days until the
    supplier takes the next order (0 = today), `next_order_in`: until the one after it. `due_in`:
    days until an order of the next order day is due, by the agreed lead time. `by_place`: the
    supplier is a place of ours. `promised_days`: a line that others draw on lets them wait so long.
    """

    supplier: Texts
    order_weekdays: Texts
    lead_time_days: Floats
    lead_time_sd_days: Floats
    review_days: Ints
    order_in: Ints
    next_order_in: Ints
    due_in: Ints
    by_place: Bools
    promised_days: Ints

    @property
    def can_order(self) -> Bools:
        """Whether the order day comes before the next review, so that today's has to use it."""
        ready: Bools = self.order_in < self.review_days
        return ready

    @property
    def arrives_in(self) -> Floats:
        """Days until an order of the next order day arrives."""
        return self.order_in + self.lead_time_days

    @property
    def next_arrival_in(self) -> Floats:
        """Days until the order after it arrives: how long this order has to last."""
        return self.next_order_in + self.lead_time_days


@dataclass(frozen=True, slots=True)
class Expiring:
    """The lines that expire, and their demand until then."""

    rows: Ints
    demand: Demand


def until_expiry(
    forecast: Forecast, keys: pa.Table, counted: Bools, *, arrives_in: Floats, life: Floats
) -> Expiring:
    """Demand until what arrives with this order expires, of the lines that do expire."""
    expires = np.isfinite(life)
    days = np.minimum(np.floor(arrives_in + np.where(expires, life, 0.0)), LONGEST_DAYS)
    window = forecast.window(keys, np.where(expires, days, 0.0).astype(np.int64))
    rows = np.flatnonzero(expires)
    return Expiring(rows, Demand(window.mean, window.variance, counted).take(rows))


def demands(
    forecast: Forecast, keys: pa.Table, counted: Bools, *, supply: Supply
) -> tuple[Demand, Demand]:
    """Demand until this order arrives, and until the one after it does; what may wait is left."""
    sd, waits = supply.lead_time_sd_days, supply.promised_days
    arrives, following = supply.arrives_in - waits, supply.next_arrival_in - waits
    return (
        _demand_over(forecast, keys, counted, days=np.maximum(arrives, 0.0), sd=sd),
        _demand_over(forecast, keys, counted, days=np.maximum(following, 0.0), sd=sd),
    )


def _demand_over(
    forecast: Forecast, keys: pa.Table, counted: Bools, *, days: Floats, sd: Floats
) -> Demand:
    """Demand over `days` days (fractions between two whole ones) whose length deviates by `sd`.

    Var[D] = variance over the mean length + Var[T] m^2, m the daily mean (Silver, Pyke &
    Thomas, 4th ed., 6.10).
    """
    full = np.floor(days).astype(np.int64)
    part = days - full
    low = forecast.window(keys, full)
    high = forecast.window(keys, full + 1) if part.any() else low
    mean = (1.0 - part) * low.mean + part * high.mean
    variance = (1.0 - part) * low.variance + part * high.variance
    rate = np.divide(mean, days, out=np.zeros_like(mean), where=days > 0)
    return Demand(mean, variance + (sd * rate) ** 2, counted)
