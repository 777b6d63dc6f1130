"""The forecaster's view of a simulated retailer: only what was known on the morning of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sanhe.sim.calendar import calendar_of
from sanhe.sim.master import categories

if TYPE_CHECKING:
    from sanhe.models.forecast import Panel
    from sanhe.sim.arrays import Floats, Ints
    from sanhe.sim.run import DayView


def panel_of(view: DayView, *, horizon_days: int, history_days: int = 730) -> tuple[Ints, Panel]:
    """The lines that have been on sale for a day at least, and their panel.

    Known ahead: announced promotions, the price of today, and the calendar. The weather of the
    days ahead is not known and is left out. Columns are called as in goods.demand.
    """
    from sanhe.models.forecast import Panel

    first = max(0, view.index - history_days)
    chosen = np.flatnonzero(view.lines.listed_from < view.index)
    listed = np.arange(first, view.index)[:, None] >= view.lines.listed_from[chosen]
    sales = np.where(listed, view.sales[first:, chosen], np.nan)
    in_stock = np.where(listed, view.in_stock_share[first:, chosen], np.nan)
    empty = view.opened_empty[first:, chosen] & listed
    names, columns = _static(view, chosen)
    known_names, known = _known(view, chosen, first=first, horizon_days=horizon_days)
    return chosen, Panel(
        sales=np.ascontiguousarray(sales.T, dtype=np.float32),
        in_stock=np.ascontiguousarray(in_stock.T, dtype=np.float32),
        opened_empty=np.ascontiguousarray(empty.T),
        static=columns,
        static_names=names,
        known=known,
        known_names=known_names,
        first_day=view.world.day(first),
        horizon_days=horizon_days,
    )


def _static(
    view: DayView, chosen: Ints
) -> tuple[tuple[str, ...], np.ndarray[tuple[int, ...], np.dtype[np.int32]]]:
    """Codes of the place, its city and region, the category levels and the SKU."""
    world, lines = view.world, view.lines
    region = np.unique([place.region for place in world.places], return_inverse=True)[1]
    city = np.array([place.city for place in world.places])
    columns = {
        "region": region[lines.place[chosen]],
        "city": city[lines.place[chosen]],
        "place": lines.place[chosen],
        "sku": lines.sku[chosen],
    }
    paths = [categories()[item.category].path for item in world.items]
    for level in (1, 2):
        heads = ["/".join(path.split("/")[:level]) for path in paths]
        codes = np.unique(heads, return_inverse=True)[1]
        columns[f"category_{level}"] = codes[lines.sku[chosen]]
    return tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.int32)


def _known(
    view: DayView, chosen: Ints, *, first: int, horizon_days: int
) -> tuple[tuple[str, ...], Floats]:
    """Inputs by day, history and horizon; one that never changes is left out."""
    world, end = view.world, view.index + horizon_days
    discount, activity = view.known_offers(horizon_days)
    today = min(view.index, world.settings.days - 1)
    price = world.prices[np.minimum(np.arange(first, end), today)][:, view.lines.sku[chosen]]
    days = calendar_of(world.settings.first_day, end)
    rest = days.off | ((days.weekday >= 5) & ~days.worked)
    shape = (end - first, len(chosen))
    grids = {
        "discount": discount[first:, chosen],
        "activity": activity[first:, chosen],
        "price": price / price[: view.index - first].mean(axis=0),
        "holiday": np.broadcast_to(rest[first:, None], shape),
        "public_holiday": np.broadcast_to(days.off[first:, None], shape),
    }
    telling = {name: grid for name, grid in grids.items() if grid.min() < grid.max()}
    known = np.zeros((len(chosen), end - first, len(telling)), dtype=np.float32)
    for column, grid in enumerate(telling.values()):
        known[:, :, column] = grid.T
    return tuple(telling), known
