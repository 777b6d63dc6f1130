"""What a promotion would have done to baskets of the past. Pure functions.

Every basket is priced twice: with the promotions that hold, and with the new one among them. What
shoppers would have bought besides is not in the past, so nothing is said of it but how much more
they would have to buy; who buys no more than before is given the discount for nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sanhe.people.promotions import Asked, Book, Priced, Why, priced

NEAR: Final = 0.25
"""A basket that lacks at most this share of a minimum is near it."""
_Z90: Final = 1.6449
"""Of a normal distribution, for an interval that holds 90 %."""


@dataclass(frozen=True, slots=True)
class PastBasket:
    """A basket of the past. By line: `cost_cents` of the goods (None: no cost known), and the
    share of the price that is tax, in parts per million of the price without it."""

    asked: Asked
    cost_cents: tuple[int | None, ...]
    tax_rate_ppm: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What falls to the shoppers of a tier, a channel or a place."""

    baskets: int
    reached: int
    discount_cents: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a promotion would have done to `baskets` that were looked at.

    It counts in `reached` of them and takes `discount_cents` off; `displaced_cents` of other
    promotions no longer count where it does. `change_cents` is the change of margin, without tax,
    if nobody buys more; `low_cents` and `high_cents` a 90 % interval of it, for as many baskets
    again. `margin_before_cents` and `margin_after_cents` are those of the reached, as far as costs
    are known, which is for `cost_known_share` of their value. `breakeven_share`: so much more of
    the same has to be bought in them for the margin to stay; None: however much, it does not.

    `exposed_cents`: goods in the reached baskets that it does not bear on, of the categories it
    does: what may be bought less of (cannibalisation, 蚕食). `near`: baskets that lack at most a
    quarter of its minimum, and `lacking_cents` what they lack in all. `refused` counts why it does
    not count in the others with goods of it.
    """

    baskets: int
    reached: int
    revenue_cents: int
    discount_cents: int
    displaced_cents: int
    change_cents: int
    margin_before_cents: int
    margin_after_cents: int
    cost_known_share: float
    low_cents: int
    high_cents: int
    breakeven_share: float | None
    exposed_cents: int
    near: int
    lacking_cents: int
    refused: Mapping[str, int]
    tiers: Mapping[str, Part]
    channels: Mapping[str, Part]
    places: Mapping[str, Part]


@dataclass(slots=True)
class _Sums:
    """What is added up, basket by basket."""

    baskets: int = 0
    reached: int = 0
    revenue: int = 0
    known: int = 0
    discount: int = 0
    displaced: int = 0
    before: float = 0.0
    after: float = 0.0
    change: float = 0.0
    change_squared: float = 0.0
    exposed: int = 0
    near: int = 0
    lacking: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    parts: dict[str, dict[str, list[int]]] = field(default_factory=dict)


def evidence(
    baskets: Iterable[PastBasket], *, without: Book, including: Book, promotion: str
) -> Evidence:
    """What `promotion`, which only the book `including` has, would have done to the baskets."""
    sums = _Sums()
    for basket in baskets:
        before, after = priced(basket.asked, without), priced(basket.asked, including)
        _add(sums, basket, (before, after), promotion=promotion)
    change = sums.change
    mean = change / sums.baskets if sums.baskets else 0.0
    variance = max(sums.change_squared - sums.baskets * mean * mean, 0.0)
    half = _Z90 * math.sqrt(variance)
    breakeven = None
    if sums.after > 0:
        breakeven = max(sums.before / sums.after - 1.0, 0.0)
    elif sums.before <= sums.after:
        breakeven = 0.0
    told = {
        name: {value: Part(*counts) for value, counts in sorted(of.items())}
        for name, of in sums.parts.items()
    }
    return Evidence(
        baskets=sums.baskets,
        reached=sums.reached,
        revenue_cents=sums.revenue,
        discount_cents=sums.discount,
        displaced_cents=sums.displaced,
        change_cents=round(change),
        margin_before_cents=round(sums.before),
        margin_after_cents=round(sums.after),
        cost_known_share=sums.known / sums.revenue if sums.revenue else 0.0,
        low_cents=round(change - half),
        high_cents=round(change + half),
        breakeven_share=breakeven,
        exposed_cents=sums.exposed,
        near=sums.near,
        lacking_cents=sums.lacking,
        refused=dict(sums.refused.most_common()),
        tiers=told.get("tiers", {}),
        channels=told.get("channels", {}),
        places=told.get("places", {}),
    )


def _add(sums: _Sums, basket: PastBasket, both: tuple[Priced, Priced], *, promotion: str) -> None:
    before, after = both
    counts = next((one for one in after.applied if one.promotion == promotion), None)
    discount = 0 if counts is None else counts.cents
    sums.baskets += 1
    _count_parts(sums, basket.asked, reached=counts is not None, discount=discount)
    if counts is None:
        _count_refusal(sums, after, promotion)
        return
    sums.reached += 1
    sums.discount += discount
    sums.displaced += before.final_cents - after.final_cents - discount
    sums.revenue += before.final_cents
    change = 0.0
    for one, other, cost, rate in zip(
        before.items, after.items, basket.cost_cents, basket.tax_rate_ppm, strict=True
    ):
        net = 1_000_000 / (1_000_000 + rate)
        change += (other.final_cents - one.final_cents) * net
        if cost is not None:
            sums.known += one.final_cents
            sums.before += one.final_cents * net - cost
            sums.after += other.final_cents * net - cost
    sums.change += change
    sums.change_squared += change * change
    bears = {line for line, _ in counts.shares}
    items = basket.asked.items
    categories = {item.category for item in items if item.line in bears and item.category}
    sums.exposed += sum(
        one.final_cents
        for item, one in zip(sorted(items, key=lambda each: each.line), after.items, strict=True)
        if item.line not in bears and item.category in categories
    )


def _count_refusal(sums: _Sums, after: Priced, promotion: str) -> None:
    for one in after.refused:
        if one.promotion == promotion:
            sums.refused[one.why.value] += 1
            if one.why is Why.MINIMUM_CENTS and one.needs - one.has <= NEAR * one.needs:
                sums.near += 1
                sums.lacking += one.needs - one.has


def _count_parts(sums: _Sums, asked: Asked, *, reached: bool, discount: int) -> None:
    given = {"tiers": asked.shopper.tier, "channels": asked.channel, "places": asked.place}
    for name, value in given.items():
        counts = sums.parts.setdefault(name, {}).setdefault(value, [0, 0, 0])
        counts[0] += 1
        counts[1] += reached
        counts[2] += discount
