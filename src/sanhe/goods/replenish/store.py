"""Where replenishment meets the lake: the arithmetic of the last days' plans, line by line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.replenish.matching import Matched

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

FOLDER: Final = "plan/"
"""The folder of the lake with the plans: of each day the whole one, then lines planned again."""

KEPT_DAYS: Final = 8
"""So many days' plans stay: a week, and the same weekday before it."""


def keep(lake: Lake, day: date, lines: pa.Table, *, whole: bool) -> None:
    """Keep what was computed for a day; a whole plan takes the place of the day's earlier ones."""
    parts = _parts(lake).get(day, [])
    number = 0 if whole or not parts else parts[-1] + 1
    lake.write(_name(day, number), lines, details={"as_of": day.isoformat()})
    dropped = [_name(day, part) for part in parts if whole and part != number]
    for old in kept_days(lake)[:-KEPT_DAYS]:
        dropped += [_name(old, part) for part in _parts(lake)[old]]
    for name in dropped:
        lake.drop(name)


def kept_days(lake: Lake) -> list[date]:
    """The days whose plans are kept, the oldest first."""
    return sorted(_parts(lake))


def kept(lake: Lake, day: date) -> pa.Table:
    """Every line of a day's plan as it was computed last."""
    import pyarrow as pa

    newest, *older = [lake.read(_name(day, part)) for part in reversed(_parts(lake)[day])]
    for lines in older:
        again = Matched(newest, lines.column("sku"), lines.column("place")).found
        rest = lines.filter(pa.array(np.logical_not(again)))
        newest = pa.concat_tables([newest, rest], promote_options="default")
    return newest


def _parts(lake: Lake) -> dict[date, list[int]]:
    """The numbers of the tables of each day, in order."""
    found: dict[date, list[int]] = {}
    for name in lake.tables():
        if name.startswith(FOLDER):
            day, _, number = name.removeprefix(FOLDER).partition("/")
            found.setdefault(date.fromisoformat(day), []).append(int(number))
    return {day: sorted(numbers) for day, numbers in found.items()}


def _name(day: date, number: int) -> str:
    return f"{FOLDER}{day.isoformat()}/{number}"
