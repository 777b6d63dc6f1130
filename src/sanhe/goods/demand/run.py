"""A forecast run: what was forecast, for whom, as of when, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from sanhe.core.errors import BadInput, NotFound
from sanhe.goods.demand.drivers import opened, summed
from sanhe.goods.demand.rules import extend, span_sums
from sanhe.models.forecast import Dispersion, DispersionSet

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.values import Json

    F32 = NDArray[np.float32]
    F64 = NDArray[np.float64]

HISTORY_DAYS: Final = 28
LONGEST_WINDOW_DAYS: Final = 730
Kind = Literal["counts", "quantities"]
KINDS: Final[tuple[Kind, ...]] = ("counts", "quantities")


@dataclass(frozen=True, slots=True)
class History:
    """What a reader wants to see beside a forecast, per series, in base units.

    last_days: [N, 28] sales of the days before as_of, the newest last, nan = unknown. days_seen:
    [N] days with known sales. daily_mean: [N] mean of the last 28 seen days. zero_share and
    stock_out_share: [N] share of seen days without a sale; of days out of stock for part of the
    day. weekday_profile: [N, 7] mean sales by weekday / mean, Monday first.
    """

    last_days: F32
    days_seen: NDArray[np.int32]
    daily_mean: F32
    zero_share: F32
    stock_out_share: F32
    weekday_profile: F32


@dataclass(frozen=True, slots=True)
class WindowDemand:
    """Demand over an interval, per asked line, in base units.

    mean, variance: float64 [K]. counted: [K], True = whole units (negative binomial), False = a
    measured quantity (gamma). size: the k of Var = mean + mean²/k (counts) or mean²/k. known:
    [K], False where the run has no such series; mean and variance are 0 there.
    """

    mean: F64
    variance: F64
    size: F64
    counted: NDArray[np.bool_]
    known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Predicted:
    """Mean and median [N, H] as the method gave them, before a planner's overrides."""

    mean: F32
    median: F32


@dataclass(frozen=True, slots=True)
class ForecastRun:
    """One run over all series.

    id: derived from the data and the method; the same input gives the same run. as_of: the first
    forecast day. method: what was asked for; chosen: what won, by kind of goods. keys: columns
    sku, place. mean, median: [N, H] in base units; plan stock with the mean, judge the forecast
    by the median. counted, scale: [N], see `rules.unit_scale`. dispersion: the distribution
    around the mean, by kind, in scaled units; spread: [N], each series' own factor in it.
    holdout_wape: WAPE of each candidate's sums over the days held out. notes: what a reader
    should know. causes: the drivers price, promotion, event and weather, [N, H] in base units; one
    that is nowhere is left out. unadjusted: the forecast before overrides, None where no override
    applies. origin: the id of the run before overrides; model: the id under which the fitted model
    it came from is kept.
    """

    id: str
    as_of: date
    horizon_days: int
    method: str
    chosen: Mapping[str, str]
    keys: pa.Table
    mean: F32
    median: F32
    counted: NDArray[np.bool_]
    scale: F64
    dispersion: Mapping[str, DispersionSet]
    spread: F64
    holdout_wape: Mapping[str, Mapping[str, float]]
    history: History
    notes: tuple[str, ...]
    digest: str
    causes: Mapping[str, F32] = field(default_factory=dict)
    unadjusted: Predicted | None = None
    origin: str = ""
    model: str = ""

    @property
    def predicted(self) -> Predicted:
        """What the method says, before a planner's overrides."""
        return self.unadjusted or Predicted(self.mean, self.median)

    def without_overrides(self) -> ForecastRun:
        """The run as it was before a planner's overrides."""
        before = self.predicted
        return replace(
            self, id=self.origin, mean=before.mean, median=before.median, unadjusted=None
        )

    def only(self, rows: NDArray[np.int64]) -> ForecastRun:
        """The run of some series, by their rows."""
        import pyarrow as pa

        before = self.unadjusted
        columns = History.__dataclass_fields__
        return replace(
            self,
            keys=self.keys.take(pa.array(rows)),
            mean=self.mean[rows],
            median=self.median[rows],
            counted=self.counted[rows],
            scale=self.scale[rows],
            spread=self.spread[rows],
            history=History(**{name: getattr(self.history, name)[rows] for name in columns}),
            causes={name: grid[rows] for name, grid in self.causes.items()},
            unadjusted=before and Predicted(before.mean[rows], before.median[rows]),
        )

    def driver_grids(self) -> dict[str, F32]:
        """Every driver by name, [N, H] in base units; on each day they sum to the mean."""
        return opened(self.mean, self.predicted.mean, self.causes)

    def drivers(
        self, keys: pa.Table, days: float | Sequence[float] | F64, start_days: int = 0
    ) -> Mapping[str, F64]:
        """Each driver's part of `window(keys, days, start_days).mean`, [K] by name.

        They sum to it; of a day that is only begun, that part counts. 0 where the run has no such
        series. `models.forecast.whole_parts` makes whole units of them that sum to a whole
        demand. Raises BadInput as `window` does.
        """
        length = np.broadcast_to(np.asarray(days, np.float64), (keys.num_rows,))
        self._check(np.floor(length).astype(np.int64), start_days)
        at = self.rows(keys)
        used, row = np.unique(np.maximum(at, 0), return_inverse=True)
        grids = self.only(used).driver_grids()
        found = summed(grids, row.ravel(), start_days=start_days, days=length)
        return {name: sums * (at >= 0) for name, sums in found.items()}

    def rows(self, keys: pa.Table) -> NDArray[np.int64]:
        """The row of each (sku, place) of `keys`, [K]; -1 where the run has none."""
        import pyarrow as pa

        if keys is self.keys:
            return np.arange(keys.num_rows)
        own, asked = (
            table.select(["sku", "place"]).append_column(name, pa.array(np.arange(table.num_rows)))
            for table, name in ((self.keys, "at"), (keys, "line"))
        )
        # The table on the right is the one that is hashed: the shorter one, mostly.
        found = own.join(asked, ["sku", "place"], join_type="inner")
        rows = np.full(keys.num_rows, -1, np.int64)
        rows[found["line"].to_numpy()] = found["at"].to_numpy()
        return rows

    def row(self, sku: str, place: str) -> int:
        """The row of one series. Raises NotFound."""
        import pyarrow as pa

        at = int(self.rows(pa.table({"sku": [sku], "place": [place]}))[0])
        if at < 0:
            raise NotFound(f"no forecast for SKU {sku} at {place} in the run as of {self.as_of}")
        return at

    def window(
        self, keys: pa.Table, days: int | Sequence[int] | NDArray[np.int64], start_days: int = 0
    ) -> WindowDemand:
        """Demand of each (sku, place) over `days` days, beginning start_days after as_of.

        days: one number, or one per line (0 = no demand). Beyond the horizon the last week
        repeats. The variance is that of the sum of these days, not the sum of daily variances.
        Raises BadInput for negative or overlong intervals.
        """
        length = np.broadcast_to(np.asarray(days, np.int64), (keys.num_rows,))
        self._check(length, start_days)
        at = self.rows(keys)
        known = at >= 0
        row = np.maximum(at, 0)
        mean = span_sums(self.mean[row], length, start_days=start_days) * known
        variance, size = np.zeros(len(row)), np.full(len(row), np.inf)
        for kind in KINDS:
            for one in np.unique(length[length > 0]):
                mine = known & (length == one) & (self.counted[row] == (kind == "counts"))
                if not mine.any():
                    continue
                of_sum = self.dispersion[kind].of(int(one))
                scale, own = self.scale[row[mine]], self.spread[row[mine]]
                variance[mine] = of_sum.variance(mean[mine] * scale, spread=own) / scale**2
                size[mine] = of_sum.size(mean[mine] * scale, spread=own)
        return WindowDemand(mean, variance * (mean > 0), size, self.counted[row], known)

    def quantile(self, q: float, days: int = 1) -> F64:
        """The q-quantile per series: of each day, [N, H], or of the sum of days, [N].

        days: 1 gives the days of the horizon; more gives the sum of the first `days` days.
        """
        means = self.mean if days == 1 else extend(self.mean, days).sum(1, keepdims=True)
        out = np.zeros(means.shape)
        for kind in KINDS:
            mine = self.counted == (kind == "counts")
            if mine.any():
                scale = self.scale[mine][:, None]
                of_sum, own = self.dispersion[kind].of(days), self.spread[mine][:, None]
                out[mine] = of_sum.quantile(means[mine] * scale, q, spread=own) / scale
        return out if days == 1 else out[:, 0]

    @staticmethod
    def _check(length: NDArray[np.int64], start_days: int) -> None:
        longest = int(length.max(initial=0))
        if start_days < 0 or int(length.min(initial=0)) < 0:
            raise BadInput(
                "an interval can't be negative",
                place=f"days {int(length.min(initial=0))}, start {start_days}",
                remedy="give days from 0 on",
            )
        if start_days + longest > LONGEST_WINDOW_DAYS:
            raise BadInput(
                f"{start_days + longest} days reach too far ahead",
                place="the protection interval",
                remedy=f"keep review and lead time under {LONGEST_WINDOW_DAYS} days",
            )


def dispersion_to_json(spread: Mapping[str, DispersionSet]) -> dict[str, Json]:
    """kind of goods -> {"kind": distribution, "fitted": [[days, a, b], ...]}."""
    return {
        goods: {
            "kind": fitted.fitted[0].kind,
            "fitted": [[one.days, one.a, one.b] for one in fitted.fitted],
        }
        for goods, fitted in spread.items()
    }


def dispersion_from_json(stored: Mapping[str, Any]) -> dict[str, DispersionSet]:
    """The inverse of `dispersion_to_json`."""
    return {
        goods: DispersionSet(
            tuple(
                Dispersion(one["kind"], float(a), float(b), int(days))
                for days, a, b in one["fitted"]
            )
        )
        for goods, one in stored.items()
    }
