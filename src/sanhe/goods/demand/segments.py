"""Segments of series: the groups backtests and losses are told by, as visible on that day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.rules import age_class, velocity_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sanhe.goods.demand.panel import DemandPanel

SEGMENTS: Final = ("category", "store", "region", "velocity", "age")
"""category: the first level of the path; velocity: see `rules.velocity_class`; age: that of the
item, see `rules.age_class`."""
NONE: Final = "(none)"


def segment(panel: DemandPanel, by: str) -> NDArray[np.str_]:
    """The segment of each series, [N]. Raises BadInput for an unknown kind of segment."""
    if by == "velocity":
        recent = panel.panel.sales[:, -28:]
        days = (~np.isnan(recent)).sum(1)
        return velocity_class(np.nan_to_num(recent).sum(1) / np.maximum(days, 1))
    if by == "age":
        return age_class(panel.ages)
    if by == "store":
        return np.array(panel.keys["place"].to_pylist())
    if by == "region":
        return np.array([region or NONE for region in panel.regions])
    if by == "category":
        return np.array([path.split("/")[0] or NONE for path in panel.categories])
    raise BadInput(f"can't group by {by!r}", remedy=f"choose one of {', '.join(SEGMENTS)}")
