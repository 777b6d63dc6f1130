"""A planner's overrides: what may be said, which one holds where, and what they make of a forecast.

An override is a fact, so that it comes in any order and any number of times, is corrected by a
revision and withdrawn by the undo of its batch. Of several that cover a series-day the most
specific one holds, then the one said last:

1. one that names the SKU, before a category (a longer path before a shorter), before neither;
2. among those, one that names the place, before a city, before a region, before none;
3. among those, the one said last (then by source and id, so that the order is total).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import Fact
from sanhe.core.values import derived_id
from sanhe.goods.demand.run import ForecastRun, Predicted
from sanhe.goods.demand.store import run_model

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from sanhe.core.lake import Lake

    F32 = NDArray[np.float32]
    Bool = NDArray[np.bool_]

FACT_TYPE: Final = "forecast.overridden"
SOURCE: Final = "planner"
NOBODY: Final = -1
LEVELS: Final = ("sku", "category", "place", "city", "region")


@dataclass(frozen=True, slots=True)
class Override:
    """A planner's word on the demand of what it covers, for a span of days.

    It covers the series that fit every level given (`category` is a path and covers what lies
    below it). factor: the forecast times this; units_per_day: base units a day of all it covers
    together, spread by the forecast's shares. One of the two, at least 0. expires: no forecast
    made for a later morning applies it. revision: of the fact, 0 = as first said.
    """

    id: str
    first_day: date
    last_day: date
    reason: str
    author: str
    expires: date
    said_at: datetime
    sku: str | None = None
    category: str | None = None
    place: str | None = None
    city: str | None = None
    region: str | None = None
    factor: float | None = None
    units_per_day: float | None = None
    revision: int = 0
    source: str = SOURCE

    def fact(self) -> Fact:
        """The fact to be recorded through the same door as an import.

        Raises BadInput naming what can't be used, and the remedy.
        """
        self._check()
        payload = {
            "until": self.last_day.isoformat(),
            "factor": self.factor,
            "units_per_day": self.units_per_day,
            "category": self.category,
            "region": self.region,
            "city": self.city,
            "reason": self.reason.strip(),
            "author": self.author.strip(),
            "expires": self.expires.isoformat(),
        }
        return Fact(
            type=FACT_TYPE,
            source=self.source,
            external_id=self.id,
            event_at=self.said_at,
            day=self.first_day,
            sku=self.sku,
            place=self.place,
            payload={name: value for name, value in payload.items() if value is not None},
            revision=self.revision,
        )

    @property
    def strength(self) -> tuple[int, int, datetime, str, str]:
        """Of two that cover a series-day the one with the higher strength holds."""
        goods = 100 if self.sku else len(self.category.split("/")) if self.category else 0
        where = 3 if self.place else 2 if self.city else 1 if self.region else 0
        return goods, where, self.said_at, self.source, self.id

    @property
    def covers(self) -> str:
        """What it covers, in words."""
        named = [f"{level} {value}" for level in LEVELS if (value := getattr(self, level))]
        return ", ".join(named) or "everything"

    @property
    def says(self) -> str:
        """What it does to the forecast, in words."""
        if self.factor is not None:
            return f"× {self.factor:g}"
        return "nothing" if self.units_per_day is None else f"{self.units_per_day:g} a day"

    def _check(self) -> None:
        place = f"the override of {self.covers}"
        numbers = [self.factor, self.units_per_day]
        given = [number for number in numbers if number is not None]
        if len(given) != 1 or not (0 <= given[0] < float("inf")):
            raise BadInput(
                f"factor {self.factor} and units a day {self.units_per_day}",
                place=place,
                remedy="give one of the two, from 0 on",
            )
        if self.last_day < self.first_day:
            raise BadInput(
                f"it ends on {self.last_day}, before its first day {self.first_day}",
                place=place,
                remedy="give the first day first",
            )
        if not self.reason.strip() or not self.author.strip():
            raise BadInput(
                "it has no reason or no author", place=place, remedy="say why, and who says so"
            )


@dataclass(frozen=True, slots=True)
class Scope:
    """What each series [N] is at each level; "" where the masters say nothing."""

    sku: NDArray[np.str_]
    category: NDArray[np.str_]
    place: NDArray[np.str_]
    city: NDArray[np.str_]
    region: NDArray[np.str_]

    def covered(self, override: Override) -> Bool:
        """The series that an override covers, [N]."""
        covered = np.ones(len(self.sku), bool)
        for level in LEVELS:
            wanted = getattr(override, level)
            if not wanted:
                continue
            values = getattr(self, level)
            same = values == wanted
            if level == "category":
                same |= np.char.startswith(values, f"{wanted}/")
            covered &= same
        return covered


def told(lake: Lake) -> tuple[Override, ...]:
    """All overrides that are recorded and not withdrawn, weakest first."""
    rows = run_model(lake, "override_told", {}).to_pylist()
    return tuple(sorted((_read(row) for row in rows), key=lambda one: one.strength))


def named(lake: Lake, override_id: str) -> Override:
    """One override by its id. Raises NotFound when there is none, or it was withdrawn."""
    for one in told(lake):
        if one.id == override_id:
            return one
    raise NotFound(f"no override {override_id!r}; `sanhe override list` shows them")


def _read(row: dict[str, Any]) -> Override:
    said_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=row.pop("said_at_us"))
    return Override(said_at=said_at, **row)


def standing(lake: Lake, as_of: date, horizon_days: int) -> tuple[Override, ...]:
    """The overrides a forecast applies: of its days, and not expired on its morning."""
    end = as_of + timedelta(days=horizon_days)
    return tuple(
        one
        for one in told(lake)
        if one.first_day < end and one.last_day >= as_of and one.expires >= as_of
    )


def overridden(lake: Lake, run: ForecastRun, first_day: date) -> tuple[ForecastRun, Holding]:
    """The run with the standing overrides applied last, and where each of them holds.

    run: one without overrides. first_day: of the panel behind it, to read what its series are.
    The mean of a covered day is multiplied, or becomes its share of the units; the median follows
    in proportion. Where nothing is covered the run itself is returned.
    """
    found = standing(lake, run.as_of, run.horizon_days)
    if not found:
        return run, Holding((), np.full(run.mean.shape, NOBODY, np.int16))
    scope = scope_of(lake, run, first_day)
    holding = govern(found, scope, as_of=run.as_of, horizon_days=run.horizon_days)
    if (holding.holder == NOBODY).all():
        return run, holding
    mean = apply(run.mean, holding, scope, as_of=run.as_of)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(run.mean > 0, mean / run.mean, np.float32(0))
    median = np.where(run.mean > 0, run.median * ratio, mean)
    median = np.where(holding.holder == NOBODY, run.median, median).astype(np.float32)
    changed = replace(
        run,
        id=str(derived_id("forecast overridden", run.id, holding.digest())),
        mean=mean,
        median=median,
        unadjusted=Predicted(run.mean, run.median),
    )
    return changed, holding


@dataclass(frozen=True, slots=True)
class Holding:
    """Which override holds where: `holder` [N, H] is an index into `overrides`, -1 = none."""

    overrides: tuple[Override, ...]
    holder: NDArray[np.int16]

    def digest(self) -> str:
        """SHA-256 of the overrides that hold somewhere, and of where."""
        used = np.unique(self.holder[self.holder != NOBODY]).tolist()
        digest = hashlib.sha256("\x1f".join(repr(self.overrides[k]) for k in used).encode())
        rank = np.searchsorted(used, self.holder).astype(np.int16)
        digest.update(np.where(self.holder == NOBODY, np.int16(NOBODY), rank).tobytes())
        return digest.hexdigest()


def govern(
    overrides: Sequence[Override], scope: Scope, *, as_of: date, horizon_days: int
) -> Holding:
    """Which of the overrides (weakest first) holds on each series-day of the horizon."""
    holder = np.full((len(scope.sku), horizon_days), NOBODY, np.int16)
    for k, one in enumerate(overrides):
        holder[scope.covered(one), _days(one, as_of, horizon_days)] = k
    return Holding(tuple(overrides), holder)


def apply(mean: F32, holding: Holding, scope: Scope, *, as_of: date) -> F32:
    """The forecast [N, H] with every override where it holds; never below 0.

    Units are spread over all a planner named by the forecast's shares of the day (in equal parts
    where it expects nothing at all); a series-day on which a more specific override holds takes
    that one's, so that the units are met exactly where no other override meddles.
    """
    out = mean.copy()
    for k, one in enumerate(holding.overrides):
        days = _days(one, as_of, mean.shape[1])
        mine = holding.holder[:, days] == k
        part = mean[:, days]
        if one.factor is not None:
            said = part * np.float32(one.factor)
        elif one.units_per_day is not None:
            covered = scope.covered(one)[:, None]
            total = (part * covered).sum(0, dtype=np.float64)
            equal = 1.0 / max(int(covered.sum()), 1)
            share = np.where(total > 0, part / np.maximum(total, 1e-9), equal)
            said = (one.units_per_day * share).astype(np.float32)
        else:
            continue
        out[:, days] = np.where(mine, np.maximum(said, 0), out[:, days])
    return out


def _days(one: Override, as_of: date, horizon_days: int) -> slice:
    """The days of the horizon that an override speaks of."""
    first = (one.first_day - as_of).days
    return slice(max(first, 0), max(min((one.last_day - as_of).days + 1, horizon_days), 0))


def scope_of(lake: Lake, run: ForecastRun, first_day: date) -> Scope:
    """What the masters say of the series of a run."""
    dates = {"as_of": run.as_of.isoformat(), "first_day": first_day.isoformat()}
    described = run_model(lake, "series_described", dates)
    keys = run.keys.select(["sku", "place"]).append_column("line", _numbers(run.keys.num_rows))
    columns = described.select(["sku", "place", "category", "city", "region"])
    rows = keys.join(columns, ["sku", "place"]).sort_by("line")
    texts = {
        level: np.array(rows[level].fill_null("").to_pylist(), dtype=np.str_) for level in LEVELS
    }
    return Scope(**texts)


def _numbers(count: int) -> pa.Array:
    import pyarrow as pa

    return pa.array(np.arange(count))
