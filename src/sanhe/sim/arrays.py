"""The array types of the simulator, and the lines (SKU × place) its arrays run over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float32]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Lines:
    """The N lines of a retailer: one SKU sold in one place each, sorted by place, then SKU.

    `sku`, `place`, `supplier`: positions in the lists of items, places and suppliers.
    `price_cents`, `unit_cost_cents`: per base unit, price with tax, cost
    without. `margin_cents`: price without tax less cost. `case_size`, `moq`: base units.
    `shelf_life_days`: 0 = does not spoil. `lead_time_days`: agreed, from order to receipt.
    `order_weekday`: [N, 7] the supplier takes orders on this weekday, Monday first.
    `velocity`: position in VELOCITIES, the truth of the world. `listed_from`: day index of
    the first day on sale.
    """

    sku: Ints
    place: Ints
    supplier: Ints
    price_cents: Ints
    unit_cost_cents: Ints
    margin_cents: Ints
    case_size: Ints
    moq: Ints
    shelf_life_days: Ints
    lead_time_days: Ints
    order_weekday: Bools
    velocity: Ints
    listed_from: Ints

    def __len__(self) -> int:
        """The number of lines."""
        return int(self.sku.shape[0])
