"""A panel prepared for features: filled arrays, day types, group sums. No day looks ahead."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.panel import F32, I64, Bool, Panel

LEAST_SHARE = 0.35
"""Sales of a day in stock for less than this share are not scaled up further."""


@dataclasses.dataclass(frozen=True, slots=True)
class FeatureNames:
    """What the columns of a panel mean; a name the panel does not carry is ignored.

    places: static columns that are places; the others are products.
    prices: known inputs a retailer steers per series (discount, price, activity); compared with
        their own past, with the group, and used to look up like days.
    rest_day: known input that marks days off work. When it marks fewer days than weekends would,
        weekends are added.
    """

    places: tuple[str, ...] = ("region", "city", "place", "store", "node")
    prices: tuple[str, ...] = ("discount", "price", "promotion", "activity")
    rest_day: str = "holiday"


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Series that belong together: code [N]; sums of sales, [G, T]; mean prices, [G, T + H]."""

    name: str
    code: I64
    sales: F32
    prices: dict[str, F32]


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    """Arrays of N series and T days; those with a horizon have T + H columns."""

    sales: F32
    seen: F32
    latent: F32
    share: F32
    weekday: I64
    rest: Bool
    prices: dict[str, F32]
    steady: dict[str, F32]
    others: dict[str, F32]
    groups: tuple[Group, ...]
    codes: dict[str, NDArray[np.int32]]
    days: int


def prepare(panel: Panel, names: FeatureNames) -> History:
    """The history of a panel. Every column depends on that day alone, or on days before it."""
    seen = ~np.isnan(panel.sales)
    sales = np.nan_to_num(panel.sales).astype(np.float32)
    share = np.nan_to_num(panel.in_stock, nan=1.0).astype(np.float32)
    latent = np.asarray(sales / np.clip(share, LEAST_SHARE, 1.0), np.float32)
    prices: dict[str, F32] = {}
    others: dict[str, F32] = {}
    for name in panel.known_names:
        values = np.asarray(panel.input(name), np.float32)
        if name in names.prices:
            prices[name] = _filled(values)
        elif name != names.rest_day:
            others[name] = values
    return History(
        sales=sales,
        seen=seen.astype(np.float32),
        latent=latent,
        share=share,
        weekday=panel.weekdays(),
        rest=rest_days(panel, names.rest_day),
        prices=prices,
        steady={name: _days_unchanged(values) for name, values in prices.items()},
        others=others,
        groups=tuple(
            Group(
                name,
                code,
                group_sums(code, sales),
                {price: _group_means(code, values) for price, values in prices.items()},
            )
            for name, code in group_codes(panel, names.places).items()
        ),
        codes={name: panel.static[:, k] for k, name in enumerate(panel.static_names)},
        days=panel.days,
    )


def rest_days(panel: Panel, name: str) -> Bool:
    """Days off work, [N, T + H]: the marked ones, and weekends unless the mark covers them."""
    shape = (panel.series, panel.days + panel.horizon_days)
    weekend = np.broadcast_to(panel.weekdays() >= 5, shape)
    values = panel.input(name)
    if values is None:
        return weekend
    marked = np.nan_to_num(values) > 0.5
    covers = marked[:, : panel.days].mean() >= 1.5 / 7
    return marked if covers else np.asarray(marked | weekend)


def group_codes(panel: Panel, places: tuple[str, ...]) -> dict[str, I64]:
    """Partitions of the series to borrow strength from, coarse and fine.

    Every static column by itself; the coarsest place with the two finest products; the finest
    place with the coarsest product and with the finest one that is not the series itself.
    Partitions with fewer than two series a group on average are left out, as are repeats.
    """
    columns = {name: panel.static[:, k] for k, name in enumerate(panel.static_names)}
    ranked = sorted(columns, key=lambda name: len(np.unique(columns[name])))
    at = [name for name in ranked if name in places]
    of = [name for name in ranked if name not in places]
    wanted: list[tuple[str, ...]] = [(name,) for name in ranked]
    if at and of:
        wanted += [(at[0], name) for name in of[-3:]] + [(at[-1], name) for name in of[:-1]]
    found: dict[str, I64] = {}
    seen: set[bytes] = set()
    for names in wanted:
        _, code = np.unique(np.stack([columns[n] for n in names]), axis=1, return_inverse=True)
        code = code.ravel().astype(np.int64)
        groups = int(code.max()) + 1
        if 1 < groups <= max(panel.series // 2, 1) and code.tobytes() not in seen:
            seen.add(code.tobytes())
            found["_".join(names)] = code
    return found


def group_sums(code: I64, values: F32) -> F32:
    """Sums over the series of each group, [G, days]."""
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    return np.asarray(np.add.reduceat(values[order], starts, axis=0), np.float32)


def _group_means(code: I64, values: F32) -> F32:
    return np.asarray(group_sums(code, values) / np.bincount(code)[:, None], np.float32)


def _filled(values: F32) -> F32:
    """Unknown values take the day before's, or the column's mean where there is none."""
    if not np.isnan(values).any():
        return values
    out = values.copy()
    for day in range(1, out.shape[1]):
        out[:, day] = np.where(np.isnan(out[:, day]), out[:, day - 1], out[:, day])
    return np.nan_to_num(out, nan=float(np.nan_to_num(np.nanmean(values[:, :1]))))


def _days_unchanged(values: F32) -> F32:
    """For how many days the value has been about the same."""
    out = np.zeros(values.shape, np.float32)
    step = 0.02 * max(float(np.abs(values).mean()), 1e-6)
    for day in range(1, values.shape[1]):
        same = np.abs(values[:, day] - values[:, day - 1]) < step
        out[:, day] = np.where(same, out[:, day - 1] + 1, 0)
    return out
