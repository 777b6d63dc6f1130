"""Which cases to order where budget, trucks or pallets don't take them all.

A case is worth the margin on what it saves from being short (`Lines.worth_cents`); what fits is
chosen over all lines and limits together by `models.inventory.allocate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from sanhe.goods.replenish.lines import Lines, Shared
from sanhe.models.inventory import Bools, Floats, Ints, Limit, allocate, steps_of

CAPACITIES: Final = ("budget", "truck_weight", "truck_volume", "pallets", "source_stock")
"""The names of the limits that lines share."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fits: `quantity` [N] in base units; `hits`: of each of CAPACITIES the lines [N] it cut;
    `limits`: those that hold, budget included, amounts per case."""

    quantity: Ints
    hits: Mapping[str, Bools]
    limits: Mapping[str, Limit]


def within_limits(lines: Lines, wanted: Ints, shared: Shared) -> Fitted:
    """The quantities that fit all limits: full cases, at least the minimum quantity, or none."""
    limits = dict(shared.limits)
    if shared.budget_cents is not None:
        limits["budget"] = _budget(lines, wanted, shared.budget_cents)
    hits = {name: np.zeros(wanted.size, bool) for name in CAPACITIES}
    cases = wanted // lines.case_size
    pressed = {
        name: tight
        for name, limit in limits.items()
        if (tight := _tight(limit, cases)).group.max(initial=-1) >= 0
    }
    if not pressed:
        return Fitted(wanted, hits, limits)
    held = np.any([limit.group >= 0 for limit in pressed.values()], axis=0)
    rows = np.flatnonzero(held & (wanted > 0))
    size = lines.case_size[rows]

    def worth(line: Ints, count: Ints) -> Floats:
        return lines.worth_cents(rows[line], count * size[line])

    steps = steps_of(worth, -(-lines.moq[rows] // size), cases[rows])
    chosen = allocate(steps, [_of_rows(one, rows) for one in pressed.values()], lines=rows.size)
    quantity = wanted.copy()
    quantity[rows] = chosen.cases * size
    for name, binds in zip(pressed, chosen.binding, strict=True):
        hits[name][rows] = binds
    return Fitted(quantity, hits, limits)


def use(limit: Limit, cases: Ints | Floats) -> Floats:
    """What so many cases [N] use up of each group."""
    held = limit.group >= 0
    used: Floats = np.bincount(
        limit.group[held], weights=(limit.amount * cases)[held], minlength=limit.capacity.size
    ).astype(np.float64)
    return used


def _budget(lines: Lines, wanted: Ints, budget_cents: int) -> Limit:
    """The budget over all lines; a line's money is rounded to whole cents when it is ordered."""
    everywhere = np.zeros(wanted.size, np.int64)
    by_case = lines.unit_cost_cents * lines.case_size
    capacity = float(budget_cents)
    if float(np.floor(wanted * lines.unit_cost_cents + 0.5).sum()) > budget_cents:
        uneven = (wanted > 0) & (np.abs(by_case - np.rint(by_case)) > 1e-9)
        capacity = max(capacity - 0.5 * int(uneven.sum()), 0.0)
    return Limit(everywhere, by_case, np.array([capacity]))


def _tight(limit: Limit, cases: Ints) -> Limit:
    """The limit with those groups alone that so many cases would pass."""
    over = np.append(use(limit, cases) > limit.capacity * (1 + 1e-9), False)
    return replace(limit, group=np.where(over[limit.group], limit.group, -1))


def _of_rows(limit: Limit, rows: Ints) -> Limit:
    return replace(limit, group=limit.group[rows], amount=limit.amount[rows])
