"""What replenishment needs from others: a forecast, and tables of what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from sanhe.models.inventory import Floats

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


class Window(Protocol):
    """Demand over an interval of whole days, [K], in base units."""

    @property
    def mean(self) -> Floats:
        """Expected demand."""
        ...

    @property
    def variance(self) -> Floats:
        """Its variance."""
        ...


class Forecast(Protocol):
    """A forecast run of N SKU × place; `goods.demand.ForecastRun` is one."""

    @property
    def id(self) -> str:
        """The same data and method give the same one."""
        ...

    @property
    def method(self) -> str:
        """How it was made."""
        ...

    @property
    def as_of(self) -> date:
        """The first forecast day: orders are decided on its morning."""
        ...

    @property
    def keys(self) -> pa.Table:
        """Columns sku and place, one row a line, in the order of `mean`."""
        ...

    @property
    def mean(self) -> npt.NDArray[np.float32]:
        """Expected demand [N, H] in base units, one column a day from `as_of` on."""
        ...

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """[N]: sold in whole units; measured quantities otherwise."""
        ...

    def window(self, keys: pa.Table, days: npt.NDArray[np.int64]) -> Window:
        """Demand of each (sku, place) of `keys` over the first `days` days, [K]."""
        ...

    def drivers(self, keys: pa.Table, days: Floats) -> Mapping[str, Floats] | None:
        """What demand over `days` days, [K], maybe part of one, is made of: by driver, [K].

        They sum to its mean; None = not known.
        """
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What is known on the day, as Arrow tables; a missing table counts as empty.

    Rows without a place hold for every place that has no row of its own.
    The columns are those of the façades' tables; further columns are left aside:
    `items` (Catalog.items): sku, name, base_unit, case_size, shelf_life_days.
    `positions` (Stock.positions): sku, place, net, reserved, known_since.
    `lots` (Stock.lots): sku, place, expires (the last day of sale), quantity.
    `terms` (Suppliers.terms): sku, place, supplier, unit_cost_cents, cost_per_case_cents,
    lead_time_days, moq, case_size, order_weekdays, priority (lowest first), and where deliveries
    are limited truck_grams, truck_ml, case_grams, case_ml, cases_per_pallet,
    minimum_order_cents, minimum_order_cases.
    `on_order` (Suppliers.on_order): sku, place, quantity, due.
    `prices` (Catalog.prices): sku, place, price_cents, per_units, tax_included, tax_rate.
    `lead_times` (Suppliers.lead_times): supplier, sku, n, mean_days, sd_days.
    `classes` (Health.table): sku, place, label. `presentation`: sku, place, units.
    `stopped`: sku, place. `places` (Places.all): id, kind, parent, region.
    `leaving` (Suppliers.leaving): sku, place, quantity that open orders will take away.
    `transfers`: open decisions to move stock: sku, place, giver, quantity.
    """

    items: pa.Table | None = None
    positions: pa.Table | None = None
    lots: pa.Table | None = None
    terms: pa.Table | None = None
    on_order: pa.Table | None = None
    prices: pa.Table | None = None
    lead_times: pa.Table | None = None
    classes: pa.Table | None = None
    presentation: pa.Table | None = None
    stopped: pa.Table | None = None
    places: pa.Table | None = None
    leaving: pa.Table | None = None
    transfers: pa.Table | None = None
