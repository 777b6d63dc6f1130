"""sanhe's own policy in the simulated retailer: the product's forecast and order rules.

Nothing is rebuilt here: models.forecast forecasts, goods.replenish prepares and computes. What
is given to them is what the retailer's systems know on that morning.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish import Assumptions, Known, Policy, compute, prepare
from sanhe.models.forecast import (
    SIMPLE,
    ChampionSettings,
    DispersionSet,
    FittedGbm,
    GbmSettings,
    GlobalGbm,
    demand_panel,
    forecast,
    own_spread,
    uncensored_days,
)
from sanhe.models.inventory import expected_demand
from sanhe.sim.panel import panel_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.models.inventory import Floats as Float64s
    from sanhe.sim.arrays import Bools, Floats, Ints
    from sanhe.sim.run import DayView
    from sanhe.sim.world import World

HORIZON_DAYS = 21
QUICK = ChampionSettings(
    gbm=GbmSettings(
        rows=20_000,
        trees=50,
        leaves=15,
        learning_rate=0.1,
        least_rows=40,
        bins=31,
        history_days=84,
        median=False,
        threads=1,
    ),
    holdout_effort=0.9,
)
"""Smaller than the product's default, so that a what-if of many weeks takes seconds."""


@dataclass(frozen=True, slots=True)
class Window:
    """Demand over an interval: its mean and variance, [K], base units."""

    mean: Float64s
    variance: Float64s


@dataclass(frozen=True, slots=True)
class MorningForecast:
    """A forecast as goods.replenish takes it: expected demand by day from `as_of` on, [N, H].

    spread: each line's own factor in the dispersion, [N].
    """

    id: str
    method: str
    as_of: date
    keys: pa.Table
    mean: npt.NDArray[np.float32]
    counted: npt.NDArray[np.bool_]
    dispersion: DispersionSet
    spread: npt.NDArray[np.float64]

    def window(self, keys: pa.Table, days: npt.NDArray[np.int64]) -> Window:
        """Demand of each (sku, place) of `keys` over the first `days` days, [K]."""
        row = self._rows(keys)
        length = np.broadcast_to(np.asarray(days, np.int64), row.shape)
        mean = expected_demand(self.mean[row], length)
        variance = np.zeros(mean.shape)
        for one in np.unique(length[length > 0]):
            inside = length == one
            variance[inside] = self.dispersion.of(int(one)).variance(
                mean[inside], spread=self.spread[row[inside]]
            )
        return Window(mean, variance)

    def drivers(self, keys: pa.Table, days: Float64s) -> None:
        """Not opened into drivers: nobody reads a simulated morning."""

    def _rows(self, keys: pa.Table) -> npt.NDArray[np.int64]:
        own = zip(self.keys["sku"].to_pylist(), self.keys["place"].to_pylist(), strict=True)
        number = {key: row for row, key in enumerate(own)}
        asked = zip(keys["sku"].to_pylist(), keys["place"].to_pylist(), strict=True)
        return np.array([number[key] for key in asked], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What the policy remembers: its method, and its last forecast of `lines`, [N, H].

    spread: [N], as of the last forecast.
    """

    learned_on: int
    method: str
    dispersion: DispersionSet
    fitted: FittedGbm | None
    made_on: int = -1
    lines: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    mean: Floats = field(default_factory=lambda: np.zeros((0, 1), dtype=np.float32))
    spread: Float64s = field(default_factory=lambda: np.zeros(0))
    lead_times: pa.Table | None = None

    def forecast(self, view: DayView, chosen: Ints) -> MorningForecast:
        """The forecast of the chosen lines, from today on."""
        return MorningForecast(
            id=f"simulated {view.day}",
            method=self.method,
            as_of=view.day,
            keys=_keys(view.world, self.lines[chosen]),
            mean=self.mean[chosen, view.index - self.made_on :],
            counted=np.ones(len(chosen), dtype=np.bool_),
            dispersion=self.dispersion,
            spread=self.spread[chosen],
        )


class SanhePolicy:
    """Forecasts every week, chooses its method anew every five weeks, orders every morning.

    `champion` sets the effort of the forecast; `policy` and `assumptions` are those of
    goods.replenish. One instance serves one run: it remembers its last forecast.
    """

    name = "sanhe"

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        assumptions: Assumptions | None = None,
        champion: ChampionSettings = QUICK,
        forecast_days: int = 7,
        learn_days: int = 35,
    ) -> None:
        self._policy = policy or Policy.load()
        self._assumptions = assumptions or Assumptions.load()
        self._champion = champion
        self._forecast_days, self._learn_days = forecast_days, learn_days
        self._known: _Learned | None = None

    def order(self, view: DayView) -> Ints:
        """Base units to order this morning, [lines]."""
        quantity = np.zeros(len(view.lines), dtype=np.int64)
        if view.index < 2 or not view.orderable.any():
            return quantity
        known = self._known = self._learned(view)
        chosen = np.flatnonzero(view.orderable[known.lines])
        if not chosen.size:
            return quantity
        prepared = prepare(
            known.forecast(view, chosen),
            known_of(view, known.lines[chosen], known.lead_times),
            policy=self._policy,
            assumptions=self._assumptions,
        )
        quantity[known.lines[chosen]] = compute(prepared.lines).quantity
        return quantity

    def _learned(self, view: DayView) -> _Learned:
        """The forecast in force: the last one, or one made now."""
        last = self._known
        if last is not None and 0 <= view.index - last.made_on < self._forecast_days:
            return last
        lines, panel = panel_of(view, horizon_days=HORIZON_DAYS)
        if last is None or not 0 <= view.index - last.learned_on < self._learn_days:
            made = forecast(panel, self._champion)
            learned = _Learned(view.index, made.method, made.dispersion, None)
            return replace(
                learned,
                made_on=view.index,
                lines=lines,
                mean=made.mean,
                spread=made.spread,
                lead_times=times(view),
            )
        # Between two choices of the method, the method that won forecasts from fresh data.
        fitted, method = last.fitted, last.method
        if method in SIMPLE:
            mean = SIMPLE[method](demand_panel(panel))
        else:
            fitted = fitted or GlobalGbm(self._champion.gbm).fit(panel)
            mean = fitted.predict(panel)
        return replace(
            last,
            fitted=fitted,
            made_on=view.index,
            lines=lines,
            mean=mean,
            spread=own_spread(panel.sales, uncensored_days(panel), kind="counts"),
            lead_times=times(view),
        )


def times(view: DayView) -> pa.Table:
    """Lead times of what was delivered, by supplier and SKU: mean, deviation, deliveries."""
    import pyarrow as pa

    done, lines, world = view.deliveries, view.lines, view.world
    sku = lines.sku[done.line]
    days = (done.arrives - done.ordered).astype(np.float64)
    count = np.bincount(sku, minlength=len(world.items))
    total = np.bincount(sku, weights=days, minlength=len(world.items))
    square = np.bincount(sku, weights=days**2, minlength=len(world.items))
    some = np.flatnonzero(count)
    mean = total[some] / count[some]
    spare = np.maximum(square[some] - count[some] * mean**2, 0.0)
    deviation = np.sqrt(spare / np.maximum(count[some] - 1, 1))
    return pa.table(
        {
            "supplier": [world.suppliers[world.items[number].supplier].id for number in some],
            "sku": [world.items[number].id for number in some],
            "n": count[some],
            "mean_days": mean,
            "sd_days": deviation,
        }
    )


def known_of(view: DayView, lines: Ints, lead_times: pa.Table | None) -> Known:
    """What the retailer's systems know of these lines, as goods.replenish takes it."""
    import pyarrow as pa

    world, terms = view.world, view.lines
    keys = _keys(world, lines)
    items = [world.items[number] for number in terms.sku[lines]]
    suppliers = [world.suppliers[number] for number in terms.supplier[lines]]
    today = min(view.index, world.settings.days - 1)
    life = terms.shelf_life_days[lines]
    pair = {"sku": keys["sku"], "place": keys["place"]}
    return Known(
        items=pa.table(
            {
                "sku": keys["sku"],
                "place": keys["place"],
                "name": [item.name for item in items],
                "base_unit": ["each"] * len(items),
                "case_size": terms.case_size[lines],
                "shelf_life_days": pa.array(life, mask=life == 0),
            }
        ),
        positions=pa.table(
            {
                **pair,
                "net": view.on_hand[lines],
                "reserved": np.zeros(len(lines), dtype=np.int64),
                "known_since": [str(view.day)] * len(lines),
            }
        ),
        terms=pa.table(
            {
                **pair,
                "supplier": [supplier.id for supplier in suppliers],
                "unit_cost_cents": terms.unit_cost_cents[lines].astype(np.float64),
                "lead_time_days": terms.lead_time_days[lines],
                "moq": terms.moq[lines],
                "case_size": terms.case_size[lines],
                "order_weekdays": [
                    ",".join(str(day) for day in supplier.order_weekdays) for supplier in suppliers
                ],
                "priority": [1] * len(lines),
            }
        ),
        on_order=_open_orders(view, lines),
        prices=pa.table(
            {
                **pair,
                "price_cents": world.prices[today, terms.sku[lines]],
                "tax_included": [True] * len(lines),
                "tax_rate": [item.tax_rate for item in items],
            }
        ),
        lead_times=lead_times,
    )


def _open_orders(view: DayView, lines: Ints) -> pa.Table:
    import pyarrow as pa

    inside: Bools = np.isin(view.open_orders.line, lines)
    orders = view.open_orders.only(inside)
    return pa.table(
        {
            "sku": [view.world.sku_ids[line] for line in orders.line],
            "place": [view.world.place_ids[line] for line in orders.line],
            "quantity": orders.quantity,
            "due": [view.day + timedelta(days=int(due) - view.index) for due in orders.due],
        }
    )


def _keys(world: World, lines: Ints) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "sku": [world.sku_ids[line] for line in lines],
            "place": [world.place_ids[line] for line in lines],
        }
    )
