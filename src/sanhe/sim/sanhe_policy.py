"""sanhe's own policy in the simulated retailer: the product's forecast and order rules.

Nothing is rebuilt here: models.forecast forecasts, goods.replenish prepares and computes. What
is given to them is what the retailer's systems know on that morning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish import Assumptions, Known, Policy, compute, prepare
from sanhe.models.forecast import ChampionSettings, DispersionSet, GbmSettings, forecast
from sanhe.sim.panel import panel_of

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.models.inventory import Floats as Float64s
    from sanhe.sim.arrays import Bools, Floats, Ints
    from sanhe.sim.run import DayView
    from sanhe.sim.world import World

HORIZON_DAYS = 28
QUICK = ChampionSettings(
    gbm=GbmSettings(
        rows=60_000, trees=80, leaves=31, learning_rate=0.12, least_rows=40, median=False
    )
)
"""Smaller than the product's default, so that a what-if of many weeks takes seconds."""


@dataclass(frozen=True, slots=True)
class MorningForecast:
    """A forecast as goods.replenish takes it: expected demand by day from `first_day` on."""

    name: str
    method: str
    first_day: date
    keys: pa.Table
    mean: npt.NDArray[np.float32]
    counted: bool
    dispersion: DispersionSet

    def sum_variance(self, mean: Float64s, days: Float64s) -> Float64s:
        """The variance of demand over `days` days whose expected sum is `mean`, [N]."""
        whole = np.maximum(np.rint(days).astype(np.int64), 1)
        variance = np.zeros(mean.shape)
        for length in np.unique(whole):
            inside = whole == length
            variance[inside] = self.dispersion.of(int(length)).variance(mean[inside])
        return variance


class SanhePolicy:
    """Forecasts every week anew and orders every morning, as `sanhe plan` would.

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
        refit_days: int = 7,
    ) -> None:
        self._policy = policy or Policy.load()
        self._assumptions = assumptions or Assumptions.load()
        self._champion = champion
        self._refit_days = refit_days
        self._made_on: int | None = None
        self._lines: Ints = np.zeros(0, dtype=np.int64)
        self._mean: Floats = np.zeros((0, HORIZON_DAYS), dtype=np.float32)
        self._dispersion: DispersionSet | None = None
        self._method = ""
        self._lead_times: pa.Table | None = None

    def order(self, view: DayView) -> Ints:
        """Base units to order this morning, [lines]."""
        quantity = np.zeros(len(view.lines), dtype=np.int64)
        if view.index < 2 or not view.orderable.any():
            return quantity
        made_on = self._made_on
        if made_on is None or not 0 <= view.index - made_on < self._refit_days:
            self._learn(view)
        chosen = np.flatnonzero(view.orderable[self._lines])
        if not chosen.size:
            return quantity
        known = _known(view, self._lines[chosen], self._lead_times)
        prepared = prepare(
            self._forecast(view, chosen), known, policy=self._policy, assumptions=self._assumptions
        )
        quantity[self._lines[chosen]] = compute(prepared.lines).quantity
        return quantity

    def _learn(self, view: DayView) -> None:
        """Forecast anew from all that is known, and measure the suppliers' lead times."""
        self._lines, panel = panel_of(view, horizon_days=HORIZON_DAYS)
        made = forecast(panel, self._champion)
        self._mean, self._dispersion, self._method = made.mean, made.dispersion, made.method
        self._made_on = view.index
        self._lead_times = measured_lead_times(view)

    def _forecast(self, view: DayView, chosen: Ints) -> MorningForecast:
        """The last forecast, from today on."""
        if self._dispersion is None or self._made_on is None:
            raise ValueError("order() learns before it forecasts")
        return MorningForecast(
            name=f"simulated {view.day}",
            method=self._method,
            first_day=view.day,
            keys=_keys(view.world, self._lines[chosen]),
            mean=self._mean[chosen, view.index - self._made_on :],
            counted=True,
            dispersion=self._dispersion,
        )


def measured_lead_times(view: DayView) -> pa.Table:
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
            "mean_days": mean,
            "sd_days": deviation,
            "deliveries": count[some],
        }
    )


def _known(view: DayView, lines: Ints, lead_times: pa.Table | None) -> Known:
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
                "on_hand": view.on_hand[lines],
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
                "amount_cents": world.prices[today, terms.sku[lines]],
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
