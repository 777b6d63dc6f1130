"""What is wrong with promotions before they hold: found when they are saved, not at the till."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from itertools import combinations, pairwise
from typing import Any, Final

from sanhe.core.errors import BadInput
from sanhe.people.promotions.book import steps_of
from sanhe.people.promotions.rules import (
    ALL,
    Bundle,
    BuyGet,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    MemberPrice,
    Off,
    Offer,
    Percent,
    Promotion,
    Stacking,
)


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong: at which `place` of which promotion, and the `remedy`."""

    promotion: str
    place: str
    what: str
    remedy: str

    @property
    def at(self) -> str:
        """The place as refusals name it."""
        return f"promotions/{self.promotion}/{self.place}"


@dataclass(frozen=True, slots=True)
class Names:
    """Names that mean something to a promotion, or those that it names."""

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()


def named(promotion: Promotion) -> Names:
    """All that a promotion names."""
    several = [goods for _, goods in _goods_of(promotion)]
    gift = {promotion.offer.sku} if isinstance(promotion.offer, Gift) else set()
    return Names(
        skus=frozenset(gift).union(*(one.skus | one.without_skus for one in several)),
        categories=frozenset().union(*(one.categories | one.without_categories for one in several)),
        brands=frozenset().union(*(one.brands for one in several)),
        places=promotion.places,
        tiers=promotion.tiers,
    )


def strangers(promotion: Promotion, known: Names) -> Iterator[Flaw]:
    """What it names that nobody knows: a slip of the pen, for which it would never count."""
    asked: list[tuple[str, frozenset[str], frozenset[str]]] = [
        ("places", promotion.places, known.places),
        ("tiers", promotion.tiers, known.tiers),
    ]
    for place, goods in _goods_of(promotion):
        asked += [
            (f"{place}/skus", goods.skus, known.skus),
            (f"{place}/categories", goods.categories, known.categories),
            (f"{place}/brands", goods.brands, known.brands),
            (f"{place}/without_skus", goods.without_skus, known.skus),
            (f"{place}/without_categories", goods.without_categories, known.categories),
        ]
    if isinstance(promotion.offer, Gift):
        asked.append(("offer/sku", frozenset({promotion.offer.sku}), known.skus))
    for place, names, there in asked:
        for name in sorted(names - there):
            remedy = "write it as it is there, or import it first"
            yield Flaw(promotion.id, place, f"nobody knows {name!r}", remedy)


def _goods_of(promotion: Promotion) -> Iterator[tuple[str, Goods]]:
    yield "goods", promotion.goods
    if isinstance(promotion.offer, Bundle):
        for number, part in enumerate(promotion.offer.parts):
            yield f"offer/parts/{number}/goods", part.goods


def check(
    promotions: Sequence[Promotion], stacking: Stacking, *, now: datetime, new: Iterable[str] = ()
) -> None:
    """Raise BadInput for the first flaw; see `flaws`."""
    for flaw in flaws(promotions, stacking, now=now, new=new):
        raise BadInput(flaw.what, place=flaw.at, remedy=flaw.remedy)


def flaws(
    promotions: Sequence[Promotion], stacking: Stacking, *, now: datetime, new: Iterable[str] = ()
) -> Iterator[Flaw]:
    """All that is wrong with promotions that are to hold together.

    `new` are those not saved before: the others may be over. Two promotions overlap where they
    stand at the same stage with the same priority, may not be joined, and bear on the same goods
    for the same shoppers at the same time: then nothing says which of them counts. Goods overlap
    as far as their own words show it: an SKU and a category are not compared.
    """
    fresh = set(new)
    yield from _twice(promotions)
    for promotion in promotions:
        yield from _flaws_of(promotion, stacking)
        if promotion.id in fresh and promotion.ends_at <= now:
            remedy = "let it end later"
            yield Flaw(promotion.id, "ends_at", f"it is over since {promotion.ends_at}", remedy)
    known = {one.id: one for one in promotions if one.stage in stacking.stages}
    yield from _groups(known.values())
    yield from _exclusions(known, stacking)
    yield from _overlaps(list(known.values()), stacking, fresh)


def _twice(promotions: Sequence[Promotion]) -> Iterator[Flaw]:
    seen: set[str] = set()
    for promotion in promotions:
        if promotion.id in seen:
            yield Flaw(promotion.id, "id", "two promotions have this id", "give one another id")
        seen.add(promotion.id)


def _flaws_of(one: Promotion, stacking: Stacking) -> Iterator[Flaw]:
    """What is wrong with one by itself."""
    if not one.id or not one.name.strip():
        yield Flaw(one.id, "name", "it has no id or name", "give both")
    if one.stage not in stacking.stages:
        remedy = f"one of {', '.join(stacking.stages)}"
        yield Flaw(one.id, "stage", f"there is no stage {one.stage!r}", remedy)
    if one.begins_at.tzinfo is None or one.ends_at.tzinfo is None:
        yield Flaw(one.id, "begins_at", "its times have no offset", "write them as ...+08:00")
    elif one.begins_at >= one.ends_at:
        yield Flaw(one.id, "ends_at", "it ends before it begins", "let it end later")
    for name, least in (("cap_cents", 1), ("per_member", 1), ("budget_cents", 1)):
        value = getattr(one, name)
        if value is not None and value < least:
            remedy = f"give {least} or more, or leave it out for no limit"
            yield Flaw(one.id, name, f"{value} lets it never count", remedy)
    for name in ("minimum_cents", "minimum_pieces"):
        if getattr(one, name) < 0:
            yield Flaw(one.id, name, "it is below 0", "give 0 or more")
    if one.newcomers and one.per_member not in (None, 1):
        yield Flaw(one.id, "per_member", "a newcomer orders once", "give 1, or leave it out")
    for name, most in (("weekdays", 7), ("month_days", 31)):
        if any(not 1 <= day <= most for day in getattr(one, name)):
            yield Flaw(one.id, name, "there is no such day", f"give days of 1 to {most}")
    for place, what, remedy in _OFFERS[type(one.offer)](one.offer):
        yield Flaw(one.id, f"offer/{place}", what, remedy)


Wrong = tuple[str, str, str]
"""Place, what, remedy."""


def _rate(rate: int, place: str = "rate") -> Iterator[Wrong]:
    if not 1 <= rate <= ALL:
        yield place, f"{rate} is no share", f"give basis points, 1 to {ALL}"


def _at_least(value: int | None, least: int, *, place: str) -> Iterator[Wrong]:
    if value is not None and value < least:
        yield place, f"{value} is below {least}", f"give {least} or more"


def _percent(offer: Percent) -> Iterator[Wrong]:
    yield from _rate(offer.rate)


def _off(offer: Off) -> Iterator[Wrong]:
    yield from _at_least(offer.times, 1, place="times")
    if not offer.steps:
        yield "steps", "it has no step", "say from how much on how much is off"
    for number, step in enumerate(offer.steps):
        if not 1 <= step.off_cents <= step.from_cents:
            what = f"{step.off_cents} off from {step.from_cents} on"
            yield f"steps/{number}", what, "take off 1 cent or more, and no more than from_cents"
    for number, (low, high) in enumerate(pairwise(offer.steps), start=1):
        if low.from_cents >= high.from_cents or low.off_cents >= high.off_cents:
            yield f"steps/{number}", "the steps do not rise", "let each give more from more on"


def _fixed_price(offer: FixedPrice) -> Iterator[Wrong]:
    yield from _at_least(offer.price_cents, 0, place="price_cents")
    yield from _at_least(offer.pieces, 1, place="pieces")
    if offer.price_cents == 0 and offer.pieces is None:
        yield "pieces", "all of it would be free", "say how many pieces a basket may have free"


def _member_price(offer: MemberPrice) -> Iterator[Wrong]:
    return iter(())


def _buy_get(offer: BuyGet) -> Iterator[Wrong]:
    yield from _rate(offer.rate)
    yield from _at_least(offer.buy, 1, place="buy")
    yield from _at_least(offer.get, 1, place="get")
    yield from _at_least(offer.times, 1, place="times")


def _bundle(offer: Bundle) -> Iterator[Wrong]:
    yield from _at_least(offer.price_cents, 0, place="price_cents")
    yield from _at_least(offer.times, 1, place="times")
    if sum(part.pieces for part in offer.parts) < 2:
        yield "parts", "one piece is no bundle", "name two pieces or more"
    for number, part in enumerate(offer.parts):
        yield from _at_least(part.pieces, 1, place=f"parts/{number}/pieces")


def _gift(offer: Gift) -> Iterator[Wrong]:
    yield from _at_least(offer.units, 1, place="units")
    if not offer.sku:
        yield "sku", "it gives nothing", "name the SKU"


def _free_postage(offer: FreePostage) -> Iterator[Wrong]:
    yield from _at_least(offer.most_cents, 1, place="most_cents")


_OFFERS: Final[dict[type[Offer], Callable[[Any], Iterator[Wrong]]]] = {
    Percent: _percent,
    Off: _off,
    FixedPrice: _fixed_price,
    MemberPrice: _member_price,
    BuyGet: _buy_get,
    Bundle: _bundle,
    Gift: _gift,
    FreePostage: _free_postage,
}


def _groups(promotions: Iterable[Promotion]) -> Iterator[Flaw]:
    stage_of: dict[str, str] = {}
    for one in promotions:
        if one.group and stage_of.setdefault(one.group, one.stage) != one.stage:
            what = f"its group {one.group!r} stands at stage {stage_of[one.group]!r}"
            yield Flaw(one.id, "group", what, "keep a group at one stage: they are compared there")


def _exclusions(known: dict[str, Promotion], stacking: Stacking) -> Iterator[Flaw]:
    order = {
        one.id: (stacking.stages.index(one.stage), -one.priority, one.id) for one in known.values()
    }
    for one in known.values():
        for other in sorted(one.excludes):
            if other not in known:
                yield Flaw(one.id, "excludes", f"there is no promotion {other!r}", "name one there")
    circle = _circle({name: sorted(one.excludes & known.keys()) for name, one in known.items()})
    if circle:
        what = f"it excludes itself in a circle: {' > '.join(circle)}"
        yield Flaw(circle[0], "excludes", what, "leave out one of them, or make them a group")
        return
    for one in known.values():
        for other in sorted(one.excludes & known.keys()):
            if order[other] < order[one.id]:
                what = f"{other} is worked out before it, and counts by then"
                yield Flaw(
                    one.id, "excludes", what, f"let {other} exclude {one.id}, or make a group"
                )


def _circle(excludes: dict[str, list[str]]) -> list[str]:
    """A circle among exclusions, its first name at both ends; empty without one."""
    try:
        TopologicalSorter(excludes).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle[::-1]
    return []


def _overlaps(promotions: list[Promotion], stacking: Stacking, fresh: set[str]) -> Iterator[Flaw]:
    """Told of the fresh one of the two, as it is that one that can be mended."""
    alike: dict[tuple[str, int], list[Promotion]] = {}
    for one in promotions:
        bears = not isinstance(one.offer, (Gift, FreePostage))
        if bears and not stacking.allows(one.stage, one.stage) and one.begins_at.tzinfo:
            alike.setdefault((one.stage, one.priority), []).append(one)
    for several in alike.values():
        by_age = sorted(several, key=lambda each: (each.id in fresh, each.id))
        for one, other in combinations(by_age, 2):
            if _meet(one, other):
                what = f"it overlaps with {one.id}: nothing says which of the two counts"
                remedy = "give one a higher priority, or put both into a group"
                yield Flaw(other.id, "priority", what, remedy)


def _meet(one: Promotion, other: Promotion) -> bool:
    """Whether both may bear on the same line of the same shopper at the same moment."""
    if (one.group and one.group == other.group) or {one.id, other.id} & (
        one.excludes | other.excludes
    ):
        return False
    if one.begins_at >= other.ends_at or other.begins_at >= one.ends_at:
        return False
    among = ("channels", "places", "tiers", "weekdays", "month_days")
    for name in among:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs and mine.isdisjoint(theirs):
            return False
    return _share_goods(one.goods, other.goods)


def _share_goods(one: Goods, other: Goods) -> bool:
    if one.everything or other.everything:
        return True
    if one.skus & other.skus or one.brands & other.brands:
        return True
    above = {step for category in one.categories for step in steps_of(category)}
    below = {step for category in other.categories for step in steps_of(category)}
    return bool(above & other.categories or below & one.categories)
