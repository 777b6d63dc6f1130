"""Small synthetic panels with known demand: weekday pattern, promotions, stock-outs."""

import dataclasses
import datetime

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast import Panel


@dataclasses.dataclass(frozen=True)
class World:
    """A panel and the truth behind it: true demand, [N, T + H]."""

    panel: Panel
    demand: NDArray[np.float32]
    mean: NDArray[np.float64]


def world(
    *,
    series: int = 80,
    days: int = 98,
    horizon_days: int = 7,
    seed: int = 3,
    out_of_stock: float = 0.0,
    hourly: bool = True,
    size: float = 4.0,
) -> World:
    """Negative binomial demand; a share of days runs out of stock, seen hourly or by day only."""
    rng = np.random.default_rng(seed)
    total = days + horizon_days
    weekday = np.arange(total) % 7
    level = np.exp(rng.uniform(np.log(0.4), np.log(25), series))
    profile = np.array([0.8, 0.8, 0.9, 0.95, 1.1, 1.3, 1.15])[weekday]
    discount = np.where(rng.random((series, total)) < 0.12, 0.7, 1.0)
    rain = np.broadcast_to(rng.gamma(1.0, 3.0, total), (series, total))
    mean = level[:, None] * profile * (1 / discount) ** 2
    demand = rng.negative_binomial(size, size / (size + mean)).astype(np.float32)
    stocked = _stocked(demand, mean, rng=rng, share=out_of_stock, size=size)
    known = np.stack([discount, rain], axis=2).astype(np.float32)
    sales, in_stock, opened_empty = (one[:, :days] for one in stocked[:3])
    if not hourly:
        in_stock = np.full_like(in_stock, np.nan)
    panel = Panel(
        sales=sales,
        in_stock=in_stock,
        opened_empty=opened_empty,
        static=np.stack([np.arange(series) % 5, np.arange(series) // 5], axis=1).astype(np.int32),
        static_names=("store", "sku"),
        known=known,
        known_names=("discount", "rain"),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=horizon_days,
        sold_out=stocked[3][:, :days] if not hourly else None,
    )
    return World(panel, demand, mean)


def _stocked(
    demand: NDArray[np.float32],
    mean: NDArray[np.float64],
    *,
    rng: np.random.Generator,
    share: float,
    size: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Sales, share of the day in stock, opened empty, sold out, when stock is short on some days.

    A day's customers come at uniform times; with stock q the (q+1)th finds nothing, and the time
    of the q-th of D arrivals is the share in stock.
    """
    short = rng.random(demand.shape) < share * 1.6
    empty = short & (rng.random(demand.shape) < 0.25)
    stock = np.where(short, np.floor(mean * rng.uniform(0.2, 1.1, mean.shape)), 1e9)
    stock = np.where(empty, 0, np.maximum(stock, 1))
    sales = np.minimum(demand, stock).astype(np.float32)
    ran_out = demand >= stock
    gone = rng.beta(np.maximum(stock, 1e-3), np.maximum(demand - stock + 1, 1e-3))
    in_stock = np.where(ran_out, gone, 1.0)
    in_stock = np.where(empty, 0.0, in_stock).astype(np.float32)
    return sales, in_stock, empty, ran_out
