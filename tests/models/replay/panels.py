"""Small records to replay."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sanhe.models.replay import Record, Terms, plain_terms

DAYS, HISTORY, LINES = 60, 35, 6


def demand_of(seed: int = 1, *, mean: float = 4.0) -> npt.NDArray[np.float32]:
    """Steady Poisson demand, [HISTORY + DAYS, LINES]."""
    drawn = np.random.default_rng(seed).poisson(mean, (HISTORY + DAYS, LINES))
    return np.asarray(drawn, np.float32)


def terms(*, shelf_life_days: int = 0) -> Terms:
    """Lead times of 1 to 3 days, cases of 1 to 4, some days without orders."""
    plain = plain_terms(np.array([1, 1, 2, 2, 3, 3]), unit_cost_cents=100.0)
    weekday = np.ones((LINES, 7), np.bool_)
    weekday[::2, 5:] = False
    return Terms(
        lead_time_days=plain.lead_time_days,
        case_size=np.array([1, 2, 3, 4, 1, 2]),
        moq=np.array([1, 1, 6, 1, 5, 1]),
        shelf_life_days=np.full(LINES, shelf_life_days),
        order_weekday=weekday,
        unit_cost_cents=plain.unit_cost_cents,
        margin_cents=plain.margin_cents,
    )


def record_of(
    demand: npt.NDArray[np.float32],
    *,
    shelf_life_days: int = 0,
    counted_from: int = 0,
    opening: int = 20,
) -> Record:
    """The demand with those terms."""
    return Record(
        demand=demand,
        history_days=HISTORY,
        first_weekday=0,
        opening=np.full(LINES, opening),
        terms=terms(shelf_life_days=shelf_life_days),
        counted_from=counted_from,
    )
