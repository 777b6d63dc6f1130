"""The façade: class every SKU × place by value, regularity and age."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sanhe.goods.health import store
from sanhe.goods.health.assessment import Window, assess
from sanhe.goods.health.rules import Cuts
from sanhe.goods.replenish import Assumptions, Known

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

WINDOW_DAYS = 91
"""Thirteen weeks: each weekday counts alike, and a season does not blur it."""


class Health:
    """Inventory health (库存健康) from the lake's facts and what is known of stock and money."""

    def __init__(
        self,
        lake: Lake,
        *,
        cuts: Cuts | None = None,
        assumptions: Assumptions | None = None,
        window_days: int = WINDOW_DAYS,
    ) -> None:
        self._lake, self._window_days = lake, window_days
        self._cuts = Cuts() if cuts is None else cuts
        self._assumptions = Assumptions.load() if assumptions is None else assumptions

    def table(self, as_of: date, known: Known) -> pa.Table:
        """One row for each SKU × place, see `assess`: class, pattern, stock money, cover, age.

        Of `known` it reads positions, terms, prices and items.
        """
        window = Window(as_of - timedelta(days=self._window_days), as_of)
        history = store.sale_history(self._lake, first_day=window.first_day, as_of=as_of)
        receipts = store.last_receipts(self._lake, as_of=as_of)
        return assess(
            history,
            receipts,
            known,
            window=window,
            cuts=self._cuts,
            assumptions=self._assumptions,
        )
