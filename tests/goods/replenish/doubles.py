"""In-memory parts for the tests of replenishment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from sanhe.goods.suppliers import OrderLine, OrderStatus, PurchaseOrder, PurchaseOrderLine
from sanhe.models.inventory import Floats, expected_demand


@dataclass(frozen=True)
class WindowOf:
    """Demand over an interval."""

    mean: Floats
    variance: Floats


@dataclass(frozen=True)
class FlatForecast:
    """A forecast whose variance is `ratio` times its mean, days independent."""

    keys: pa.Table
    mean: npt.NDArray[np.float32]
    counted: npt.NDArray[np.bool_]
    as_of: date
    ratio: float = 2.0
    id: str = "forecast-1"
    method: str = "test"
    driver_shares: Mapping[str, float] | None = None

    def window(self, keys: pa.Table, days: npt.NDArray[np.int64]) -> WindowOf:
        """The first `days` days of each asked line."""
        mean = expected_demand(self.mean[self._rows(keys)], np.asarray(days, np.float64))
        return WindowOf(mean, mean * self.ratio)

    def drivers(self, keys: pa.Table, days: Floats) -> dict[str, Floats] | None:
        """Shares of the demand's mean where `driver_shares` has some."""
        if self.driver_shares is None:
            return None
        mean = expected_demand(self.mean[self._rows(keys)], days)
        return {name: mean * share for name, share in self.driver_shares.items()}

    def _rows(self, keys: pa.Table) -> list[int]:
        row_of = {
            key: row
            for row, key in enumerate(
                zip(self.keys["sku"].to_pylist(), self.keys["place"].to_pylist(), strict=True)
            )
        }
        asked = zip(keys["sku"].to_pylist(), keys["place"].to_pylist(), strict=True)
        return [row_of[key] for key in asked]


def flat_forecast(
    lines: Iterable[tuple[str, str, float]],
    *,
    as_of: date = date(2025, 9, 25),
    horizon_days: int = 28,
    ratio: float = 2.0,
    counted: bool = True,
) -> FlatForecast:
    """The same mean every day for each (sku, place, mean a day)."""
    given = list(lines)
    keys = pa.table({"sku": [s for s, _, _ in given], "place": [p for _, p, _ in given]})
    mean = np.repeat(np.array([[m] for _, _, m in given], np.float32), horizon_days, axis=1)
    return FlatForecast(keys, mean, np.full(len(given), counted), as_of, ratio)


class MemoryOrders:
    """Purchase orders in a list: one for each supplier × place."""

    def __init__(self) -> None:
        self.placed: list[PurchaseOrder] = []
        self.lines: list[OrderLine] = []

    def order(
        self, lines: Iterable[OrderLine], run: UUID, *, day: date, lead_time_days: int = 0
    ) -> list[PurchaseOrder]:
        """Group the lines and keep the orders."""
        groups: dict[tuple[str, str], list[OrderLine]] = {}
        for line in lines:
            self.lines.append(line)
            groups.setdefault((line.supplier, line.place), []).append(line)
        orders = [
            PurchaseOrder(
                name=f"PO-{len(self.placed) + at:06d}",
                supplier=supplier,
                supplier_name=supplier,
                place=place,
                ordered_on=day,
                due=day,
                currency="CNY",
                run=run,
                status=OrderStatus.PROPOSED,
                lines=tuple(
                    PurchaseOrderLine(
                        n, line.sku, line.name, line.quantity, None, None, None, line.decision
                    )
                    for n, line in enumerate(group, start=1)
                ),
            )
            for at, ((supplier, place), group) in enumerate(sorted(groups.items()), start=1)
        ]
        self.placed += orders
        return orders
