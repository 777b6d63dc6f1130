"""What a basket costs with the promotions of a time: one pure function.

Promotions are worked out one after the other, by stage, priority and id; each sees what those
before it left. Money taken off several lines is shared by what they cost then, so that every line
has its own part of each promotion, and what comes back later is worth what was paid for it.

Rounding: a share of an amount is rounded half a cent up; a sum is shared out by the running sum of
the weights, each time rounded half up, so that the parts sum to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from sanhe.core.values import half_up
from sanhe.people.promotions.book import Book, fits
from sanhe.people.promotions.refusals import Refusal, Why
from sanhe.people.promotions.rules import (
    ALL,
    PIECEWISE,
    Asked,
    Bundle,
    BuyGet,
    Coupon,
    FixedPrice,
    FreePostage,
    Gift,
    Item,
    MemberPrice,
    Off,
    Offer,
    Percent,
    Promotion,
)

_PRECISION: Final = 1_000_000
"""Pieces are compared by millionths of a cent."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A promotion that counts: what it takes off in all and of which lines, by their numbers."""

    promotion: str
    coupon: str
    cents: int
    shares: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PricedItem:
    """A line before and after its promotions."""

    line: int
    initial_cents: int
    final_cents: int


@dataclass(frozen=True, slots=True)
class Present:
    """Units of an SKU that a promotion gives."""

    promotion: str
    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class Priced:
    """What a basket costs, why, and why not less.

    `postage_cents`: up to so much of the delivery fee is given; None = all of it, 0 = none. It is
    given by the promotion `postage_by`, as far as its budget goes.
    `refused` has every coupon that does not count, and the promotions on goods of the basket.
    """

    items: tuple[PricedItem, ...]
    applied: tuple[Applied, ...]
    presents: tuple[Present, ...]
    postage_cents: int | None
    postage_by: str
    refused: tuple[Refusal, ...]

    @property
    def final_cents(self) -> int:
        """What the goods cost."""
        return sum(item.final_cents for item in self.items)


Shares: TypeAlias = "dict[int, int]"
"""Cents off by the position of a line."""


@dataclass(slots=True)
class _Basket:
    """The lines while promotions are worked out: what each costs now, and what bears on it."""

    items: Sequence[Item]
    initial: list[int]
    now: list[int]
    stages: list[int]
    by: list[list[str]]

    def worth(self, at: int, pieces: int) -> int:
        """What the first pieces of a line cost now."""
        return half_up(self.now[at] * pieces, self.items[at].pieces)

    def dearest_first(self, lines: Sequence[int]) -> list[int]:
        """Lines by what a piece costs now."""
        each = {at: self.now[at] * _PRECISION // self.items[at].pieces for at in lines}
        return sorted(lines, key=lambda at: (-each[at], at))


def priced(asked: Asked, book: Book) -> Priced:
    """What the basket costs with the promotions of the book and the coupons shown.

    The order in which lines, coupons and promotions are given makes no difference.
    """
    items = tuple(sorted(asked.items, key=lambda item: item.line))
    initial = [item.cents(item.price_cents) for item in items]
    basket = _Basket(items, initial, list(initial), [0] * len(items), [[] for _ in items])
    run = _Run(replace(asked, items=items), book, basket)
    run.all()
    return Priced(
        items=tuple(
            PricedItem(item.line, before, after)
            for item, before, after in zip(items, initial, basket.now, strict=True)
        ),
        applied=tuple(run.applied),
        presents=tuple(run.presents),
        postage_cents=run.postage_cents,
        postage_by=run.postage_by,
        refused=tuple(run.refused),
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """A promotion to be worked out: on which lines, by the positions, and the coupon of it."""

    promotion: Promotion
    lines: list[int]
    coupon: Coupon | None


@dataclass(slots=True)
class _Run:
    """One basket's way through the book."""

    asked: Asked
    book: Book
    basket: _Basket
    applied: list[Applied] = field(default_factory=list)
    presents: list[Present] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    postage_cents: int | None = 0
    postage_by: str = ""

    def all(self) -> None:
        """Work out each promotion that is shown or has goods in the basket."""
        shown = self._shown()
        lines_of = self.book.lines_by_rank(self.basket.items)
        meant = [rank for rank in lines_of if not self.book.promotions[rank].coupon]
        turns = [
            _Turn(self.book.promotions[rank], lines_of.get(rank, []), shown.get(rank))
            for rank in sorted({*meant, *shown})
        ]
        groups: dict[str, list[_Turn]] = {}
        for turn in turns:
            groups.setdefault(turn.promotion.group, []).append(turn)
        for turn in turns:
            group = turn.promotion.group
            if not group:
                self._work_out(turn)
            elif group in groups:
                self._work_out_group(groups.pop(group))

    def _shown(self) -> dict[int, Coupon]:
        """The coupon that stands for each promotion; the others are refused."""
        found: dict[int, Coupon] = {}
        for coupon in sorted(self.asked.coupons, key=lambda one: (one.ends_at, one.code)):
            rank = self.book.rank.get(coupon.promotion)
            if rank is None or not self.book.promotions[rank].coupon:
                self._refuse(coupon.promotion, coupon, why=Why.UNKNOWN)
            elif (refusal := _timely(coupon, self.asked, name=coupon.promotion)) is not None:
                self.refused.append(replace(refusal, coupon=coupon.code))
            elif rank in found:
                self._refuse(coupon.promotion, coupon, why=Why.AGAIN, by=(found[rank].code,))
            else:
                found[rank] = coupon
        return found

    def _work_out_group(self, turns: Sequence[_Turn]) -> None:
        """Of an exclusive group the promotion that saves most now counts, the others don't."""
        best, most = None, -1
        for turn in turns:
            found = self._tried(turn)
            if not isinstance(found, Refusal) and sum(found.values()) > most:
                best, most = turn, sum(found.values())
        for turn in turns:
            if best is None or turn is best:
                self._work_out(turn)
            else:
                by = (best.promotion.id,)
                self._refuse(turn.promotion.id, turn.coupon, why=Why.GROUP, by=by)

    def _work_out(self, turn: _Turn) -> None:
        promotion, coupon = turn.promotion, turn.coupon
        found = self._tried(turn)
        code = "" if coupon is None else coupon.code
        if isinstance(found, Refusal):
            self.refused.append(replace(found, coupon=code))
            return
        items = self.basket.items
        shares = tuple((items[at].line, cents) for at, cents in sorted(found.items()) if cents)
        self.applied.append(Applied(promotion.id, code, sum(found.values()), shares))
        if isinstance(promotion.offer, Gift):
            present = Present(promotion.id, promotion.offer.sku, promotion.offer.units)
            self.presents.append(present)
        elif isinstance(promotion.offer, FreePostage):
            self._free(promotion, promotion.offer)
        for at, cents in found.items():
            self.basket.now[at] -= cents
            self.basket.stages[at] |= self.book.stage_bit[promotion.stage]
            self.basket.by[at].append(promotion.id)

    def _free(self, promotion: Promotion, offer: FreePostage) -> None:
        """The one that gives most of the postage gives it; the first of equals."""
        limits = [one for one in (offer.most_cents, self._left(promotion)) if one is not None]
        most = min(limits) if limits else None
        if self.postage_cents is not None and (most is None or most > self.postage_cents):
            self.postage_cents, self.postage_by = most, promotion.id

    def _left(self, promotion: Promotion) -> int | None:
        """What is left of its budget; None = it has none."""
        return self.asked.left_cents.get(promotion.id, promotion.budget_cents)

    def _refuse(
        self, promotion: str, coupon: Coupon | None, *, why: Why, by: tuple[str, ...] = ()
    ) -> None:
        code = "" if coupon is None else coupon.code
        self.refused.append(Refusal(promotion, why, coupon=code, by=by))

    def _tried(self, turn: _Turn) -> Shares | Refusal:
        """What a promotion takes off which lines now, or why it does not count."""
        promotion, lines = turn.promotion, turn.lines
        refusal = _admitted(promotion, self.asked) or self._excluded(promotion)
        if refusal is not None:
            return refusal
        if not lines:
            return Refusal(promotion.id, Why.GOODS)
        if isinstance(promotion.offer, FreePostage) and self._left(promotion) == 0:
            return Refusal(promotion.id, Why.BUDGET, has=0, needs=promotion.offer.most_cents or 1)
        if isinstance(promotion.offer, (Gift, FreePostage)):
            return _short(promotion, self.basket, lines) or {}
        if isinstance(promotion.offer, PIECEWISE):
            lines = [at for at in lines if self.basket.items[at].pieces]
            if not lines:
                return Refusal(promotion.id, Why.WEIGHED)
        against = self.book.not_with[promotion.stage]
        free = [at for at in lines if not self.basket.stages[at] & against]
        if not free:
            by = {self.book.rank[one]: one for at in lines for one in self.basket.by[at]}
            return Refusal(promotion.id, Why.STACKING, by=tuple(by[rank] for rank in sorted(by)))
        refusal = _short(promotion, self.basket, free)
        if refusal is not None:
            return refusal
        work_out = _OFFERS[type(promotion.offer)]
        return self._limited(promotion, work_out(promotion.offer, self.basket, free))

    def _excluded(self, promotion: Promotion) -> Refusal | None:
        by = [
            one.promotion for one in self.applied
            if promotion.id in self.book.promotions[self.book.rank[one.promotion]].excludes
        ]  # fmt: skip
        return Refusal(promotion.id, Why.EXCLUDED, by=tuple(by)) if by else None

    def _limited(self, promotion: Promotion, found: Shares | Refusal) -> Shares | Refusal:
        """What is found, within the promotion's cap and budget."""
        if isinstance(found, Refusal):
            return replace(found, promotion=promotion.id)
        total = sum(found.values())
        if total <= 0:
            return Refusal(promotion.id, Why.NOTHING)
        if promotion.cap_cents is not None and total > promotion.cap_cents:
            found = dict(zip(found, spread(promotion.cap_cents, list(found.values())), strict=True))
            total = promotion.cap_cents
        left = self._left(promotion)
        if left is not None and total > left:
            return Refusal(promotion.id, Why.BUDGET, has=left, needs=total)
        return found


def spread(cents: int, weights: Sequence[int]) -> list[int]:
    """A sum shared out by weights: the parts sum to it, and none is above its weight where the
    sum is not above theirs.

    >>> spread(100, [1, 1, 1])
    [33, 34, 33]
    """
    whole, before, running, parts = sum(weights), 0, 0, []
    for weight in weights:
        running += weight
        until = half_up(cents * running, whole) if whole else 0
        parts.append(until - before)
        before = until
    return parts


def _timely(one: Coupon | Promotion, asked: Asked, *, name: str) -> Refusal | None:
    if asked.at < one.begins_at:
        return Refusal(name, Why.NOT_YET, when=one.begins_at.isoformat())
    if asked.at >= one.ends_at:
        return Refusal(name, Why.OVER, when=one.ends_at.isoformat())
    return None


def _admitted(promotion: Promotion, asked: Asked) -> Refusal | None:
    """Why it does not hold here, now and for this shopper."""
    name, shopper = promotion.id, asked.shopper
    if (refusal := _timely(promotion, asked, name=name)) is not None:
        return refusal
    on_weekday = not promotion.weekdays or asked.at.isoweekday() in promotion.weekdays
    if not on_weekday or (promotion.month_days and asked.at.day not in promotion.month_days):
        return Refusal(name, Why.DAY)
    for why, one, among in (
        (Why.CHANNEL, asked.channel, promotion.channels),
        (Why.PLACE, asked.place, promotion.places),
        (Why.TIER, shopper.tier, promotion.tiers),
    ):
        if among and one not in among:
            return Refusal(name, why, of=tuple(sorted(among)))
    if isinstance(promotion.offer, MemberPrice) and not shopper.tier:
        return Refusal(name, Why.TIER)
    if promotion.newcomers and not shopper.newcomer:
        return Refusal(name, Why.NEWCOMERS)
    had = shopper.had.get(name, 0)
    if promotion.per_member is not None and had >= promotion.per_member:
        return Refusal(name, Why.HAD, has=had, needs=promotion.per_member)
    return None


def _short(promotion: Promotion, basket: _Basket, lines: Sequence[int]) -> Refusal | None:
    """Whether its goods are too few, in money or pieces."""
    cents = sum(basket.now[at] for at in lines)
    if cents < promotion.minimum_cents:
        needs = promotion.minimum_cents
        return Refusal(promotion.id, Why.MINIMUM_CENTS, has=cents, needs=needs)
    if not promotion.minimum_pieces:
        return None
    pieces = sum(basket.items[at].pieces for at in lines)
    if pieces < promotion.minimum_pieces:
        needs = promotion.minimum_pieces
        return Refusal(promotion.id, Why.MINIMUM_PIECES, has=pieces, needs=needs)
    return None


def _percent(offer: Percent, basket: _Basket, lines: list[int]) -> Shares:
    of = basket.initial if offer.of == "initial" else basket.now
    return {at: min(basket.now[at], half_up(of[at] * offer.rate, ALL)) for at in lines}


def _off(offer: Off, basket: _Basket, lines: list[int]) -> Shares | Refusal:
    weights = [basket.now[at] for at in lines]
    cents = sum(weights)
    reached = [step for step in offer.steps if step.from_cents <= cents]
    if not reached:
        needs = offer.steps[0].from_cents
        return Refusal("", Why.MINIMUM_CENTS, has=cents, needs=needs)
    step = reached[-1]
    off = step.off_cents * min(offer.times, cents // step.from_cents)
    return dict(zip(lines, spread(min(off, cents), weights), strict=True))


def _member_price(offer: MemberPrice, basket: _Basket, lines: list[int]) -> Shares:
    found = {}
    for at in lines:
        item = basket.items[at]
        if item.member_price_cents is not None:
            cheaper = basket.now[at] - item.cents(item.member_price_cents)
            if cheaper > 0:
                found[at] = cheaper
    return found


def _fixed_price(offer: FixedPrice, basket: _Basket, lines: list[int]) -> Shares:
    found, left = {}, offer.pieces
    for at in basket.dearest_first(lines):
        pieces = basket.items[at].pieces if left is None else min(left, basket.items[at].pieces)
        cheaper = basket.worth(at, pieces) - pieces * offer.price_cents
        if cheaper > 0:
            found[at] = cheaper
            left = None if left is None else left - pieces
    return found


def _buy_get(offer: BuyGet, basket: _Basket, lines: list[int]) -> Shares | Refusal:
    each, order = offer.buy + offer.get, basket.dearest_first(lines)
    pieces = sum(basket.items[at].pieces for at in order)
    groups = pieces // each if offer.times is None else min(offer.times, pieces // each)
    if not groups:
        return Refusal("", Why.MINIMUM_PIECES, has=pieces, needs=each)
    found, begin = {}, 0
    for at in order:
        end = begin + basket.items[at].pieces
        reduced = _gotten(end, offer, groups) - _gotten(begin, offer, groups)
        if reduced:
            found[at] = half_up(basket.worth(at, reduced) * offer.rate, ALL)
        begin = end
    return found


def _gotten(pieces: int, offer: BuyGet, groups: int) -> int:
    """How many of the first pieces are the cheaper ones of their group."""
    each = offer.buy + offer.get
    whole = min(pieces // each, groups)
    begun = 0 if whole == groups else max(pieces % each - offer.buy, 0)
    return whole * offer.get + begun


def _bundle(offer: Bundle, basket: _Basket, lines: list[int]) -> Shares | Refusal:
    left = {at: basket.items[at].pieces for at in basket.dearest_first(lines)}
    fitting = [
        [at for at in left if fits(part.goods, basket.items[at])] for part in offer.parts
    ]  # fmt: skip
    taken: dict[int, int] = {}
    times = 0
    while times < offer.times and (chosen := _one_bundle(offer, fitting, left)) is not None:
        more = {at: taken.get(at, 0) + pieces for at, pieces in chosen.items()}
        cents = sum(
            basket.worth(at, pieces) - basket.worth(at, taken.get(at, 0))
            for at, pieces in more.items()
        )
        if cents <= offer.price_cents:
            break
        taken |= more
        times += 1
        for at, pieces in chosen.items():
            left[at] -= pieces
    if not taken:
        return _missing(offer, fitting, left)
    weights = [basket.worth(at, pieces) for at, pieces in taken.items()]
    off = sum(weights) - times * offer.price_cents
    return dict(zip(taken, spread(off, weights), strict=True))


def _one_bundle(
    offer: Bundle, fitting: Sequence[Sequence[int]], left: dict[int, int]
) -> dict[int, int] | None:
    """The pieces of one more bundle, or None where some are missing."""
    chosen: dict[int, int] = {}
    for part, lines in zip(offer.parts, fitting, strict=True):
        missing = part.pieces
        for at in lines:
            pieces = min(missing, left[at] - chosen.get(at, 0))
            if pieces:
                chosen[at] = chosen.get(at, 0) + pieces
                missing -= pieces
        if missing:
            return None
    return chosen


def _missing(
    offer: Bundle, fitting: Sequence[Sequence[int]], left: dict[int, int]
) -> Shares | Refusal:
    """Which pieces a bundle lacks; nothing is missing where it costs more than they do."""
    if _one_bundle(offer, fitting, left) is not None:
        return {}
    has = sum(
        min(part.pieces, sum(left[at] for at in lines))
        for part, lines in zip(offer.parts, fitting, strict=True)
    )
    return Refusal("", Why.MINIMUM_PIECES, has=has, needs=sum(part.pieces for part in offer.parts))


_OFFERS: Final[dict[type[Offer], Callable[[Any, _Basket, list[int]], Shares | Refusal]]] = {
    Percent: _percent,
    Off: _off,
    MemberPrice: _member_price,
    FixedPrice: _fixed_price,
    BuyGet: _buy_get,
    Bundle: _bundle,
}
