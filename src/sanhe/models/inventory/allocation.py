"""Sharing limits among lines: which cases to order when not all of them fit.

Each line orders in steps of whole cases, each worth less a case than the step before. Several
limits are shared: each sorts the lines into groups, and within a group what the cases use up may
not pass the group's capacity. Wanted is the choice that is worth most:

    max sum_t w_t x_t   s.t.  sum_{t in group g} a_lt x_t <= C_lg for all limits l,  x_t in {0, 1}

with w_t >= 0 the worth of step t and a_lt what it uses up of limit l. Putting a price on every
group's capacity (Lagrange; Everett 1963, Operations Research 11, 399) makes it fall apart into
single steps: a step is taken when it is worth more than it uses up. The prices come from exact
coordinate descent and then subgradient steps on the dual (Fisher 1981, Management Science 27, 1);
what is taken is repaired and filled up in the order of worth over price (Senju & Toyoda 1968,
Management Science 15, B196), and small rests are searched by exchanging steps. The dual is an
upper bound, so that every answer carries its own largest possible gap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from sanhe.models.inventory.demand import Bools, Floats, Ints
from sanhe.models.inventory.margin import searched

WorthAt: TypeAlias = Callable[[Ints, Ints], Floats]
"""Worth in total of (line [K], cases [K]) -> [K]; concave in the cases of a line."""

_SWEEPS = 12
_SUBGRADIENT_STEPS = 60
_SLACK = 1e-9
"""By this share a capacity may be passed: rounding of sums, not goods."""


@dataclass(frozen=True, slots=True)
class Steps:
    """T steps of N lines, sorted by line and within a line in the order they are taken.

    `line` [T]: 0..N-1. `cases` [T]: whole cases the step adds, at least 1. `worth` [T]: what it
    adds in cents, not negative; per case never more than the step before it.
    """

    line: Ints
    cases: Ints
    worth: Floats


@dataclass(frozen=True, slots=True)
class Limit:
    """One shared limit on N lines.

    `group` [N]: the group of each line, -1 = not limited. `amount` [N]: what one case uses up,
    not negative. `capacity` [G]: the most that each group may use.
    """

    group: Ints
    amount: Floats
    capacity: Floats


@dataclass(frozen=True, slots=True)
class Allocation:
    """The choice: `cases` [N] in whole cases, its `worth`, and `bound`, which no choice passes.

    `binding[l]` [N]: lines with a step left out that the rest of limit l's capacity can't hold;
    every line that doesn't get all its steps has at least one such limit.
    """

    cases: Ints
    worth: float
    bound: float
    binding: tuple[Bools, ...]


def steps_of(
    worth_at: WorthAt, least: Ints, most: Ints, *, longest: int = 32, lowest: float = 0.0
) -> Steps:
    """The steps of N lines from none to `most` cases, the first one to `least`.

    A line with more than `longest` cases above the least goes in even blocks of several. A step
    that is worth less than `lowest` counts as worth that: by default as nothing, as it was
    rounded into the order.
    """
    wants = np.maximum(most - least, 0)
    block = np.maximum(-(-wants // longest), 1)
    steps = np.where((most >= least) & (most > 0), 1 + -(-wants // block), 0)
    line = np.repeat(np.arange(most.size), steps)
    rank = np.arange(line.size) - np.repeat(np.cumsum(steps) - steps, steps)
    upto = np.minimum(least[line] + rank * block[line], most[line])
    first = rank == 0
    total = worth_at(line, upto)
    before = np.concatenate(([0.0], total[:-1])) if total.size else total
    cases = upto - np.where(first, 0, np.concatenate(([0], upto[:-1])) if upto.size else upto)
    worth = np.maximum(total - np.where(first, 0.0, before), lowest)
    return Steps(line, cases, _concave(worth / np.maximum(cases, 1), rank) * cases)


def _concave(per_case: Floats, rank: Ints) -> Floats:
    """The worth per case made to never rise along a line: rounding may have lifted it a hair."""
    falling = per_case.copy()
    for at in range(1, int(rank.max(initial=0)) + 1):
        rows = np.flatnonzero(rank == at)
        falling[rows] = np.minimum(falling[rows], falling[rows - 1])
    return falling


def allocate(steps: Steps, limits: Sequence[Limit], *, lines: int) -> Allocation:
    """Choose the steps that are worth most within the limits.

    Raises ValueError for a negative amount, capacity or worth, and for a group without capacity.
    """
    if any((limit.amount < 0).any() or (limit.capacity < 0).any() for limit in limits):
        raise ValueError("amounts and capacities must not be negative")
    if any(limit.group.max(initial=-1) >= limit.capacity.size for limit in limits):
        raise ValueError("every group needs a capacity")
    if (steps.worth < 0).any() or (steps.cases < 1).any():
        raise ValueError("a step must add at least one case and no negative worth")
    uses = [_Use.of(steps, limit) for limit in limits]
    pressed = [use for use in uses if use.overrun()]
    prices, bound = _priced(steps, pressed)
    taken = _filled(steps, pressed, prices)
    taken = searched(steps.line, steps.worth, pressed, prices=prices, taken=taken)
    # The search is indifferent to steps worth nothing; what fits is taken all the same.
    taken = _filled(steps, pressed, prices, taken=taken)
    cases = np.bincount(steps.line, weights=steps.cases * taken, minlength=lines)
    left_out = np.flatnonzero(~taken)
    following = left_out[_first_of_line(steps.line[left_out])]
    binding = tuple(use.blocked(taken, following, line=steps.line, lines=lines) for use in uses)
    worth = float(steps.worth[taken].sum())
    return Allocation(np.rint(cases).astype(np.int64), worth, max(bound, worth), binding)


@dataclass(frozen=True, slots=True)
class _Use:
    """A limit seen from the steps: `group` [T], with one more group for those it leaves free;
    `amount` [T] of each whole step."""

    group: Ints
    amount: Floats
    capacity: Floats

    @classmethod
    def of(cls, steps: Steps, limit: Limit) -> _Use:
        group = limit.group[steps.line]
        free = group < 0
        amount = np.where(free, 0.0, limit.amount[steps.line] * steps.cases)
        capacity = np.append(limit.capacity * (1 + _SLACK), np.inf)
        return cls(np.where(free, limit.capacity.size, group), amount, capacity)

    def overrun(self) -> bool:
        """Whether any group would be passed by all steps together."""
        return bool((self.total(np.ones(self.amount.size, bool)) > self.capacity).any())

    def total(self, taken: Bools) -> Floats:
        """What is used up in each group."""
        total: Floats = np.bincount(
            self.group[taken], weights=self.amount[taken], minlength=self.capacity.size
        ).astype(np.float64)
        return total

    def blocked(self, taken: Bools, following: Ints, *, line: Ints, lines: int) -> Bools:
        """[lines]: whether the step that follows what a line takes has no room here."""
        room = self.capacity - self.total(taken)
        blocked = np.zeros(lines, bool)
        blocked[line[following]] = self.amount[following] > room[self.group[following]]
        return blocked

    def cost(self, price: Floats) -> Floats:
        """What each step has to pay."""
        cost: Floats = price[self.group] * self.amount
        return cost

    def cumulated(self, order: Ints) -> Floats:
        """For the steps of `order`: what they and those before them in their group use up."""
        by_group = np.argsort(self.group[order], kind="stable")
        groups, amount = self.group[order][by_group], self.amount[order][by_group]
        running = np.cumsum(amount)
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        lengths = np.diff(np.append(starts, groups.size))
        running -= np.repeat(running[starts] - amount[starts], lengths)
        result = np.empty_like(running)
        result[by_group] = running
        return result


def _priced(steps: Steps, uses: Sequence[_Use]) -> tuple[list[Floats], float]:
    """Prices of every group's capacity, and the dual value: what no choice can pass."""
    prices = [np.zeros(use.capacity.size) for use in uses]
    best, bound = [price.copy() for price in prices], _dual(steps, uses, prices)
    for _ in range(_SWEEPS):
        for at in range(len(uses)):
            prices[at] = _coordinate(steps, uses, prices, at=at)
        value = _dual(steps, uses, prices)
        if value >= bound * (1 - 1e-7):
            break
        best, bound = [price.copy() for price in prices], value
    if len(uses) > 1:
        return _subgradient(steps, uses, best, bound=bound)
    return best, bound


def _dual(steps: Steps, uses: Sequence[_Use], prices: Sequence[Floats]) -> float:
    left = steps.worth - sum(
        (use.cost(price) for use, price in zip(uses, prices, strict=True)), np.zeros(1)
    )
    paid = sum(
        float(price[:-1] @ use.capacity[:-1]) for use, price in zip(uses, prices, strict=True)
    )
    return float(np.maximum(left, 0.0).sum()) + paid


def _coordinate(steps: Steps, uses: Sequence[_Use], prices: Sequence[Floats], *, at: int) -> Floats:
    """The exact best prices of one limit while the others stay: the first step that has no room."""
    use = uses[at]
    left = steps.worth.copy()
    for other, (one, price) in enumerate(zip(uses, prices, strict=True)):
        if other != at:
            left -= one.cost(price)
    rows = np.flatnonzero((left > 0) & (use.amount > 0))
    ratio = left[rows] / use.amount[rows]
    order = rows[np.argsort(-ratio, kind="stable")]
    over = use.cumulated(order) > use.capacity[use.group[order]]
    price = np.zeros(use.capacity.size)
    np.maximum.at(price, use.group[order[over]], left[order[over]] / use.amount[order[over]])
    return price


def _subgradient(
    steps: Steps, uses: Sequence[_Use], start: Sequence[Floats], *, bound: float
) -> tuple[list[Floats], float]:
    """Better prices by Polyak's steps towards the best choice known so far."""
    prices, best = [price.copy() for price in start], [price.copy() for price in start]
    reached = float(steps.worth[_filled(steps, uses, best)].sum())
    scale = [np.append(1.0 / np.maximum(use.capacity[:-1], 1e-12), 0.0) for use in uses]
    pace = 1.0
    for step in range(_SUBGRADIENT_STEPS):
        left = steps.worth - sum(
            (use.cost(price) for use, price in zip(uses, prices, strict=True)), np.zeros(1)
        )
        taken = left > 0
        slack = [
            np.where(np.isfinite(use.capacity), use.total(taken) - use.capacity, 0.0)
            for use in uses
        ]
        value = _dual(steps, uses, prices)
        if value < bound * (1 - 1e-9):
            bound, best = value, [price.copy() for price in prices]
        elif step % 10 == 9:
            pace /= 2.0
        # In shares of each capacity, so that cents and kilograms weigh alike.
        length = sum(float(((one * s) ** 2).sum()) for one, s in zip(slack, scale, strict=True))
        if length <= 0 or value - reached <= 1e-9 * value:
            break
        move = pace * (value - reached) / length
        prices = [
            np.maximum(price + move * one * s * s, 0.0)
            for price, one, s in zip(prices, slack, scale, strict=True)
        ]
    return best, bound


def _filled(
    steps: Steps, uses: Sequence[_Use], prices: Sequence[Floats], *, taken: Bools | None = None
) -> Bools:
    """Take steps by worth over price while they fit, beside those that are taken already; a line
    stops at its first that does not.

    Done in rounds: all steps that fit together with those before them are taken at once, those
    that can't fit any more leave with the later steps of their line.
    """
    taken = np.zeros(steps.worth.size, bool) if taken is None else taken.copy()
    if not uses:
        return np.ones(steps.worth.size, bool)
    cost = sum((use.cost(price) for use, price in zip(uses, prices, strict=True)), np.zeros(1))
    cost = np.broadcast_to(cost, steps.worth.shape)
    rank = np.divide(steps.worth, cost, out=np.full(cost.shape, np.inf), where=cost > 0)
    # Steps that cost nothing come first; those of one line stay in their order.
    order = np.argsort(-rank, kind="stable")
    order = order[~taken[order]]
    room = [use.capacity - use.total(taken) for use in uses]
    while order.size:
        fits = np.ones(order.size, bool)
        for use, left in zip(uses, room, strict=True):
            fits &= use.cumulated(order) <= left[use.group[order]]
        chosen = order[fits]
        taken[chosen] = True
        for use, left in zip(uses, room, strict=True):
            left -= np.bincount(use.group[chosen], weights=use.amount[chosen], minlength=left.size)
        rest = order[~fits]
        alone = np.ones(rest.size, bool)
        for use, left in zip(uses, room, strict=True):
            alone &= use.amount[rest] <= left[use.group[rest]]
        stopped = np.zeros(int(steps.line.max(initial=0)) + 1, bool)
        first = _first_of_line(steps.line[rest])
        stopped[steps.line[rest[first & ~alone]]] = True
        order = rest[~stopped[steps.line[rest]]]
    return taken


def _first_of_line(line: Ints) -> Bools:
    """Which entries are the first of their line."""
    first = np.zeros(line.size, bool)
    first[np.unique(line, return_index=True)[1]] = True
    return first
