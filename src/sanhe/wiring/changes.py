"""What changed between the plans of two mornings."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sanhe.goods.replenish import Changes
from sanhe.goods.replenish import plan_changes as changes_of

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe


def plan_changes(
    sanhe: Sanhe,
    *,
    from_day: date | None = None,
    to_day: date | None = None,
    sku: str | None = None,
    place: str | None = None,
    limit: int | None = None,
) -> Changes:
    """What changed from one kept plan to another and why, see `goods.replenish.plan_changes`."""
    return changes_of(sanhe.lake, from_day, to_day, sku=sku, place=place, limit=limit)
