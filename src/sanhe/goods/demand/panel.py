"""The panel of a retailer: every SKU × place series side by side, as it was visible on a day."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.known import Shape, collect_known
from sanhe.goods.demand.rules import unit_scale
from sanhe.goods.demand.season import category_season
from sanhe.goods.demand.store import run_model
from sanhe.models.forecast import Panel

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake

MOST_CELLS: Final = 60_000_000
"""Series x days x inputs a panel may hold; a longer history is cut, and the panel says so."""
LEAST_HISTORY_DAYS: Final = 120
MOST_CATEGORY_LEVELS: Final = 5


@dataclass(frozen=True, slots=True)
class DemandPanel:
    """What was visible of the demand on `as_of`, the first day that is forecast.

    keys: columns sku, place; row n is series n. panel: its arrays; the last day of history is the
    day before as_of. counted: [N], sold in whole units. scale: [N], the panel's sales are base
    units x scale (grams become kilograms), so that all series are of like size. notes: what
    a reader should know (inputs left out, history cut). categories, regions: the category path and
    the region of each series, "" = none. ages: [N] days since its item was first sold, or seen on
    a shelf, at any place. digest: SHA-256 over keys and arrays; equal panels have equal digests.
    """

    as_of: date
    keys: pa.Table
    panel: Panel
    counted: NDArray[np.bool_]
    scale: NDArray[np.float64]
    categories: tuple[str, ...]
    regions: tuple[str, ...]
    ages: NDArray[np.int64]
    notes: tuple[str, ...]
    digest: str


def build_panel(
    lake: Lake,
    as_of: date,
    *,
    horizon_days: int,
    history_days: int,
    realised_weather: bool = False,
    customers: bool = False,
) -> DemandPanel:
    """Build the panel of all SKU × place series from the lake's current facts.

    as_of: the first forecast day; facts of that day and later are invisible, except announced
    promotions, set prices, declared holidays and published weather forecasts.
    history_days: at most this many days before as_of. realised_weather: let the horizon see the
    weather as observed later (for measurements only). customers: read who bought, too.
    Raises BadInput when there is no sale before as_of.
    """
    first_day, notes = _first_day(lake, as_of, history_days=history_days)
    dates: dict[str, str] = {
        "as_of": as_of.isoformat(),
        "first_day": first_day.isoformat(),
        "end_day": (as_of + timedelta(days=horizon_days)).isoformat(),
    }
    described = _described(lake, dates)
    shape = Shape.of(described, first_day=first_day, as_of=as_of, horizon_days=horizon_days)
    history = _history(lake, shape, dates)
    known = collect_known(
        lake, shape, dates, realised_weather=realised_weather, customers=customers
    )
    static, static_names = _static(described)
    scale, counted = _units(described["base_unit"])
    categories, regions = (_texts(described[name]) for name in ("category", "region"))
    panel = Panel(
        sales=(history.sales * scale[:, None]).astype(np.float32),
        in_stock=history.in_stock,
        opened_empty=history.opened_empty,
        sold_out=history.sold_out,
        static=static,
        static_names=static_names,
        known=known.values,
        known_names=known.names,
        first_day=first_day,
        horizon_days=horizon_days,
        season=category_season(lake, as_of, categories),
    )
    return DemandPanel(
        as_of=as_of,
        keys=(keys := described.select(["sku", "place"])),
        panel=panel,
        counted=counted,
        scale=scale,
        categories=categories,
        regions=regions,
        ages=_ages(described["sku"], shape),
        notes=(*notes, *known.notes),
        digest=_digest(as_of, keys, panel),
    )


def _described(lake: Lake, dates: Mapping[str, str]) -> pa.Table:
    described = run_model(lake, "series_described", dates).sort_by("series")
    if described.num_rows == 0:
        raise BadInput(
            f"no sale or stock between {dates['first_day']} and {dates['as_of']}",
            place="the facts of sales",
            remedy="import sales, or choose an earlier --as-of",
        )
    return described


def _first_day(lake: Lake, as_of: date, *, history_days: int) -> tuple[date, tuple[str, ...]]:
    span = run_model(lake, "span", {"as_of": as_of.isoformat()}).to_pylist()[0]
    if span["first_day"] is None:
        raise BadInput(
            f"no sale before {as_of}",
            place="the facts of sales",
            remedy="import sales first, or choose a later --as-of",
        )
    pairs = max(int(span["pairs"]), 1)
    affordable = max(MOST_CELLS // (pairs * 8), LEAST_HISTORY_DAYS)
    wanted = min(history_days, (as_of - span["first_day"]).days)
    days = max(min(wanted, affordable), 1)
    notes: tuple[str, ...] = ()
    if days < wanted:
        notes = (f"history cut to {days} of {wanted} days so that {pairs:,} series fit in memory",)
    return as_of - timedelta(days=days), notes


@dataclass(frozen=True, slots=True)
class _History:
    sales: NDArray[np.float32]
    in_stock: NDArray[np.float32]
    opened_empty: NDArray[np.bool_]
    sold_out: NDArray[np.bool_]


def _history(lake: Lake, shape: Shape, dates: dict[str, str]) -> _History:
    """Sales and stock-outs. A day without a row is 0 where the place reported, else unknown."""
    size = (shape.series, shape.days)
    reported = np.zeros((len(shape.places) + 1, shape.days), bool)
    rows = run_model(lake, "reported", dates)
    reported[shape.place_codes(rows["place"]), _ints(rows, "day_offset")] = True
    day = np.arange(shape.days, dtype=np.int32)
    began = day[None, :] >= shape.start_offset[:, None]
    sales = np.where(reported[shape.place_of] & began, np.float32(0), np.float32(np.nan))
    in_stock = np.full(size, np.nan, np.float32)
    empty = np.zeros(size, bool)
    told = np.zeros(size, bool)
    rows = run_model(lake, "daily", dates)
    at = (_ints(rows, "series"), _ints(rows, "day_offset"))
    sales[at] = _floats(rows, "quantity")
    in_stock[at] = np.clip(_floats(rows, "in_stock_share"), 0, 1)
    flag = rows["opened_empty"]
    empty[at] = flag.fill_null(False).to_numpy()
    told[at] = flag.is_valid().to_numpy() | ~np.isnan(in_stock[at])
    counted, goods_in = _stock_state(lake, dates, size)
    before = np.zeros(size, bool)
    before[:, 1:] = counted[:, :-1] & ~goods_in[:, 1:]
    sold = np.nan_to_num(sales) > 0
    empty |= ~told & ~sold & (counted | before)
    return _History(sales, in_stock, empty, np.asarray(~told & sold & counted))


def _stock_state(
    lake: Lake, dates: dict[str, str], size: tuple[int, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Days whose last count found an empty shelf, and days on which goods came in."""
    counted, goods_in = np.zeros(size, bool), np.zeros(size, bool)
    rows = run_model(lake, "stock_state", dates)
    at = (_ints(rows, "series"), _ints(rows, "day_offset"))
    counted[at] = rows["counted_empty"].fill_null(False).to_numpy()
    goods_in[at] = rows["goods_in"].to_numpy()
    return counted, goods_in


def _static(described: pa.Table) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Codes of region, city, place, the levels of the category path, and SKU; unknown = own code.

    Levels that say nothing new (one value, or the same as the level above) are left out.
    """
    columns: dict[str, NDArray[np.int32]] = {}
    for name in ("region", "city", "place"):
        columns[name] = _codes(described[name])
    paths = described["category"].fill_null("").dictionary_encode().combine_chunks()
    names = [str(path) for path in paths.dictionary.to_pylist()]
    index = paths.indices.to_numpy()
    depth = min(max(path.count("/") + 1 for path in names), MOST_CATEGORY_LEVELS)
    for level in range(1, depth + 1):
        heads = np.array(["/".join(path.split("/")[:level]) for path in names])
        codes = np.unique(heads, return_inverse=True)[1].astype(np.int32)
        columns[f"category_{level}"] = codes[index]
    columns["sku"] = _codes(described["sku"])
    kept: dict[str, NDArray[np.int32]] = {}
    for name, codes in columns.items():
        telling = len(codes) == 1 or bool(codes.max() > 0)
        if telling and not any(np.array_equal(codes, other) for other in kept.values()):
            kept[name] = codes
    if not kept:
        kept["sku"] = columns["sku"]
    return np.stack(list(kept.values()), axis=1).astype(np.int32), tuple(kept)


def _ages(skus: pa.ChunkedArray, shape: Shape) -> NDArray[np.int64]:
    """Days from the first start of any series of the same SKU to as_of, [N]."""
    codes = _codes(skus)
    first = np.full(int(codes.max()) + 1, shape.days, np.int64)
    np.minimum.at(first, codes, shape.start_offset)
    return shape.days - first[codes]


def _units(
    base_unit: pa.ChunkedArray,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scale and countedness of each series, see `rules.unit_scale`."""
    encoded = base_unit.fill_null("").dictionary_encode().combine_chunks()
    units = [unit_scale(unit) for unit in encoded.dictionary.to_pylist()]
    index = encoded.indices.to_numpy()
    scale = np.array([one for one, _ in units], np.float64)[index]
    return scale, np.array([counted for _, counted in units], bool)[index]


def _codes(column: pa.ChunkedArray) -> NDArray[np.int32]:
    """Codes from 0 in the order of the values, so that equal data has equal codes."""
    encoded = column.fill_null("").dictionary_encode().combine_chunks()
    values = np.array(encoded.dictionary.to_pylist(), dtype=object).astype(str)
    rank = np.unique(values, return_inverse=True)[1].astype(np.int32)
    return np.asarray(rank[encoded.indices.to_numpy()], np.int32)


def _texts(column: pa.ChunkedArray) -> tuple[str, ...]:
    return tuple(column.fill_null("").to_pylist())


def _ints(rows: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(rows[name].to_numpy(), np.int64)


def _floats(rows: pa.Table, name: str) -> NDArray[np.float32]:
    return np.asarray(rows[name].cast("float32").fill_null(float("nan")).to_numpy(), np.float32)


def _digest(as_of: date, keys: pa.Table, panel: Panel) -> str:
    digest = hashlib.sha256()
    names = "\x1f".join((*panel.static_names, "", *panel.known_names))
    digest.update(f"{as_of} {panel.first_day} {panel.horizon_days} {names}".encode())
    for name in ("sku", "place"):
        digest.update("\x1f".join(keys[name].to_pylist()).encode())
    arrays = (panel.sales, panel.in_stock, panel.opened_empty, panel.sold_out, panel.static)
    earlier = (None, None) if panel.season is None else (panel.season.sales, panel.season.group)
    for array in (*arrays, panel.known, *earlier):
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
