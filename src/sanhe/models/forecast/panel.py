"""The input of every forecast: N daily series side by side, with what is known of the future."""

import dataclasses
import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sanhe.models.forecast.season import Season

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True)
class Panel:
    """N series of T days each, ending on the day before the forecast's origin.

    sales: units sold, [N, T]; nan before the series exists (first listing) or when not reported.
    in_stock: share of the selling day in stock, [N, T], weighted by the hour profile of demand,
        0..1; nan when not reported.
    opened_empty: the day's opening stock was zero, [N, T].
    static: whole-number codes >= 0, [N, K], for example store, city, category and SKU.
    static_names: K names. Settings say which of them are places; the others are products.
    known: inputs known before the origin, [N, T + H, F], history and horizon; nan = not known.
    known_names: F names, for example discount, activity, holiday, rain.
    first_day: the date of the first column (business day of the place).
    horizon_days: H, at least 1.
    sold_out: stock reached zero during the day, [N, T]; needed only where `in_stock` is nan.
    traits: further codes >= 0, [N, J], that say what a series is like (brand, price level, size);
        they place new series and are no input of the global model.
    trait_names: J names.
    season: what the groups of these series sold in earlier years; None = not told.

    Raises ValueError when shapes do not fit or a value is out of its range.
    """

    sales: F32
    in_stock: F32
    opened_empty: Bool
    static: I32
    static_names: tuple[str, ...]
    known: F32
    known_names: tuple[str, ...]
    first_day: datetime.date
    horizon_days: int
    sold_out: Bool | None = None
    traits: I32 | None = None
    trait_names: tuple[str, ...] = ()
    season: Season | None = None

    def __post_init__(self) -> None:
        if self.sales.ndim != 2 or 0 in self.sales.shape:
            raise ValueError(f"sales must be [N, T] with N, T >= 1, got {self.sales.shape}")
        if self.horizon_days < 1:
            raise ValueError(f"horizon_days must be at least 1, got {self.horizon_days}")
        n, t = self.sales.shape
        days = t + self.horizon_days
        _expect("in_stock", self.in_stock, (n, t))
        _expect("opened_empty", self.opened_empty, (n, t))
        _expect("static", self.static, (n, len(self.static_names)))
        _expect("known", self.known, (n, days, len(self.known_names)))
        if self.sold_out is not None:
            _expect("sold_out", self.sold_out, (n, t))
        if self.traits is not None:
            _expect("traits", self.traits, (n, len(self.trait_names)))
        if self.season is not None:
            _expect("season.group", self.season.group, (n,))
        for names in (self.static_names + self.trait_names, self.known_names):
            if len(set(names)) != len(names):
                raise ValueError(f"names must be different from each other, got {names}")
        if self.static.size and int(self.static.min()) < 0:
            raise ValueError("static codes must be >= 0; give unknown its own code")
        with np.errstate(invalid="ignore"):
            if np.isinf(self.sales).any() or (self.sales < 0).any():
                raise ValueError("sales must be finite and >= 0; post returns apart from sales")
            if ((self.in_stock < 0) | (self.in_stock > 1.0001)).any():
                raise ValueError("in_stock must lie between 0 and 1; divide hours by the day")
        if np.isinf(self.known).any():
            raise ValueError("known must be finite or nan")

    @property
    def series(self) -> int:
        """N, the number of series."""
        return int(self.sales.shape[0])

    @property
    def days(self) -> int:
        """T, the number of days of history."""
        return int(self.sales.shape[1])

    def cut(self, origin: int, horizon_days: int | None = None) -> "Panel":
        """What was visible at `origin`: days before it, and the known inputs of its horizon.

        origin: 1..T, index of the first forecast day. horizon_days: H of the new panel; the old
        one by default. Raises ValueError when the known inputs do not reach that far.
        """
        horizon = self.horizon_days if horizon_days is None else horizon_days
        if not 1 <= origin <= self.days:
            raise ValueError(f"origin must lie in 1..{self.days}, got {origin}")
        if origin + horizon > self.days + self.horizon_days:
            raise ValueError(
                f"known inputs end on day {self.days + self.horizon_days}, before the end of the"
                f" horizon on day {origin + horizon}; choose an earlier origin"
            )
        return dataclasses.replace(
            self,
            sales=self.sales[:, :origin],
            in_stock=self.in_stock[:, :origin],
            opened_empty=self.opened_empty[:, :origin],
            sold_out=None if self.sold_out is None else self.sold_out[:, :origin],
            known=self.known[:, : origin + horizon],
            horizon_days=horizon,
            season=None if self.season is None else self.season.cut(self.days - origin),
        )

    def only(self, series: NDArray[Any]) -> "Panel":
        """The panel of some series, chosen by index or mask [N]."""
        return dataclasses.replace(
            self,
            sales=self.sales[series],
            in_stock=self.in_stock[series],
            opened_empty=self.opened_empty[series],
            sold_out=None if self.sold_out is None else self.sold_out[series],
            static=self.static[series],
            known=self.known[series],
            traits=None if self.traits is None else self.traits[series],
            season=None if self.season is None else self.season.only(series),
        )

    def without(self, names: tuple[str, ...]) -> "Panel":
        """The panel without some known inputs (for example the weather)."""
        unknown = sorted(set(names) - set(self.known_names))
        if unknown:
            raise ValueError(f"no known input called {unknown}; there are {self.known_names}")
        keep = [k for k, name in enumerate(self.known_names) if name not in names]
        return dataclasses.replace(
            self,
            known=self.known[:, :, keep],
            known_names=tuple(self.known_names[k] for k in keep),
        )

    def weekdays(self) -> I64:
        """Weekday of each day of history and horizon, [T + H], Monday = 0."""
        start = self.first_day.weekday()
        return (np.arange(self.days + self.horizon_days) + start) % 7

    def input(self, name: str) -> F32 | None:
        """One known input, [N, T + H], or None when the panel does not carry it."""
        if name not in self.known_names:
            return None
        return self.known[:, :, self.known_names.index(name)]


def _expect(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} must have the shape {shape}, got {array.shape}")


def is_counts(sales: F32) -> bool:
    """Whether all seen sales are whole numbers: counts, not measured or normalised quantities."""
    seen = sales[~np.isnan(sales)]
    return bool(np.all(seen == np.round(seen)))
