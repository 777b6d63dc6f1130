"""Which stock one place can spare should cover what another one needs (lateral transshipment).

Places that may help each other form a group for each SKU. What a place can spare comes in offers:
a lot that would expire unsold there, or stock it won't need for long. An offered unit saves a share
of the cost of the unit that the other place would buy:

    saving = c s min(q, B(n) - B(n - q)),   moved when saving > c_line + c_unit q

with c the cost of a unit, s the share saved, q what is moved, n the need, and B(n) what would be
bought for a need of n (least quantity, full cases): only a purchase that is avoided frees money.
The share is 1 for what would be thrown away, and 1 - 1 / (1 + h t / 365), with holding rate h, for
what the giver would sell in t days: moving it today puts off the giver's own purchase until then.
Moves are sought greedily, in each group the offers that expire first against the largest needs.
(Reactive transshipment before replenishment, with one move for each need: Paterson, Kiesmueller,
Teunter & Glazebrook, "Inventory models with lateral transshipments: a review", EJOR 210, 2011.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sanhe.models.inventory.demand import Bools, Floats, Ints
from sanhe.models.inventory.interval import expected_demand

_YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Offers:
    """K offers, arrays [K].

    `group`: the places and SKU that may help each other. `giver`: the line it lies on; the offers
    of a line may follow each other in any order. `days`: so many days it may still be sold, today
    among them; infinite where it does not expire. `quantity` in whole units. `share`: 0..1, see
    the module.
    """

    group: Ints
    giver: Ints
    days: Floats
    quantity: Ints
    share: Floats


@dataclass(frozen=True, slots=True)
class Needs:
    """R needs, arrays [R]: at most one for each line.

    `quantity`: whole units short of the level, > 0. `moq`, `case_size`: how it would be bought, at
    least 1. `position`: stock that is sold before what comes in. `by_day` [R, H]: expected demand.
    """

    group: Ints
    taker: Ints
    quantity: Ints
    moq: Ints
    case_size: Ints
    unit_cost_cents: Floats
    position: Ints
    by_day: Floats


@dataclass(frozen=True, slots=True)
class MovingCost:
    """What moving takes: cents for each line moved and for each unit, and days on the way.

    `full_cases`: only whole cases of the taker are moved.
    """

    cents_per_line: float
    cents_per_unit: float
    lead_time_days: int
    full_cases: bool = False


@dataclass(frozen=True, slots=True)
class Moves:
    """M pieces of moves, arrays [M], the pieces of one taker together: all from one giver.

    `offer`, `need`: their places in `Offers` and `Needs`. `saved_cents`: the saving without the
    cost of moving. `loose`: what could be moved besides, but fills no case.
    """

    offer: Ints
    need: Ints
    quantity: Ints
    saved_cents: Floats
    loose: Ints


def share_of_delay(days: Floats, *, holding_rate_per_year: float) -> Floats:
    """What putting off a purchase by `days` saves of it, 0..1: 1 - 1 / (1 + h t / 365).

    Infinite days, stock that is never sold where it lies, save all of it.
    """
    never = np.isinf(days)
    owed = holding_rate_per_year * np.maximum(np.where(never, 0.0, days), 0.0) / _YEAR_DAYS
    share: Floats = np.where(never, 1.0, 1.0 - 1.0 / (1.0 + owed))
    return share


def bought(need: Ints, moq: Ints, case_size: Ints) -> Ints:
    """What is bought for a need: at least the minimum quantity, in full cases."""
    least = np.where(need > 0, np.maximum(need, moq), 0)
    quantity: Ints = -(-least // case_size) * case_size
    return quantity


def match(offers: Offers, needs: Needs, cost: MovingCost) -> Moves:
    """The moves that save money, at most one giver for each need.

    Raises ValueError for a negative offer, a need below one, or costs below zero.
    """
    if (offers.quantity < 0).any() or (needs.quantity < 1).any():
        raise ValueError("an offer must not be below 0, nor a need below 1")
    if min(cost.cents_per_line, cost.cents_per_unit, cost.lead_time_days) < 0:
        raise ValueError("moving must not cost less than nothing")
    walk = _Walk(offers, needs, cost)
    while walk.step():
        pass
    return walk.moves()


class _Walk:
    """Two pointers in every group at once: the offer and the need that are looked at."""

    def __init__(self, offers: Offers, needs: Needs, cost: MovingCost) -> None:
        self.offers, self.needs, self.cost = offers, needs, cost
        self.left, self.open = offers.quantity.copy(), needs.quantity.copy()
        self.taken_from = np.full(needs.taker.size, -1, np.int64)
        offer_order, need_order = _offer_order(offers), np.lexsort((-needs.quantity, needs.group))
        groups = np.intersect1d(offers.group, needs.group)
        sorted_offers, sorted_needs = offers.group[offer_order], needs.group[need_order]
        self.offer_order, self.need_order = offer_order, need_order
        self.at = np.searchsorted(sorted_offers, groups)
        self.end = np.searchsorted(sorted_offers, groups, side="right")
        self.need_at = np.searchsorted(sorted_needs, groups)
        self.need_end = np.searchsorted(sorted_needs, groups, side="right")
        self.pieces: list[tuple[Ints, Ints, Ints, Floats, Ints]] = []

    def step(self) -> bool:
        """One offer against one need in every group that has both left; False when none has."""
        live = np.flatnonzero((self.at < self.end) & (self.need_at < self.need_end))
        if not live.size:
            return False
        offer = self.offer_order[self.at[live]]
        need = self.need_order[self.need_at[live]]
        quantity, saved, loose, gains = self._moved(offer, need)
        at, of = offer[gains], need[gains]
        self.pieces.append((at, of, quantity[gains], saved[gains], loose[gains]))
        self.left[at] -= quantity[gains]
        self.open[of] -= quantity[gains]
        self.taken_from[of] = self.offers.giver[at]
        used_up = self.left[offer] == 0
        # A need stays while the lots of its giver go on; without a gain the smaller side goes.
        stays = used_up & (self.open[need] > 0) & self._same_giver_follows(live)
        smaller = (self.left[offer] <= self.open[need]) & (self.taken_from[need] < 0)
        next_offer, next_need = np.where(gains, [used_up, ~stays], [smaller, ~smaller])
        self.at[live[next_offer]] += 1
        self.need_at[live[next_need]] += 1
        return True

    def moves(self) -> Moves:
        """All pieces, those of one need together."""
        empty = np.zeros(0, np.int64)
        if not self.pieces:
            return Moves(empty, empty, empty, np.zeros(0), empty)
        offer, need, quantity, loose = (
            np.concatenate([piece[at] for piece in self.pieces]) for at in (0, 1, 2, 4)
        )
        saved = np.concatenate([piece[3] for piece in self.pieces])
        order = np.argsort(need, kind="stable")
        return Moves(offer[order], need[order], quantity[order], saved[order], loose[order])

    def _moved(self, offer: Ints, need: Ints) -> tuple[Ints, Floats, Ints, Bools]:
        """What would be moved, what it saves, what fills no case, and whether that is more than
        it costs."""
        offers, needs, cost = self.offers, self.needs, self.cost
        wanted = np.minimum(self.left[offer], self.open[need])
        wanted = np.minimum(wanted, self._sold_in_time(offer, need))
        case = needs.case_size[need] if cost.full_cases else np.ones_like(wanted)
        quantity = wanted // case * case
        before, least = self.open[need], needs.moq[need]
        size = needs.case_size[need]
        avoided = bought(before, least, size) - bought(before - quantity, least, size)
        saved = needs.unit_cost_cents[need] * offers.share[offer] * np.minimum(quantity, avoided)
        begun = self.taken_from[need]
        price = np.where(begun < 0, cost.cents_per_line, 0.0) + cost.cents_per_unit * quantity
        fits = (begun < 0) | (begun == offers.giver[offer])
        other = offers.giver[offer] != needs.taker[need]
        gains = (quantity > 0) & (saved > price) & fits & other
        return quantity, saved, wanted - quantity, gains

    def _sold_in_time(self, offer: Ints, need: Ints) -> Ints:
        """How much of an offer the taker is expected to sell before it expires: after its own
        stock, and not before it arrives."""
        days = self.offers.days[offer]
        room = np.full(offer.size, np.iinfo(np.int64).max)
        dated = np.flatnonzero(np.isfinite(days))
        if dated.size:
            rows = need[dated]
            sold = expected_demand(self.needs.by_day[rows], days[dated])
            lead = np.full(rows.size, float(self.cost.lead_time_days))
            on_the_way = expected_demand(self.needs.by_day[rows], lead)
            stock = np.maximum(self.needs.position[rows], on_the_way)
            already = stock + (self.needs.quantity[rows] - self.open[rows])
            late = days[dated] <= self.cost.lead_time_days
            room[dated] = np.where(late, 0, np.maximum(np.floor(sold + 1e-9) - already, 0))
        return room

    def _same_giver_follows(self, live: Ints) -> Bools:
        """Whether the offer after the one looked at comes from the same line."""
        here = self.offers.giver[self.offer_order[self.at[live]]]
        following = np.minimum(self.at[live] + 1, self.offer_order.size - 1)
        giver = self.offers.giver[self.offer_order[following]]
        follows: Bools = (self.at[live] + 1 < self.end[live]) & (giver == here)
        return follows


def _offer_order(offers: Offers) -> Ints:
    """By group; in it the givers whose first lot expires first, then those with most to give;
    within a giver the lots that expire first."""
    size = int(offers.giver.max(initial=-1)) + 1
    first, total = np.full(size, np.inf), np.zeros(size, np.int64)
    np.minimum.at(first, offers.giver, offers.days)
    np.add.at(total, offers.giver, offers.quantity)
    giver = offers.giver
    return np.lexsort((offers.days, giver, -total[giver], first[giver], offers.group))
