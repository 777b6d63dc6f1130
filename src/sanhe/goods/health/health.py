"""The façade: class every SKU × place by value, regularity, margin and age, day after day."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, NotFound
from sanhe.goods.health import store
from sanhe.goods.health.assessment import Window, Yardsticks, assess
from sanhe.goods.health.layers import BUCKET_DAYS
from sanhe.goods.health.moves import Moves, compact, moves
from sanhe.goods.health.rules import Cuts
from sanhe.goods.replenish import LETTERS, Assumptions, Known, Policy

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
        policy: Policy | None = None,
        window_days: int = WINDOW_DAYS,
    ) -> None:
        self._lake, self._window_days = lake, window_days
        self._yardsticks = Yardsticks(
            cuts=Cuts() if cuts is None else cuts,
            assumptions=Assumptions.load() if assumptions is None else assumptions,
            policy=Policy.load() if policy is None else policy,
        )

    def table(self, as_of: date, known: Known) -> pa.Table:
        """One row for each SKU × place, see `assess`: classes, stock money, cover, age, excess.

        Of `known` it reads positions, terms, prices and items. A line near a cut stays in the
        class that was kept last before the week of `as_of`: within a week, asking again gives
        the same.
        """
        window = Window(as_of - timedelta(days=self._window_days), as_of)
        oldest_day = as_of - timedelta(days=BUCKET_DAYS[-1] - 1)
        return assess(
            store.sale_history(self._lake, first_day=window.first_day, as_of=as_of),
            store.arrivals(self._lake, oldest_day=oldest_day, as_of=as_of),
            known,
            window=window,
            yardsticks=self._yardsticks,
            before=self._before(as_of),
        )

    def keep(self, as_of: date, table: pa.Table) -> None:
        """Keep the classes of an assessed day in the lake; the same day replaces itself.

        Of each week the newest day stays, for 60 weeks.
        """
        store.keep(self._lake, as_of, compact(table))

    def kept_days(self) -> list[date]:
        """The days whose classes are kept, the oldest first."""
        return store.kept_days(self._lake)

    def moves(
        self, from_day: date | None = None, to_day: date | None = None, *, depth: int = 4
    ) -> Moves:
        """What moved between classes from one kept day to another, see `Moves`.

        `to_day`: the newest kept day on or before it; None = the newest. `from_day`: likewise;
        None = the one before. `depth`: how many letters of the label count, 1 to 4.
        Raises NotFound where no such day is kept.
        """
        if not 1 <= depth <= len(LETTERS):
            raise BadInput(f"{depth} letters", place="the depth of moves", remedy="give 1 to 4")
        end = self._kept_by(to_day or date.max)
        start = self._kept_by(from_day or end - timedelta(days=1))
        was, now = (store.kept(self._lake, day) for day in (start, end))
        return moves(was, now, days=(start, end), depth=depth)

    def _kept_by(self, day: date) -> date:
        """The newest kept day on or before a day."""
        days = [kept for kept in self.kept_days() if kept <= day]
        if not days:
            raise NotFound(
                f"no classes are kept of {day} or before: "
                "they are kept each time that sanhe plan or sanhe health runs"
            )
        return days[-1]

    def _before(self, as_of: date) -> pa.Table | None:
        """The classes kept last before the week of a day."""
        monday = as_of - timedelta(days=as_of.weekday())
        days = [day for day in self.kept_days() if day < monday]
        return store.kept(self._lake, days[-1]) if days else None
