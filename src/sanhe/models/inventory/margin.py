"""Searching the margin of an allocation: how many steps each of a few lines takes, all others held.

Filling by worth over price leaves a rest of each small group (a truck of a dozen lines) unused.
Here a few lines are freed and decided anew one after another. After each line the most promising
beginnings are kept: those whose worth so far, plus the room left at its prices, plus what the
lines to come are worth over their price, is highest. This sum is what no completion can pass
(Lagrange), so a beginning that can't beat the choice at hand is dropped: with few lines the search
is exact (dynamic programming with lists and bounds, as Marsten & Morin 1978, Mathematical
Programming 14, 21), with many it is a beam. It never makes a choice worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sanhe.models.inventory.demand import Bools, Floats, Ints

_LINES, _WIDTH, _VISITS = 20, 64, 3000
"""A group is searched by its lines nearest the margin, with so many beginnings kept; so many
groups at most, the smallest first, as their rests weigh the most."""
_WINDOW_LINES, _WINDOW_WIDTH, _WINDOW_VISITS = 60, 250, 120
"""Before that several groups together, so that what they share moves between them."""
_WHOLE_LINES, _WHOLE_WIDTH = 200, 200_000
"""First all lines, when they are so few; the width is divided by their number."""
_SEED = 20260801
"""Of the order in which groups come together: equal input gives an equal choice."""
_LEAST_GAIN = 1e-6
"""An exchange must gain more than this share of a cent."""


class Use(Protocol):
    """What steps [T] use up of one limit, see `allocation`."""

    @property
    def group(self) -> Ints:
        """The group of each step."""
        ...

    @property
    def amount(self) -> Floats:
        """What each step uses up."""
        ...

    @property
    def capacity(self) -> Floats:
        """The most that each group may use."""
        ...

    def total(self, taken: Bools) -> Floats:
        """What is used up in each group."""
        ...


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line can take: option k = its first `steps[k]` steps.

    `worth` [K], `over` [K] = worth over price, `amount` [K, limits], `column` [limits] = the place
    of its groups among those searched, `closes` [limits]: no line after it is in that group.
    """

    steps: Ints
    worth: Floats
    over: Floats
    amount: Floats
    column: Ints
    closes: Bools


@dataclass(slots=True)
class _Margin:
    """What is taken, and the room left in each group of each limit.

    `over` [T]: worth over price. `first` [N+1]: where the steps of each line begin.
    """

    worth: Floats
    over: Floats
    uses: Sequence[Use]
    prices: Sequence[Floats]
    first: Ints
    count: Ints
    room: list[Floats]

    def search(self, chosen: Ints, *, width: int) -> None:
        """Decide these lines anew; they are given in the order they are decided."""
        columns, room, price = self._columns(chosen)
        held = sum(float(self.worth[self._taken(at)].sum()) for at in chosen.tolist())
        best = [
            float(np.maximum(self.over[self.first[at] : self.first[at + 1]], 0.0).sum())
            for at in chosen.tolist()
        ]
        spare = sum(best) + float(price @ room) - held
        if spare <= _LEAST_GAIN:
            return
        closes = _last_of_column(columns)
        lines = [
            self._options(at, columns[i], closes[i], most=best[i], spare=spare)
            for i, at in enumerate(chosen.tolist())
        ]
        found = _beam(lines, room, price, floor=held + _LEAST_GAIN, width=width)
        if found is None:
            return
        for at, steps in zip(chosen.tolist(), found, strict=True):
            self._book(at, -1.0)
            self.count[at] = steps
            self._book(at, 1.0)

    def _taken(self, line: int) -> slice:
        start = int(self.first[line])
        return slice(start, start + int(self.count[line]))

    def _book(self, line: int, sign: float) -> None:
        """Use up (or free) what the line takes."""
        rows = self._taken(line)
        for use, room in zip(self.uses, self.room, strict=True):
            if rows.stop > rows.start:
                room[use.group[rows.start]] -= sign * float(use.amount[rows].sum())

    def _columns(self, chosen: Ints) -> tuple[Ints, Floats, Floats]:
        """The groups of the lines as columns [lines, limits], their room if none of these lines
        took anything, and their prices."""
        columns, rooms, prices, offset = [], [], [], 0
        for use, room, price in zip(self.uses, self.room, self.prices, strict=True):
            groups, column = np.unique(use.group[self.first[chosen]], return_inverse=True)
            free = room[groups]
            for at, own in zip(chosen.tolist(), column.tolist(), strict=True):
                free[own] += float(use.amount[self._taken(at)].sum())
            columns.append(column + offset)
            # A group without a limit is used by nothing: its room may count as none.
            rooms.append(np.where(np.isfinite(free), free, 0.0))
            prices.append(price[groups])
            offset += groups.size
        return np.stack(columns, axis=1), np.concatenate(rooms), np.concatenate(prices)

    def _options(
        self, line: int, column: Ints, closes: Bools, *, most: float, spare: float
    ) -> _Line:
        """The options of a line that lose less than `spare` against its best at these prices."""
        rows = slice(int(self.first[line]), int(self.first[line + 1]))
        worth, over = (np.append(0.0, np.cumsum(one[rows])) for one in (self.worth, self.over))
        steps = np.flatnonzero(most - over < spare)
        amount = np.stack(
            [np.append(0.0, np.cumsum(use.amount[rows]))[steps] for use in self.uses], axis=1
        )
        return _Line(steps, worth[steps], over[steps], amount, column, closes)


def _last_of_column(columns: Ints) -> Bools:
    """For lines [K, limits]: whether none after it is in the same column."""
    last = np.zeros(columns.shape, bool)
    seen: set[int] = set()
    for row in range(len(columns) - 1, -1, -1):
        for limit, column in enumerate(columns[row].tolist()):
            last[row, limit] = column not in seen
            seen.add(column)
    return last


def _beam(
    lines: Sequence[_Line], room: Floats, price: Floats, *, floor: float, width: int
) -> list[int] | None:
    """The steps each line takes in the best choice found that is worth more than `floor`."""
    value = np.array([float(price @ room)])
    rooms = room[None, :]
    to_come = sum(float(line.over.max()) for line in lines)
    trail: list[tuple[Ints, Ints]] = []
    for line in lines:
        to_come -= float(line.over.max())
        value, rooms, parent, option = _extended(
            line, value, rooms, price=price, floor=floor - to_come, width=width
        )
        if not value.size:
            return None
        trail.append((parent, line.steps[option]))
    at = int(np.argmax(value))
    steps = []
    for parent, taken in reversed(trail):
        steps.append(int(taken[at]))
        at = int(parent[at])
    return steps[::-1]


def _extended(
    line: _Line, value: Floats, rooms: Floats, *, price: Floats, floor: float, width: int
) -> tuple[Floats, Floats, Ints, Ints]:
    """Every beginning with every option of one more line: the best that fit and may pass the
    floor, with the beginning and the option each comes from."""
    left = rooms[:, None, line.column] - line.amount[None, :, :]
    reached = value[:, None] + line.over[None, :]
    # Room that no later line can use is worth nothing.
    lost = np.where(line.closes, price[line.column], 0.0)
    if lost.any():
        reached = reached - left @ lost
    parent, option = np.nonzero((left >= 0).all(axis=2) & (reached > floor))
    value = reached[parent, option]
    if value.size > width:
        # What of the room, at its prices, these lines have left; the rest is as their parents'.
        spare = (rooms @ price)[parent] - (line.amount @ price[line.column])[option]
        kept = _kept(value, spare, width)
        parent, option, value = parent[kept], option[kept], value[kept]
    after = rooms[parent]
    after[:, line.column] = left[parent, option]
    return value, after, parent, option


def _kept(value: Floats, spare: Floats, width: int) -> Ints:
    """So many of the beginnings: half the most promising, half the best at each room left.

    By promise alone all would leave the same room, and a large step that needs more than that
    (a minimum quantity) would never be tried.
    """
    low, high = float(spare.min()), float(spare.max())
    shelf = np.floor((spare - low) * (width // 2 / max(high - low, 1e-12))).astype(np.int64)
    order = np.lexsort((-value, shelf))
    first = order[np.flatnonzero(np.diff(shelf[order], prepend=-1))]
    value = value.copy()
    value[first] = np.inf
    kept: Ints = np.argpartition(-value, width)[:width]
    return kept


def searched(
    line: Ints,
    worth: Floats,
    uses: Sequence[Use],
    *,
    prices: Sequence[Floats],
    taken: Bools,
) -> Bools:
    """The steps taken [T] after all searches that gain; the limits are kept throughout.

    `line`, `worth` [T] as in `Steps`; `prices` of each group of each limit, `taken` [T] at first.
    """
    if not uses:
        return taken
    over = worth.copy()
    for use, price in zip(uses, prices, strict=True):
        over -= price[use.group] * use.amount
    own, start = np.unique(line, return_index=True)
    first = np.append(start, line.size)
    count = np.add.reduceat(taken.astype(np.int64), start) if own.size else start
    room = [use.capacity - use.total(taken) for use in uses]
    margin = _Margin(worth, over, uses, prices, first, count, room)
    for chosen, width in _neighbourhoods(margin):
        margin.search(chosen, width=width)
    rank = np.arange(line.size) - np.repeat(start, np.diff(first))
    kept: Bools = rank < np.repeat(margin.count, np.diff(first))
    return kept


def _neighbourhoods(margin: _Margin) -> Iterator[tuple[Ints, int]]:
    """Which lines to search together, and how widely."""
    starts = margin.first[:-1]
    groups = [use.group[starts] for use in margin.uses]
    every = _by_group(groups)
    if every.size <= _WHOLE_LINES:
        yield every, _WHOLE_WIDTH // max(every.size, 1)
    random = np.random.default_rng(_SEED)
    windows = -(-every.size // _WINDOW_LINES)
    for _ in range(_WINDOW_VISITS // max(windows, 30)):
        shuffled = [random.permutation(int(group.max(initial=0)) + 1)[group] for group in groups]
        order = _by_group(shuffled)
        for window in range(windows):
            yield order[window * _WINDOW_LINES : (window + 1) * _WINDOW_LINES], _WINDOW_WIDTH
    place = np.argsort(every)
    near = np.minimum.reduceat(np.abs(margin.over), starts)
    for group in _priced_groups(groups, margin.prices, near):
        some = group[:_LINES]
        yield some[np.argsort(place[some])], _WIDTH


def _by_group(groups: Sequence[Ints]) -> Ints:
    """The lines in an order in which those of a group follow each other: the widest limit first,
    so that the room of the others is settled early."""
    return np.lexsort(sorted(groups, key=lambda group: np.unique(group).size, reverse=True))


def _priced_groups(
    groups: Sequence[Ints], prices: Sequence[Floats], near: Floats
) -> Sequence[Ints]:
    """The lines of each group that has a price, the nearest to the margin first."""
    found: list[Ints] = []
    for group, price in zip(groups, prices, strict=True):
        order = np.lexsort((near, group))
        ends = np.cumsum(np.bincount(group, minlength=price.size))
        parts = zip(np.split(order, ends[:-1]), price.tolist(), strict=True)
        found += [part for part, cents in parts if cents > 0 and part.size > 1]
    return sorted(found, key=len)[:_VISITS]
