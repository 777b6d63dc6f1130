"""The rules replays compare: days of cover, (s, S), fixed levels, nothing; and whole cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sanhe.models.replay.engine import Morning
from sanhe.models.replay.record import Float64s, Ints, Terms

Levels: TypeAlias = tuple[Ints, Ints]
"""(s, S), [lines] each: when the position is at most s, order up to S."""


class LevelRule:
    """Any rule whose levels are the same whatever the stock: (s, S) on the supplier's order days.

    `levels_of` gives the levels of a morning; it is asked once a morning, for all seeds.
    """

    def __init__(self, name: str, levels_of: Callable[[Morning], Levels]) -> None:
        self._name, self._levels_of = name, levels_of

    @property
    def name(self) -> str:
        """What tables call it."""
        return self._name

    def order(self, morning: Morning) -> Ints:
        """Base units to order now, [seeds, lines]."""
        if not morning.due.any():
            return np.zeros(morning.on_hand.shape, np.int64)
        reorder_at, up_to = self._levels_of(morning)
        position = morning.on_hand + morning.on_order
        short = np.where(morning.due & (position <= reorder_at), up_to - position, 0)
        return in_cases(short, morning.terms)


def fixed_levels(up_to: Ints, *, name: str = "fixed levels") -> LevelRule:
    """Order up to the same level on every order day (base stock)."""
    return LevelRule(name, lambda morning: (up_to - 1, up_to))


def no_orders() -> LevelRule:
    """Order nothing: the stock sells out."""
    return LevelRule("nothing", lambda morning: _nothing(len(morning.terms)))


def _nothing(lines: int) -> Levels:
    return np.full(lines, -1, np.int64), np.zeros(lines, np.int64)


@dataclass(frozen=True, slots=True)
class Cover:
    """(s, S) in days of the mean of the last `mean_over_days` days.

    S = `cover_days` x mean, rounded up, at least a case; s = `reorder_share` x S (1: order
    whenever the position is below S). Arrays of [lines] or one number.
    """

    cover_days: Float64s
    reorder_share: Float64s
    mean_over_days: int = 28

    def levels(self, morning: Morning) -> Levels:
        """s and S of this morning."""
        mean = recent_mean(morning, self.mean_over_days)
        up_to = np.ceil(mean * self.cover_days - 1e-9).astype(np.int64)
        up_to = np.maximum(up_to, morning.terms.case_size)
        share = np.broadcast_to(self.reorder_share, up_to.shape)
        reorder_at = np.where(share >= 1, up_to - 1, np.floor(share * up_to)).astype(np.int64)
        return reorder_at, up_to


def recent_mean(morning: Morning, days: int) -> Float64s:
    """Mean demand a day of the last `days` seen days, [lines]; 0 where nothing was seen."""
    seen = morning.seen[-days:]
    if not len(seen):
        return np.zeros(len(morning.terms))
    return np.asarray(seen.mean(axis=0, dtype=np.float64))


def cover_rule(cover: Cover, *, name: str = "days of cover") -> LevelRule:
    """Days of cover (库存天数法) on every order day."""
    return LevelRule(name, cover.levels)


def in_cases(short: Ints, terms: Terms) -> Ints:
    """What is short, in whole cases and at least the MOQ; 0 where nothing is short."""
    if (terms.case_size == 1).all() and (terms.moq == 1).all():
        return np.maximum(short, 0)
    quantity = -(-np.maximum(short, 0) // terms.case_size) * terms.case_size
    least = -(-terms.moq // terms.case_size) * terms.case_size
    return np.where(quantity > 0, np.maximum(quantity, least), 0)
