"""Rows of a table matched to order lines: by SKU and place, or by SKU where no place is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sanhe.models.inventory import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa


class Matched:
    """One table matched to the lines: a row each, or none."""

    def __init__(self, table: pa.Table | None, skus: Sequence[str], places: Sequence[str]) -> None:
        self.table, self.rows = table, np.full(len(skus), -1, np.int64)
        if table is None or table.num_rows == 0:
            return
        own = table.column("sku").to_pylist()
        where = _column(table, "place", [None] * len(own))
        index: dict[tuple[str, str | None], int] = {}
        for row, key in enumerate(zip(own, where, strict=True)):
            index.setdefault(key, row)
        found = [
            index.get((sku, place), index.get((sku, None), -1))
            for sku, place in zip(skus, places, strict=True)
        ]
        self.rows = np.array(found, np.int64)

    @property
    def found(self) -> Bools:
        """Which lines have a row."""
        found: Bools = self.rows >= 0
        return found

    def values(self, name: str) -> list[Any]:
        """The column of each line; None without a row or value."""
        if self.table is None or name not in self.table.column_names:
            return [None] * len(self.rows)
        column = self.table.column(name).to_pylist()
        return [column[row] if row >= 0 else None for row in self.rows.tolist()]

    def numbers(self, name: str) -> Floats:
        """The column as numbers; nan without a row or value."""
        values = self.values(name)
        return np.array([np.nan if v is None else float(v) for v in values], np.float64)


def by_priority(terms: pa.Table | None) -> pa.Table | None:
    """The supply terms with the preferred supplier first."""
    if terms is None or "priority" not in terms.column_names:
        return terms
    return terms.sort_by([("priority", "ascending"), ("supplier", "ascending")])


def whole(values: Floats, default: int) -> Ints:
    """Numbers as whole ones; `default` where there is none."""
    whole: Ints = np.rint(np.where(np.isnan(values), default, values)).astype(np.int64)
    return whole


def _column(table: pa.Table, name: str, default: list[None]) -> list[Any]:
    return table.column(name).to_pylist() if name in table.column_names else default
