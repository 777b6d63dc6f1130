"""What is replayed: a stretch of demand, the terms of its lines, the fates of deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
Counts: TypeAlias = npt.NDArray[np.int32]
Floats: TypeAlias = npt.NDArray[np.float32]
Float64s: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Terms:
    """How N lines are supplied and what they cost; arrays of [N], quantities in base units.

    `lead_time_days`: from order to receipt, at least 1. `case_size`, `moq`: at least 1.
    `shelf_life_days`: 0 = does not spoil. `order_weekday`: [N, 7], the supplier takes orders on
    this weekday, Monday first. `unit_cost_cents`, `margin_cents`: per base unit, fractions
    allowed. Raises ValueError where a shape or a least value is broken.
    """

    lead_time_days: Ints
    case_size: Ints
    moq: Ints
    shelf_life_days: Ints
    order_weekday: Bools
    unit_cost_cents: Float64s
    margin_cents: Float64s

    def __post_init__(self) -> None:
        lines = len(self)
        for name in ("case_size", "moq", "shelf_life_days", "unit_cost_cents", "margin_cents"):
            if getattr(self, name).shape != (lines,):
                raise ValueError(f"{name} must have the shape ({lines},)")
        if self.order_weekday.shape != (lines, 7):
            raise ValueError(f"order_weekday must have the shape ({lines}, 7)")
        for name, least in (("lead_time_days", 1), ("case_size", 1), ("moq", 1)):
            if lines and getattr(self, name).min() < least:
                raise ValueError(f"{name} must be at least {least}")

    def __len__(self) -> int:
        """The number of lines."""
        return int(self.lead_time_days.shape[0])


def plain_terms(lead_time_days: npt.ArrayLike, *, unit_cost_cents: npt.ArrayLike = 1.0) -> Terms:
    """Terms of lines that can be ordered every day, one by one, and don't spoil."""
    lead = np.atleast_1d(np.asarray(lead_time_days, np.int64))
    cost = np.broadcast_to(np.asarray(unit_cost_cents, np.float64), lead.shape).copy()
    one = np.ones(lead.shape, np.int64)
    return Terms(
        lead_time_days=lead,
        case_size=one,
        moq=one,
        shelf_life_days=np.zeros(lead.shape, np.int64),
        order_weekday=np.ones((len(lead), 7), np.bool_),
        unit_cost_cents=cost,
        margin_cents=cost,
    )


@dataclass(frozen=True, slots=True)
class Record:
    """A stretch of demand that two policies are to meet.

    `demand`: [H + T, N] base units by day, fractions where it was estimated; the first
    `history_days` = H lie before the replay and are only looked at. `first_weekday`: of the
    first replayed day, Monday = 0. `counted_from`: from this replayed day on figures are kept;
    the days before let the starting stock wear off. `opening`: [N] stock on the evening before.
    Raises ValueError for negative or missing demand, or where nothing is left to count.
    """

    demand: Floats
    history_days: int
    first_weekday: int
    opening: Ints
    terms: Terms
    counted_from: int = 0

    def __post_init__(self) -> None:
        if self.demand.ndim != 2 or self.demand.shape[1] != len(self.terms):
            raise ValueError(f"demand must be [days, {len(self.terms)}], not {self.demand.shape}")
        if not 0 <= self.counted_from < self.days or self.history_days < 0:
            raise ValueError(
                f"{self.days} days to replay leave nothing to count from {self.counted_from}"
            )
        if not (np.isfinite(self.demand).all() and self.demand.min() >= 0):
            raise ValueError("demand must be finite and not negative")
        if self.opening.shape != (len(self.terms),):
            raise ValueError("opening must have one stock a line")

    @property
    def days(self) -> int:
        """T, the days replayed."""
        return int(self.demand.shape[0]) - self.history_days


@dataclass(frozen=True, slots=True)
class Fates:
    """What chance does, drawn before any policy runs, so that all policies meet the same.

    `demand`: whole base units [S or 1, T, N]. `delay_days`: [S, T, N] days by which an order
    placed that day comes later (negative: earlier) than agreed.
    """

    seeds: tuple[int, ...]
    demand: Counts
    delay_days: npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Lateness:
    """How deliveries miss their day: `ratios` = (delivered - agreed) / lead time, as observed.

    Where only a deviation is known, `sd_days` [N] stands in for an empty pool: normal around the
    lead time. Without either all come on their day.
    """

    ratios: Float64s = field(default_factory=lambda: np.zeros(0))
    sd_days: Float64s = field(default_factory=lambda: np.zeros(0))


def draw_fates(record: Record, seeds: Sequence[int], lateness: Lateness | None = None) -> Fates:
    """Draw the fates of every seed: the same seed gives the same fates, whoever orders.

    Estimated demand with a fraction becomes whole by chance, its mean kept. An order comes one
    day after it was placed at the earliest.
    """
    known = lateness or Lateness()
    late = known.ratios
    lines, days = len(record.terms), record.days
    lead = record.terms.lead_time_days
    coming = record.demand[record.history_days :]
    fractional = bool((coming != np.floor(coming)).any())
    demand = np.empty((len(seeds) if fractional else 1, days, lines), np.int32)
    delays = np.zeros((len(seeds), days, lines), np.int16)
    for number, seed in enumerate(seeds):
        rounding, delivery = (np.random.default_rng([seed, concern]) for concern in (1, 2))
        if fractional or number == 0:
            chance = rounding.random((days, lines), np.float32) if fractional else 0.0
            demand[number] = np.floor(coming + chance)
        if len(late):
            ratio = late[delivery.integers(0, len(late), (days, lines))]
            delays[number] = np.maximum(np.rint(ratio * lead), 1 - lead)
        elif len(known.sd_days):
            moved = delivery.normal(0.0, 1.0, (days, lines)) * known.sd_days
            delays[number] = np.maximum(np.rint(moved), 1 - lead)
    return Fates(tuple(seeds), demand, delays)
