"""Two rules at the same fill rate: tune days of cover fairly, and compare stock at equal fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sanhe.models.replay.engine import Played, replay
from sanhe.models.replay.record import Fates, Float64s, Ints, Record
from sanhe.models.replay.rules import Cover, cover_rule


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a rule stands, by seed, [S]: `days` of stock and `fill`, both weighed by cost."""

    days: Float64s
    fill: Float64s


def standing(played: Played, weight: Float64s, rows: Ints | None = None) -> Standing:
    """Days of stock = stock / sold a day; fill = sold / demand; each unit weighed [lines]."""
    chosen = np.arange(len(weight)) if rows is None else rows
    stock, sold, demand = (
        part[:, chosen] @ weight[chosen] for part in (played.stock, played.sold, played.demand)
    )
    return Standing(
        days=stock / np.maximum(sold, 1e-9),
        fill=np.where(demand > 0, sold / np.maximum(demand, 1e-9), 1.0),
    )


def days_at(curve: Sequence[Standing], fill: Float64s) -> Float64s:
    """Days of stock a curve needs for this fill, by seed; nan outside the curve.

    The curve is one rule at several settings; between two of them it is straight.
    """
    fills = np.stack([point.fill for point in curve])
    days = np.stack([point.days for point in curve])
    found = np.full(fill.shape, np.nan)
    for seed in range(len(fill)):
        order = np.argsort(fills[:, seed], kind="stable")
        found[seed] = np.interp(
            fill[seed], fills[order, seed], days[order, seed], left=np.nan, right=np.nan
        )
    return found


@dataclass(frozen=True, slots=True)
class Grid:
    """The covers to try: multipliers of (lead time + review) and shares of S to reorder at."""

    multipliers: tuple[float, ...]
    reorder_shares: tuple[float, ...] = (0.6, 0.8, 1.0)


def tuned_cover(
    record: Record,
    fates: Fates,
    group: Ints,
    *,
    protection_days: Ints,
    target_fill: float,
    grid: Grid,
    mean_over_days: int = 28,
) -> Cover:
    """The days of cover that hold least stock at the target fill, one setting a group of lines.

    Every multiplier and reorder share is replayed; per group the setting is taken that minimises
    stock + lambda x lost sales (both at cost), with the smallest lambda that reaches the target
    fill over all groups (Everett's generalised Lagrange multipliers, Operations Research 1963).
    Raises ValueError when no setting reaches the target.
    """
    weight, groups = record.terms.unit_cost_cents, int(group.max()) + 1
    settings = [(m, share) for m in grid.multipliers for share in grid.reorder_shares]
    stock, lost = np.zeros((len(settings), groups)), np.zeros((len(settings), groups))
    wanted = 0.0
    for number, (multiplier, share) in enumerate(settings):
        days = np.asarray(multiplier * protection_days, np.float64)
        cover = Cover(days, np.array(share), mean_over_days)
        played = replay(record, cover_rule(cover), fates)
        held, missed = played.stock.sum(axis=0), (played.demand - played.sold).sum(axis=0)
        stock[number] = np.bincount(group, weights=held * weight, minlength=groups)
        lost[number] = np.bincount(group, weights=missed * weight, minlength=groups)
        wanted = float(played.demand.sum(axis=0) @ weight)
    for price in np.geomspace(1e-2, 1e5, 400):
        best = (stock + price * lost).argmin(axis=0)
        if lost[best, np.arange(groups)].sum() <= (1 - target_fill) * wanted:
            chosen = np.array(settings)[best]
            return Cover(chosen[group, 0] * protection_days, chosen[group, 1], mean_over_days)
    raise ValueError(f"no days of cover reach a fill of {target_fill}; widen the multipliers")
