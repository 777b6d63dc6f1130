"""The product's policy as a rule of a replay: its forecast and its order rules, nothing rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish import Assumptions, Known, Policy, compute, prepare

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.goods.demand import ForecastRun, WindowDemand
    from sanhe.goods.replenish import Prepared
    from sanhe.models.replay import Morning

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Later:
    """A forecast run some days after it was made: what goods.replenish takes on that morning."""

    run: ForecastRun
    days: int

    @property
    def id(self) -> str:
        """The run and the day."""
        return f"{self.run.id}+{self.days}"

    @property
    def method(self) -> str:
        """How it was made."""
        return self.run.method

    @property
    def as_of(self) -> date:
        """The morning planned for."""
        return self.run.as_of + timedelta(days=self.days)

    @property
    def keys(self) -> pa.Table:
        """Columns sku and place, one row a line."""
        return self.run.keys

    @property
    def mean(self) -> npt.NDArray[np.float32]:
        """Expected demand from this morning on, [N, H - days]."""
        return self.run.mean[:, self.days :]

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """[N]: sold in whole units."""
        return self.run.counted

    def window(self, keys: pa.Table, days: Ints) -> WindowDemand:
        """Demand of each line of `keys` over `days` days from this morning on."""
        return self.run.window(keys, days, start_days=self.days)

    def drivers(self, keys: pa.Table, days: Floats) -> None:
        """Not opened into drivers: nobody reads a replayed morning."""


class ProductRule:
    """Forecasts every `every_days` days and orders every morning as `sanhe plan` would.

    `forecast_on` makes the forecast of a day from what was known that morning. `keys` are the
    lines of the replay. A line is looked at on the supplier's order days, and not again before
    the order day that its review period leads to.
    """

    def __init__(
        self,
        keys: pa.Table,
        forecast_on: Callable[[int], ForecastRun],
        known: Known,
        *,
        policy: Policy,
        assumptions: Assumptions,
        name: str = "sanhe",
        every_days: int = 7,
    ) -> None:
        self._keys, self._forecast_on, self._known = keys, forecast_on, known
        self._policy, self._assumptions = policy, assumptions
        self._name, self._every_days = name, every_days
        self._next_look = np.zeros(keys.num_rows, np.int64)

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def order(self, morning: Morning) -> Ints:
        """Base units to order now, [seeds, lines]."""
        quantity = np.zeros(morning.on_hand.shape, np.int64)
        if morning.index == 0:
            self._next_look[:] = 0
        looked = morning.due & (self._next_look <= morning.index)
        if not looked.any():
            return quantity
        later = morning.index % self._every_days
        made = self._forecast_on(morning.index - later)
        row = made.rows(self._keys)
        lines = np.flatnonzero(looked & (row >= 0))
        prepared = prepare(
            Later(made, later),
            self._known,
            policy=self._policy,
            assumptions=self._assumptions,
            rows=row[lines],
        )
        self._next_look[lines] = morning.index + prepared.supply.next_order_in
        for seed in range(len(quantity)):
            quantity[seed, lines] = self._computed(prepared, morning, seed, lines=lines)
        return quantity

    def _computed(self, prepared: Prepared, morning: Morning, seed: int, *, lines: Ints) -> Ints:
        """The rules' quantities under one seed's stock."""
        none = np.zeros(len(lines), np.int64)
        stocked = replace(
            prepared.lines,
            on_hand=morning.on_hand[seed, lines].astype(np.int64),
            on_order=morning.on_order[seed, lines].astype(np.int64),
            on_order_overdue=none,
            on_order_after_cover=none,
            reserved=none,
        )
        return compute(stocked, prepared.shared).quantity
