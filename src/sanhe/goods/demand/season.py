"""The earlier years of each category, from which a forecast takes the time of year (季节)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.demand.rules import unit_scale
from sanhe.goods.demand.store import run_model
from sanhe.models.forecast import Season

if TYPE_CHECKING:
    from sanhe.core.lake import Lake

MOST_DAYS: Final = 4 * 364
"""Two earlier years for the season, and trials of it at origins of the last year."""


def category_season(lake: Lake, as_of: date, categories: Sequence[str]) -> Season | None:
    """What each category sold by day before as_of, in pieces, kilograms or litres.

    categories: the path of each series, "" = none. None when nothing was sold.
    """
    rows = run_model(
        lake, "group_sales", {"as_of": as_of.isoformat(), "by": "category", "period_days": 1}
    )
    back = rows["periods_back"].to_numpy()
    days = min(int(back.max(initial=0)), MOST_DAYS)
    if days < 1:
        return None
    names, group = np.unique(np.asarray(categories, dtype=str), return_inverse=True)
    groups = rows["group_name"].dictionary_encode().combine_chunks()
    units = rows["base_unit"].dictionary_encode().combine_chunks()
    scale = np.array([unit_scale(unit)[0] for unit in units.dictionary.to_pylist()])
    at = {name: row for row, name in enumerate(names.tolist())}
    row_of = np.array([at.get(name, -1) for name in groups.dictionary.to_pylist()])
    row = row_of[groups.indices.to_numpy()]
    units_sold = rows["quantity"].cast("float64").to_numpy() * scale[units.indices.to_numpy()]
    told = (row >= 0) & (back >= 1) & (back <= days)
    sales = np.zeros((len(names), days))
    np.add.at(sales, (row[told], days - back[told]), units_sold[told])
    return Season(sales, group.astype(np.int32))
