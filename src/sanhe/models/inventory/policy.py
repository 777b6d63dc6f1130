"""Order policies: what the stock position should be raised to, and what that buys.

(R, S): every R days the inventory position (on hand + on order - reserved) is raised to S, the
quantile of demand over review + lead time at the service level that the costs justify.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sanhe.models.inventory.demand import Demand, Floats, Ints, at_most, quantile, shortage
from sanhe.models.inventory.interval import expected_demand

_YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What one unit too few or too many costs, float64 [N] each, in cents per unit.

    `underage_cents`: margin lost (and goodwill). `overage_cents`: holding one unit through one
    review period. `waste_cents`: what is lost with a unit that expires.
    """

    underage_cents: Floats
    overage_cents: Floats
    waste_cents: Floats

    def take(self, rows: Ints) -> UnitCosts:
        """The costs of some of the lines."""
        return UnitCosts(
            self.underage_cents[rows], self.overage_cents[rows], self.waste_cents[rows]
        )


def unit_costs(
    unit_cost_cents: npt.ArrayLike,
    margin_cents: npt.ArrayLike,
    *,
    review_days: npt.ArrayLike,
    holding_rate_per_year: float,
    goodwill_rate: float = 0.0,
) -> UnitCosts:
    """The newsvendor's costs per review cycle (Silver, Pyke & Thomas, 4th ed., 9.2).

    underage = margin (1 + goodwill rate), none where the margin is negative; overage = cost h
    R / 365, h the holding rate a year and R the review days; waste = cost.
    """
    cost, margin, review = np.broadcast_arrays(
        *np.atleast_1d(
            np.asarray(unit_cost_cents, np.float64),
            np.asarray(margin_cents, np.float64),
            np.asarray(review_days, np.float64),
        )
    )
    return UnitCosts(
        underage_cents=np.maximum(margin * (1.0 + goodwill_rate), 0.0),
        overage_cents=np.maximum(cost * holding_rate_per_year * review / _YEAR_DAYS, 0.0),
        waste_cents=np.maximum(cost, 0.0),
    )


def critical_ratio(costs: UnitCosts, *, lowest: npt.ArrayLike, highest: npt.ArrayLike) -> Floats:
    """The service level that minimises expected cost, within bounds (one, or [N]), float64 [N].

    P(D <= S) = c_u / (c_u + c_o) (Arrow, Harris & Marschak 1951; Silver, Pyke & Thomas, 4th
    ed., 9.2), for goods that don't expire. Where there is no margin: `lowest`.
    Raises ValueError unless 0 <= lowest <= highest < 1.
    """
    low, high = np.asarray(lowest, np.float64), np.asarray(highest, np.float64)
    if not ((low >= 0) & (low <= high) & (high < 1)).all():
        raise ValueError(f"service bounds {low} and {high} must lie in 0..1, in order")
    under = costs.underage_cents
    total = under + costs.overage_cents
    ratio = np.divide(under, total, out=np.zeros_like(total), where=total > 0)
    bounded: Floats = np.clip(ratio, low, high)
    return bounded


def perishable_ratio(
    costs: UnitCosts,
    until_next: Demand,
    until_expiry: Demand,
    *,
    lowest: npt.ArrayLike,
    highest: npt.ArrayLike,
) -> Floats:
    """The service level for goods that expire, within bounds (one, or [N]), float64 [N].

    The S-th unit is worth having while what it earns is at least what it costs:

        c_u P(D_T >= S) >= c_o P(D_T < S) + c_w P(D_E < S)

    with D_T demand until the next arrival and D_E until what arrives now expires: stock is sold
    first in, first out, so the S-th unit is wasted when fewer than S are asked for by then. The
    largest such S is sought by halving; the result is P(D_T <= S). (The marginal form of the
    newsvendor, Silver, Pyke & Thomas, 4th ed., 9.2, with waste judged at expiry.)
    Raises ValueError unless 0 <= lowest <= highest < 1.
    """
    high = quantile(until_next, critical_ratio(costs, lowest=lowest, highest=highest))
    low = np.zeros_like(high)
    rows = np.flatnonzero(high > low)
    while rows.size:
        middle = (low[rows] + high[rows] + 1) // 2
        below = at_most(until_next.take(rows), middle - 1)
        wasted = at_most(until_expiry.take(rows), middle - 1)
        some = costs.take(rows)
        cost = some.overage_cents * below + some.waste_cents * wasted
        worth = some.underage_cents * (1.0 - below) >= cost
        low[rows] = np.where(worth, middle, low[rows])
        high[rows] = np.where(worth, high[rows], middle - 1)
        rows = rows[high[rows] > low[rows]]
    bounded: Floats = np.clip(at_most(until_next, low), lowest, highest)
    return bounded


def order_up_to(demand: Demand, service_level: npt.ArrayLike) -> Ints:
    """S of the (R, S) policy: the exact quantile of demand over review + lead time, int64 [N].

    (Silver, Pyke & Thomas, 4th ed., 6.9, with the exact distribution in place of the normal.)
    """
    level: Ints = quantile(demand, service_level)
    return level


def days_of_cover(
    daily_mean: npt.ArrayLike, position: npt.ArrayLike, *, cover_days: npt.ArrayLike
) -> Ints:
    """The old policy: raise the position to `cover_days` of the past daily mean, rounded up.

    What most planning sheets do; kept as the yardstick of every what-if.
    """
    level = np.asarray(daily_mean, np.float64) * np.asarray(cover_days, np.float64)
    gap = np.ceil(level - np.asarray(position, np.float64) - 1e-9)
    quantity: Ints = np.maximum(gap, 0.0).astype(np.int64)
    return quantity


def normal_order_up_to(demand: Demand, service_level: npt.ArrayLike) -> Ints:
    """S = M + z sqrt(V), rounded up: the textbook's normal approximation, for comparison."""
    from scipy import special

    level = demand.mean + special.ndtri(np.asarray(service_level)) * np.sqrt(demand.variance)
    whole: Ints = np.ceil(np.maximum(level, 0.0)).astype(np.int64)
    return whole


def expected_fill(until_next: Demand, until_arrival: Demand, position: npt.ArrayLike) -> Floats:
    """The share of one cycle's demand met from stock, float64 [N] in 0..1.

    With the position y after ordering, the cycle runs from this order's arrival to the next
    one's: fill = 1 - (E[(D_T - y)+] - E[(D_L - y)+]) / (E[D_T] - E[D_L]), T until the next
    arrival, L until this one. (Hadley & Whitin 1963, 5-2; Silver, Pyke & Thomas, 4th ed., 6.9;
    unmet demand is counted as owed.) Lines without demand in the cycle have fill 1.
    """
    short = shortage(until_next, position) - shortage(until_arrival, position)
    cycle = until_next.mean - until_arrival.mean
    lost = np.divide(short, cycle, out=np.zeros_like(cycle), where=cycle > 0)
    return np.clip(1.0 - lost, 0.0, 1.0)


def shortage_avoided(demand: Demand, position: npt.ArrayLike, quantity: npt.ArrayLike) -> Floats:
    """Units that `quantity` more saves from being short: E[min(q, (D - y)+)], float64 [N].

    = E[(D - y)+] - E[(D - y - q)+].
    """
    y = np.asarray(position, np.float64)
    return shortage(demand, y) - shortage(demand, y + np.asarray(quantity, np.float64))


def shortage_avoided_at(
    demand: Demand, position: npt.ArrayLike, quantity: npt.ArrayLike, *, probability: float
) -> Floats:
    """The quantile of min(q, (D - y)+): it grows with D, so it is taken at D's quantile."""
    at = quantile(demand, probability)
    left = np.maximum(at - np.asarray(position, np.float64), 0.0)
    return np.minimum(left, np.asarray(quantity, np.float64))


def sellable_within(mean_by_day: npt.ArrayLike, days: npt.ArrayLike) -> Ints:
    """Whole units expected to be sold within `days`, rounded down, int64 [N].

    Days may be infinite: then the largest whole number that is safe to add to.
    """
    span = np.asarray(days, np.float64)
    finite = np.isfinite(span)
    units = expected_demand(mean_by_day, np.where(finite, span, 0.0))
    whole = np.floor(np.minimum(units, 1e15) + 1e-9).astype(np.int64)
    return np.where(finite, whole, np.int64(1) << 60)
