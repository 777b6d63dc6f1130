"""What is known of days ahead: promotions, prices, holidays, weather, as arrays of the panel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.demand.rules import HOLIDAY_REACH_DAYS
from sanhe.goods.demand.store import run_model

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake

    Grid = NDArray[np.float32]

WEATHER: Final = ("precipitation_mm", "temperature_c", "humidity", "wind")
LEAST_WEATHER_SHARE: Final = 0.5
"""Weather is used when this share of series has it on every day of history and horizon."""
CUSTOMERS: Final = (
    "buyers",
    "member_share",
    "high_value_share",
    "new_share",
    "returning_share",
)
LEAST_CUSTOMER_SHARE: Final = 0.5
"""Who bought is used when this share of the history's series-days has it."""
LEAST_REST_SHARE: Final = 1.5 / 7
"""Holidays that mark at least this share of days include the weekends already."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of a panel: series, their places and starts, days of history and horizon."""

    series: int
    days: int
    horizon_days: int
    first_day: date
    places: Mapping[str, int]
    place_of: NDArray[np.int64]
    start_offset: NDArray[np.int64]

    @classmethod
    def of(cls, described: pa.Table, *, first_day: date, as_of: date, horizon_days: int) -> Shape:
        """The axes for the rows of the model series_described."""
        encoded = described["place"].dictionary_encode().combine_chunks()
        names = encoded.dictionary.to_pylist()
        return cls(
            series=described.num_rows,
            days=(as_of - first_day).days,
            horizon_days=horizon_days,
            first_day=first_day,
            places={str(name): code for code, name in enumerate(names)},
            place_of=np.asarray(encoded.indices.to_numpy(), np.int64),
            start_offset=np.asarray(described["start_offset"].to_numpy(), np.int64),
        )

    @property
    def all_days(self) -> int:
        """Days of history and horizon."""
        return self.days + self.horizon_days

    def place_codes(self, column: pa.ChunkedArray) -> NDArray[np.int64]:
        """The code of each place in a column; places without a series get the last code + 1."""
        encoded = column.dictionary_encode().combine_chunks()
        codes = [self.places.get(name, len(self.places)) for name in encoded.dictionary.to_pylist()]
        return np.asarray(np.array(codes, np.int64)[encoded.indices.to_numpy()], np.int64)


@dataclass(frozen=True, slots=True)
class KnownInputs:
    """values: [N, T + H, F]; names: F of them; notes: what was left out, and why."""

    values: Grid
    names: tuple[str, ...]
    notes: tuple[str, ...]


def collect_known(
    lake: Lake,
    shape: Shape,
    dates: Mapping[str, str],
    *,
    realised_weather: bool,
    customers: bool,
) -> KnownInputs:
    """All inputs that tell something; one that never changes is left out.

    discount: price paid / list price, 1 = none. activity: 1 on days backed by display or a
    campaign. price: shelf price / its mean over the series' history. holiday: 1 on days off work,
    weekends included and weekend days worked in exchange (调休) not. public_holiday: 1 on public
    holidays. before_holiday, after_holiday: days until the next one begins and since the last one
    ended, 0 on it, 14 = that far or farther. Weather in its own units. Where customers are asked
    for, who bought in the last period that had ended a horizon before the day: see `_customers`.
    """
    grids: dict[str, Grid] = {}
    discount, activity, open_ended = _promotions(lake, shape, dates)
    if (discount != 1).any():
        grids["discount"] = discount
    if activity.any():
        grids["activity"] = activity
    price = _prices(lake, shape, dates)
    if price is not None:
        grids["price"] = price
    grids |= _holidays(lake, shape, dates)
    weather, notes = _weather(lake, shape, dates, realised=realised_weather)
    grids |= weather
    if customers:
        grids |= _customers(lake, shape, dates)
    values = np.empty((shape.series, shape.all_days, len(grids)), np.float32)
    for at, grid in enumerate(grids.values()):
        values[:, :, at] = grid
    if open_ended:
        notes = (
            *notes,
            f"{open_ended:,} promotions have no known end: taken to go on over the horizon",
        )
    return KnownInputs(values, tuple(grids), notes)


def _promotions(lake: Lake, shape: Shape, dates: Mapping[str, str]) -> tuple[Grid, Grid, int]:
    """Deepest discount and any activity of each series and day; how many have no known end."""
    rows = run_model(lake, "promotion_period", dates)
    start = np.asarray(rows["start_offset"].to_numpy(), np.int64)
    length = np.asarray(rows["last_offset"].to_numpy(), np.int64) - start + 1
    length = np.maximum(length, 0)
    ends = np.cumsum(length)
    steps = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - length, length)
    cell = np.repeat(rows["series"].to_numpy().astype(np.int64) * shape.all_days + start, length)
    cell = cell + steps
    discount = np.ones((shape.series, shape.all_days), np.float32)
    activity = np.zeros((shape.series, shape.all_days), np.float32)
    paid = np.asarray(rows["discount"].to_numpy(), np.float32)
    np.minimum.at(discount.ravel(), cell, np.repeat(paid, length))
    backed = np.asarray(rows["activity"].to_numpy(zero_copy_only=False), np.float32)
    np.maximum.at(activity.ravel(), cell, np.repeat(backed, length))
    open_ended = np.asarray(rows["open_ended"].to_numpy(zero_copy_only=False), bool)
    return discount, activity, int(open_ended.sum())


def _prices(lake: Lake, shape: Shape, dates: Mapping[str, str]) -> Grid | None:
    """Shelf price relative to its mean in the history; None when no price ever changed."""
    rows = run_model(lake, "price_step", dates)
    if rows.num_rows == 0:
        return None
    own = np.asarray(rows["own"].to_numpy(zero_copy_only=False), bool)
    at = (rows["series"].to_numpy(), rows["day_offset"].to_numpy())
    cents = np.asarray(rows["price_cents"].to_numpy(), np.float32)
    grids = []
    for part in (own, ~own):
        grid = np.full((shape.series, shape.all_days), np.nan, np.float32)
        grid[at[0][part], at[1][part]] = cents[part]
        for day in range(1, shape.all_days):
            grid[:, day] = np.where(np.isnan(grid[:, day]), grid[:, day - 1], grid[:, day])
        grids.append(grid)
    price = np.where(np.isnan(grids[0]), grids[1], grids[0])
    seen = ~np.isnan(price[:, : shape.days])
    total = np.where(seen, price[:, : shape.days], 0).sum(1, dtype=np.float64)
    mean = total / np.maximum(seen.sum(1), 1)
    mean = np.where(seen.any(1), mean, np.nan_to_num(price[:, -1], nan=1.0))
    ratio = np.nan_to_num(price / np.maximum(mean, 1e-6)[:, None], nan=1.0).astype(np.float32)
    return ratio if bool(np.abs(ratio - 1).max() > 1e-4) else None


def _holidays(lake: Lake, shape: Shape, dates: Mapping[str, str]) -> dict[str, Grid]:
    """Days off work by place; weekends count unless the declared days include them."""
    reach = HOLIDAY_REACH_DAYS
    wider = {
        "first_day": (shape.first_day - timedelta(days=reach)).isoformat(),
        "end_day": (date.fromisoformat(dates["end_day"]) + timedelta(days=reach)).isoformat(),
    }
    rows = run_model(lake, "holiday_flag", wider)
    if rows.num_rows == 0:
        return {}
    public = np.zeros((len(shape.places) + 1, shape.all_days + 2 * reach), bool)
    working = np.zeros_like(public)
    for row in rows.to_pylist():
        place = row["place"]
        where = slice(None) if place is None else shape.places.get(place, len(shape.places))
        public[where, row["day_offset"]] |= bool(row["public"])
        working[where, row["day_offset"]] |= bool(row["working"])
    before = _days_since(public[:, ::-1])[:, ::-1][:-1, reach:-reach]
    after = _days_since(public)[:-1, reach:-reach]
    public, working = public[:-1, reach:-reach], working[:-1, reach:-reach]
    if not (public.any() or working.any() or (np.minimum(before, after) < reach).any()):
        return {}
    weekday = (np.arange(shape.all_days) + shape.first_day.weekday()) % 7
    includes_weekends = public[:, : shape.days].mean() >= LEAST_REST_SHARE
    rest = public if includes_weekends else public | ((weekday >= 5)[None, :] & ~working)
    grids = {"holiday": rest[shape.place_of].astype(np.float32)}
    if includes_weekends:
        return grids
    if public[:, : shape.days].any():
        grids["public_holiday"] = public[shape.place_of].astype(np.float32)
    # Days to a holiday teach nothing where the history has none to come or just gone.
    for name, days in (("before_holiday", before), ("after_holiday", after)):
        if (days[:, : shape.days] < reach).any():
            grids[name] = days[shape.place_of].astype(np.float32)
    return grids


def _days_since(public: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Days since the last public holiday, [P, D]: 0 on it, at most HOLIDAY_REACH_DAYS."""
    day = np.arange(public.shape[1])
    last = np.maximum.accumulate(np.where(public, day, -HOLIDAY_REACH_DAYS), axis=1)
    return np.asarray(np.minimum(day - last, HOLIDAY_REACH_DAYS), np.int64)


def _weather(
    lake: Lake, shape: Shape, dates: Mapping[str, str], *, realised: bool
) -> tuple[dict[str, Grid], tuple[str, ...]]:
    """Weather columns known for most series on every day, gaps filled by the place's mean."""
    rows = run_model(lake, "weather_day", {**dates, "realised": realised})
    if rows.num_rows == 0:
        return {}, ()
    at = (shape.place_codes(rows["place"]), rows["day_offset"].to_numpy())
    grids: dict[str, Grid] = {}
    missing: list[str] = []
    for name in WEATHER:
        grid = np.full((len(shape.places) + 1, shape.all_days), np.nan, np.float32)
        grid[at] = rows[name].fill_null(float("nan")).to_numpy()
        grid = grid[:-1]
        ahead = ~np.isnan(grid[:, shape.days :]).any(1)
        behind = (~np.isnan(grid[:, : shape.days])).mean(1) >= 0.9
        share = float((ahead & behind)[shape.place_of].mean())
        if share < LEAST_WEATHER_SHARE:
            if (~np.isnan(grid[:, : shape.days])).any():
                missing.append(name)
            continue
        seen = ~np.isnan(grid)
        everywhere = float(grid[seen].mean())
        local = np.where(seen, grid, 0).sum(1) / np.maximum(seen.sum(1), 1)
        local = np.where(seen.any(1), local, everywhere)
        filled = np.where(seen, grid, local[:, None])
        grids[name] = filled[shape.place_of].astype(np.float32)
    notes: tuple[str, ...] = ()
    if missing:
        notes = (
            f"weather left out ({', '.join(missing)}): no weather forecast for the whole horizon",
        )
    return grids, notes


def _customers(lake: Lake, shape: Shape, dates: Mapping[str, str]) -> dict[str, Grid]:
    """Who bought of a series' category at its place, as known on every origin of a day.

    Day d of a horizon of H days is forecast on d - H + 1 at the earliest. It sees the last period
    that had ended by d - H, so that it never looks ahead, neither on the day of the forecast nor on
    those the model learns from. Buyers as ln(1 + n); nan before the first period.
    """
    rows = run_model(lake, "customers_period", dates)
    if rows.num_rows == 0:
        return {}
    at = (rows["series"].to_numpy(), rows["last_offset"].to_numpy() + shape.horizon_days)
    inside = at[1] < shape.all_days
    grids: dict[str, Grid] = {}
    for name in CUSTOMERS:
        values = np.asarray(rows[name].cast("float32").fill_null(float("nan")).to_numpy())
        grid = np.full((shape.series, shape.all_days), np.nan, np.float32)
        grid[at[0][inside], np.maximum(at[1][inside], 0)] = values[inside]
        for day in range(1, shape.all_days):
            grid[:, day] = np.where(np.isnan(grid[:, day]), grid[:, day - 1], grid[:, day])
        if (~np.isnan(grid[:, : shape.days])).mean() >= LEAST_CUSTOMER_SHARE:
            grids[f"customers_{name}"] = np.log1p(grid) if name == "buyers" else grid
    return grids
