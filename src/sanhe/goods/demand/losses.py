"""Where the forecast loses, in money: errors at past origins by segment and for the worst series.

What is judged is each series' sum over a horizon, as an order covers a stretch of days: f forecast
(the mean), y sold, over the days whose sales are known. Too much is max(f - y, 0), too little
max(y - f, 0); each unit is worth what it sold for (or cost) on the origin's day.
Cents are rounded per series and origin, so that those of segments sum exactly.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.goods.demand.backtest import ALL, Asked, Trial, trials
from sanhe.goods.demand.segments import SEGMENTS, segment
from sanhe.goods.demand.store import run_model

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake
    from sanhe.goods.demand.forecasting import Progress

    F64 = NDArray[np.float64]
    I64 = NDArray[np.int64]
    Names = NDArray[np.str_]

Worth = Literal["price", "cost"]
WORTHS: Final[tuple[Worth, ...]] = ("price", "cost")
SERIES: Final = "series"


@dataclasses.dataclass(frozen=True, slots=True)
class _Lines:
    """L lines, a series at an origin each, where the sales of any day are known.

    sku, place: [L]. segments: [L, S], in the order of SEGMENTS. worth: cents a whole unit, [L],
    nan = not known; currency: that of each, [L]. sold: [L]; told: [L, M], as each method had it;
    both in whole units, summed over the days known.
    """

    sku: Names
    place: Names
    segments: Names
    worth: F64
    currency: Names
    sold: F64
    told: F64


def losses_table(
    lake: Lake, asked: Asked, *, worth: Worth, worst: int, progress: Progress
) -> pa.Table:
    """See `Demand.losses`."""
    if worth not in WORTHS:
        raise BadInput(f"can't value by {worth!r}", remedy=f"choose one of {', '.join(WORTHS)}")
    if worst < 0:
        raise BadInput(f"the {worst} worst series", remedy="give 0 or more")
    parts = [_lines(lake, trial, asked, worth=worth) for trial in trials(asked, progress)]
    columns = _Lines.__dataclass_fields__
    lines = _Lines(
        **{name: np.concatenate([getattr(one, name) for one in parts]) for name in columns}
    )
    return _table(lines, asked.methods, worst=worst)


def _lines(lake: Lake, trial: Trial, asked: Asked, *, worth: Worth) -> _Lines:
    seen, known = trial.seen, ~np.isnan(trial.actual)
    grids = [trial.runs[method].mean for method in asked.methods]
    told = [np.where(known, grid, 0).sum(1, dtype=np.float64) * seen.scale for grid in grids]
    dates = {"as_of": seen.as_of.isoformat(), "first_day": seen.panel.first_day.isoformat()}
    rows = run_model(lake, "unit_worth", dates)
    cents = rows[f"{worth}_cents"].cast("float64").fill_null(float("nan")).to_numpy()
    every = _Lines(
        sku=np.array(seen.keys["sku"].to_pylist(), np.str_),
        place=np.array(seen.keys["place"].to_pylist(), np.str_),
        segments=np.stack([segment(seen, by) for by in SEGMENTS], axis=1),
        worth=cents / seen.scale,
        currency=np.array(rows[f"{worth}_currency"].fill_null("").to_pylist(), np.str_),
        sold=np.where(known, trial.actual, 0).sum(1, dtype=np.float64),
        told=np.stack(told, axis=1),
    )
    some = known.any(1)
    return _Lines(**{name: getattr(every, name)[some] for name in _Lines.__dataclass_fields__})


def _main_currency(lines: _Lines) -> str:
    """The currency most lines are valued in."""
    found, count = np.unique(lines.currency[~np.isnan(lines.worth)], return_counts=True)
    return str(found[count.argmax()]) if len(found) else ""


def _table(lines: _Lines, methods: Sequence[str], *, worst: int) -> pa.Table:
    """The rows of all kinds of segments, then those of the worst series."""
    import pyarrow as pa

    currency = _main_currency(lines)
    pairs = np.char.add(np.char.add(lines.sku, "\x1f"), lines.place)
    series = np.unique(pairs, return_inverse=True)[1].ravel()
    tally = _Tally.of(lines, series, methods, currency=currency)
    rows = tally.rows(ALL, np.full(len(series), ALL))
    for by, names in zip(SEGMENTS, lines.segments.T, strict=True):
        rows += tally.rows(by, names)
    ones = tally.rows(SERIES, pairs, most=worst)
    for row in ones:
        row["sku"], row["place"] = str(row["group"]).split("\x1f")
        row["group"] = f"{row['sku']} @ {row['place']}"
    return pa.Table.from_pylist(
        [{**row, "currency": currency or None} for row in rows + ones], schema=schema()
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Tally:
    """Per method and line, [M, L]: units and cents too much and too little; what they share.

    Lines valued in another currency than `currency` count as unvalued: no rate is known.
    """

    methods: tuple[str, ...]
    series: I64
    sold: F64
    valued: NDArray[np.bool_]
    much: F64
    little: F64
    much_cents: F64
    little_cents: F64

    @classmethod
    def of(cls, lines: _Lines, series: I64, methods: Sequence[str], *, currency: str) -> _Tally:
        """From what was sold and told."""
        gap = lines.told.T - lines.sold
        much, little = np.maximum(gap, 0.0), np.maximum(-gap, 0.0)
        valued = ~np.isnan(lines.worth) & (lines.currency == currency)
        worth = np.where(valued, lines.worth, 0.0)
        return cls(
            methods=tuple(methods),
            series=series,
            sold=lines.sold,
            valued=valued,
            much=much,
            little=little,
            much_cents=np.rint(much * worth),
            little_cents=np.rint(little * worth),
        )

    def rows(self, by: str, names: Names, *, most: int | None = None) -> list[dict[str, object]]:
        """A row per name, that with the largest loss first, `most` at most (None = all).

        Without any value, units count.
        """
        found, code = np.unique(names, return_inverse=True)
        code, size = code.ravel(), len(found)

        def sums(values: F64) -> F64:
            return np.stack([np.bincount(code, one, size) for one in np.atleast_2d(values)])

        much, little = sums(self.much), sums(self.little)
        much_cents, little_cents = sums(self.much_cents), sums(self.little_cents)
        units, cents = much + little, much_cents + little_cents
        anything = bool(self.valued.any())
        loss = cents if anything else units
        best = loss.argmin(0)
        valued = self._series(code, size, self.valued)
        all_series = self._series(code, size, np.ones(len(code), bool))
        sold, total = sums(self.sold)[0], float(loss[0].sum())
        order = np.lexsort((found, -loss[0]))[:most]
        return [
            {
                "by": by,
                "group": str(found[at]),
                "series": int(all_series[at]),
                "unvalued_series": int(all_series[at] - valued[at]),
                "units": float(sold[at]),
                "wape": float(units[0, at] / sold[at]) if sold[at] > 0 else None,
                "too_much_units": float(much[0, at]),
                "too_little_units": float(little[0, at]),
                **_money(
                    valued[at] > 0,
                    too_much_cents=much_cents[0, at],
                    too_little_cents=little_cents[0, at],
                    loss_cents=cents[0, at],
                    better_loss_cents=cents[best[at], at],
                ),
                "share": float(loss[0, at] / total) if total > 0 else 0.0,
                "better_method": self.methods[best[at]]
                if loss[best[at], at] < loss[0, at]
                else None,
                "better_loss_units": float(units[best[at], at]),
            }
            for at in order
        ]

    def _series(self, code: I64, size: int, where: NDArray[np.bool_]) -> I64:
        """How many different series each name has among the lines `where`."""
        pairs = np.unique(np.stack([code[where], self.series[where]]), axis=1)
        return np.bincount(pairs[0].astype(np.int64), minlength=size)


def _money(valued: bool, **cents: float) -> dict[str, object]:
    return {name: int(value) if valued else None for name, value in cents.items()}


def schema() -> pa.Schema:
    """The columns of `Demand.losses`, which says what they mean."""
    import pyarrow as pa

    return pa.schema(
        {
            "by": pa.string(),
            "group": pa.string(),
            "sku": pa.string(),
            "place": pa.string(),
            "series": pa.int64(),
            "unvalued_series": pa.int64(),
            "units": pa.float64(),
            "wape": pa.float64(),
            "too_much_units": pa.float64(),
            "too_little_units": pa.float64(),
            "too_much_cents": pa.int64(),
            "too_little_cents": pa.int64(),
            "loss_cents": pa.int64(),
            "currency": pa.string(),
            "share": pa.float64(),
            "better_method": pa.string(),
            "better_loss_units": pa.float64(),
            "better_loss_cents": pa.int64(),
        }
    )
