"""The façade: lay a plan out, and read it page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sanhe.core.errors import BadInput
from sanhe.goods.health import COVER_BARS
from sanhe.loop.desk import store
from sanhe.loop.desk.cockpit import Cockpit, cockpit
from sanhe.loop.desk.filters import Filters
from sanhe.loop.desk.lines import AGES, classes, lay_out, sums
from sanhe.loop.desk.past import past_sums

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake

MOST_ROWS = 500
"""The most rows of a page."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list of `total`, from `offset` on."""

    rows: pa.Table
    total: int
    offset: int
    as_of: date


@dataclass(frozen=True, slots=True)
class Scopes:
    """What pages can be narrowed to. `places`: pairs of region (None = none told) and place."""

    as_of: date
    days: tuple[date, ...]
    places: tuple[tuple[str | None, str], ...]
    categories: tuple[str, ...]
    suppliers: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """Stock by class. `cells`: abc, xyz, lines, dead_lines, stock_cents, dead_cents, excess_cents,
    expiring_cents, cover_days. `ages`: abc, xyz, bucket, stock_cents. `cover`: days (one of
    goods.health's COVER_BARS), lines, stock_cents."""

    as_of: date
    cells: tuple[Mapping[str, Any], ...]
    ages: tuple[Mapping[str, Any], ...]
    cover: tuple[Mapping[str, Any], ...]


class Desk:
    """Reads the lake's pages; with a scoped lake, only the rows it lets through.

    Those that read raise NotFound before the first plan.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def is_news(self, day: date) -> bool:
        """Whether a plan of this morning is to be laid out: not where a later one is."""
        shown = store.newest(self._lake)
        return shown is None or shown <= day

    def keep(
        self, day: date, plan: pa.Table, *, health: pa.Table, items: pa.Table, places: pa.Table
    ) -> None:
        """Lay out the plan of a day in the place of the one before; see `lay_out`.

        With the first plan the stock of the weeks before it is told back, see `past_sums`.
        """
        lines = lay_out(plan, health, items=items, places=places)
        first, of_day = not store.days(self._lake), sums(lines)
        store.keep(self._lake, day, lines=lines, sums=of_day, classes=classes(lines))
        if first:
            for earlier, of_earlier in past_sums(self._lake, day, of_day).items():
                store.keep_sums(self._lake, earlier, of_earlier)

    def scopes(self) -> Scopes:
        """What pages can be narrowed to, and the days that can be compared."""
        as_of = store.as_of(self._lake)
        found = store.scopes(self._lake)
        return Scopes(
            as_of=as_of,
            days=tuple(store.days(self._lake)),
            places=tuple((row["region"], row["place"]) for row in found["place"]),
            categories=tuple(found["category"]),
            suppliers=tuple(found["supplier"]),
            labels=tuple(found["label"]),
        )

    def lines(
        self,
        filters: Filters,
        *,
        sort: str = "value_cents",
        descending: bool = True,
        offset: int = 0,
        limit: int = 200,
    ) -> Page:
        """Lines as `lay_out` made them. Raises BadInput for a window or sort it can't take."""
        if not 0 <= limit <= MOST_ROWS or offset < 0:
            raise BadInput(
                f"rows {offset} to {offset + limit}",
                place="offset, limit",
                remedy=f"ask for at most {MOST_ROWS} rows from 0 on",
            )
        rows, total, as_of = store.page(
            self._lake, filters, sort=sort, descending=descending, window=(offset, limit)
        )
        return Page(rows, total, offset, as_of)

    def export(
        self, filters: Filters, *, sort: str = "value_cents", descending: bool = True
    ) -> pa.Table:
        """All the filtered lines, for a file."""
        store.as_of(self._lake)
        return store.lines(self._lake, filters, sort=sort, descending=descending)

    def keys(self, filters: Filters) -> pa.Table:
        """SKU and place of all the filtered lines."""
        store.as_of(self._lake)
        return store.keys(self._lake, filters)

    def exceptions(self, filters: Filters, *, offset: int = 0, limit: int = 200) -> Page:
        """Lines that need a person, most money first; of one kind where the filters name it."""
        asked = replace(filters, excepted=True)
        return self.lines(asked, sort="exception_cents", offset=offset, limit=limit)

    def line(self, sku: str, place: str) -> dict[str, Any]:
        """One line. Raises NotFound."""
        store.as_of(self._lake)
        return store.line(self._lake, sku, place)

    def cockpit(self, filters: Filters, *, compare_to: date | None = None) -> Cockpit:
        """The headline figures of the newest day against `compare_to`, or a week before it.

        Of the filters region, place and category count. The day compared with is the newest kept
        one on or before that day, the oldest one where all are later.
        """
        as_of = store.as_of(self._lake)
        kept = [day for day in store.days(self._lake) if day < as_of]
        wanted = compare_to or as_of - timedelta(days=7)
        against = max((day for day in kept if day <= wanted), default=min(kept, default=None))
        asked = Filters(region=filters.region, place=filters.place, category=filters.category)
        return cockpit(
            as_of,
            store.day_sums(self._lake, asked),
            compared_with=against,
            todo=store.exception_sums(self._lake, asked),
            categories=store.day_sums(self._lake, asked, by="category"),
            regions=store.day_sums(self._lake, asked, by="region"),
        )

    def stock(self, filters: Filters) -> Stock:
        """Inventory health (库存健康) of the lines; region, place, category and label count."""
        as_of = store.as_of(self._lake)
        cells = store.class_sums(self._lake, filters)
        ages = [
            {
                "abc": cell["abc"],
                "xyz": cell["xyz"],
                "bucket": name.removeprefix("cents_"),
                "stock_cents": cell[name],
            }
            for cell in cells
            for name in AGES
            if cell[name] > 0
        ]
        bars = store.cover_sums(self._lake, filters)
        cover = [{"days": COVER_BARS[bar["bar"]], **bar} for bar in bars]
        return Stock(as_of, tuple(cells), tuple(ages), tuple(cover))
