"""What lines share, from supply terms and policy: trucks, pallets and order minimums as groups.

A delivery is what one supplier brings to one place on one day; a place takes so many pallets on
one day; an order is made for one delivery. The day is the one that an order of the next order
day is due by the agreed lead time. What open orders bring on that day takes its room first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.replenish.lines import Lines, Minimum, Shared
from sanhe.goods.replenish.matching import Matched, as_texts, by_distinct
from sanhe.goods.replenish.policy import Policy
from sanhe.models.inventory import Bools, Floats, Ints, Limit

if TYPE_CHECKING:
    import pyarrow as pa

TRUCKS: Final[Mapping[str, tuple[str, str, str]]] = {
    "truck_weight": ("truck_grams", "case_grams", "case_weight"),
    "truck_volume": ("truck_ml", "case_ml", "case_volume"),
}
"""By the name of the limit: the columns of the terms with what a delivery carries and what a case
takes of it, and what it is called where the second is missing."""

MINIMUMS: Final = ("minimum_order_cents", "minimum_order_cases")
"""The columns of the terms with what a supplier asks of an order."""

_DAYS = 1000
"""More than any number of days until an order is due."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who shares: supplier and place of N lines, the days until their order is due, the expected
    demand of a day, and the open orders as (line, base units, days until due)."""

    supplier: pa.DictionaryArray
    place: pa.DictionaryArray
    due_in: Ints
    daily: Floats
    open_orders: tuple[Ints, Ints, Ints]


def is_shared(terms: pa.Table | None, policy: Policy) -> bool:
    """Whether lines of a place share anything but the budget."""
    asked = (*(names[0] for names in TRUCKS.values()), *MINIMUMS)
    return policy.limits_pallets or any(
        terms is not None
        and name in terms.column_names
        and terms.column(name).null_count < terms.num_rows
        for name in asked
    )


def shared_by(
    lines: Lines, parties: Parties, *, terms: Matched, policy: Policy, gaps: dict[str, Bools]
) -> Shared:
    """The limits of these lines; `gaps` notes the lines of which a limit can't know the size."""
    if not is_shared(terms.table, policy):
        return Shared(policy.budget_cents)
    supplier = np.asarray(parties.supplier.indices, np.int64)
    place = np.asarray(parties.place.indices, np.int64)
    delivery = supplier * len(parties.place.dictionary) + place
    limits = {}
    for name, (carried, taken, missing) in TRUCKS.items():
        most = terms.numbers(carried)
        if np.isnan(most).all():
            continue
        amount = terms.numbers(taken)
        gaps[missing] = ~np.isnan(most) & np.isnan(amount)
        limits[name] = _limit(lines, parties, delivery, amount=amount, most=most)
    if policy.limits_pallets:
        most = by_distinct(as_texts(parties.place), policy.pallets_of)
        by_pallet = terms.numbers("cases_per_pallet")
        gaps["cases_per_pallet"] = np.isfinite(most) & np.isnan(by_pallet)
        most = np.where(np.isfinite(most), most, np.nan)
        limits["pallets"] = _limit(lines, parties, place, amount=1.0 / by_pallet, most=most)
    return Shared(
        policy.budget_cents,
        limits,
        _minimum(lines, parties, delivery, terms=terms, policy=policy),
    )


def _limit(lines: Lines, parties: Parties, party: Ints, *, amount: Floats, most: Floats) -> Limit:
    """A limit on what comes from a party on a day; nan in `most` = none, in `amount` = nothing."""
    amount = np.nan_to_num(amount)
    keys, group = _groups(party * _DAYS + parties.due_in, ~np.isnan(most))
    capacity = np.zeros(keys.size)
    np.maximum.at(capacity, group[group >= 0], most[group >= 0])
    line, units, due_in = parties.open_orders
    wanted = party[line] * _DAYS + due_in
    at = np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))
    known = (due_in >= 0) & (keys[at] == wanted) if keys.size else np.zeros(line.size, bool)
    load = (units / lines.case_size[line] * amount[line])[known]
    capacity -= np.bincount(at[known], load, keys.size)
    return Limit(group, amount, np.maximum(capacity, 0.0))


def _minimum(
    lines: Lines, parties: Parties, delivery: Ints, *, terms: Matched, policy: Policy
) -> Minimum | None:
    """What suppliers ask of the orders of these lines; None where they ask nothing."""
    cents, cases = (np.nan_to_num(terms.numbers(name)) for name in MINIMUMS)
    asked = (cents > 0) | (cases > 0)
    if not asked.any():
        return None
    keys, order = _groups(delivery * _DAYS + parties.due_in, asked)
    least = np.zeros((2, keys.size))
    for row, given in enumerate((cents, cases)):
        np.maximum.at(least[row], order[asked], given[asked])
    return Minimum(
        order=order,
        cents=least[0],
        cases=least[1],
        daily=parties.daily,
        holding_cents=lines.unit_cost_cents * policy.holding_rate_per_year / 365.0,
    )


def _groups(key: Ints, held: Bools) -> tuple[Ints, Ints]:
    """The distinct keys of the lines held, in order, and the place among them of each line [N],
    -1 for the others."""
    keys, at = np.unique(key[held], return_inverse=True)
    group = np.full(key.size, -1, np.int64)
    group[held] = at
    return keys, group
