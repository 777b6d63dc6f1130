"""Inventory health of the day, and what moved between the classes since another day."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from sanhe.goods.health import Health, Moves, matrix
from sanhe.goods.replenish import Assumptions
from sanhe.wiring.planning import goods_today, next_day

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.wiring.sanhe import Sanhe


def health(
    sanhe: Sanhe,
    *,
    actor: str,
    as_of: date | None = None,
    assumptions: Path | None = None,
    policy: Path | None = None,
) -> tuple[pa.Table, pa.Table]:
    """The class, age, cover and money of each SKU × place, and the matrix of the classes.

    `assumptions` and `policy` are the TOML files that `PlanRequest` takes; give the same ones to
    both. The classes are kept as those of the day. Stock is that of now, whatever `as_of` is.
    """
    sanhe.refresh_lake()
    day = as_of or next_day(sanhe)
    assessed = Health(
        sanhe.lake, assumptions=Assumptions.load(assumptions), policy=sanhe.policy(policy)
    )
    with sanhe.work(actor=actor) as work:
        known = goods_today(work, day)
    lines = assessed.table(day, known)
    assessed.keep(day, lines)
    return lines, matrix(lines)


def health_moves(
    sanhe: Sanhe, *, from_day: date | None = None, to_day: date | None = None, depth: int = 4
) -> Moves:
    """What moved between classes from one kept day to another, see `Health.moves`."""
    return Health(sanhe.lake).moves(from_day, to_day, depth=depth)
