"""What a promotion gives, to whom and within which limits, as one sentence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, Literal

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
)

Language = Literal["en", "zh-CN"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh-CN")
Money = Callable[[int], str]
"""Cents as people write them."""

_EN: Final[Mapping[str, str]] = {
    "all": "all goods",
    "without": "{goods} without {out}",
    "and": ", ",
    "between": "; ",
    "percent": "{share} off {goods}",
    "initial": "{share} off the first price of {goods}",
    "step": "{off} off from {start}",
    "off": "{steps} on {goods}",
    "each": "{off} off for each {start} of {goods}, up to {times} times",
    "fixed_price": "{goods} at {price} a piece",
    "pieces": ", at most {pieces} of a basket",
    "member_price": "{goods} at the member price",
    "free": "of each {all} pieces of {goods} the cheapest {get} free",
    "buy_get": "of each {all} pieces of {goods} the cheapest {get} for {share} less",
    "times": ", up to {times} times",
    "part": "{pieces} of {goods}",
    "plus": " and ",
    "bundle": "{parts} together for {price}",
    "gift": "{units} of {sku} as a gift with {goods}",
    "free_postage": "free delivery with {goods}",
    "most": ", up to {cents}",
    "coupon": "with a coupon",
    "minimum_cents": "from {cents} of these goods",
    "minimum_pieces": "from {pieces} pieces of these goods",
    "tiers": "for members of {names}",
    "newcomers": "for a member's first order",
    "channels": "in {names}",
    "places": "at {names}",
    "weekdays": "on {names}",
    "month_days": "on days {names} of the month",
    "cap_cents": "at most {cents} off a basket",
    "per_member": "{times} times for a member",
    "budget_cents": "{cents} in all",
    "end": ".",
}
_ZH: Final[Mapping[str, str]] = {
    "all": "全部商品",
    "without": "{goods}（不含{out}）",
    "and": "、",
    "between": "；",
    "percent": "{goods}减{share}",
    "initial": "{goods}按原价减{share}",
    "step": "满{start}减{off}",
    "off": "{goods}{steps}",
    "each": "{goods}每满{start}减{off}，最多{times}次",
    "fixed_price": "{goods}每件{price}",
    "pieces": "，每单最多{pieces}件",
    "member_price": "{goods}享会员价",
    "free": "{goods}每{all}件中最低价的{get}件免费",
    "buy_get": "{goods}每{all}件中最低价的{get}件减{share}",
    "times": "，最多{times}次",
    "part": "{goods}{pieces}件",
    "plus": "加",
    "bundle": "{parts}一起{price}",
    "gift": "购{goods}赠{sku}共{units}件",
    "free_postage": "购{goods}包邮",
    "most": "，最多{cents}",
    "coupon": "凭优惠券",
    "minimum_cents": "这些商品满{cents}",
    "minimum_pieces": "这些商品满{pieces}件",
    "tiers": "限{names}会员",
    "newcomers": "限会员首单",
    "channels": "限渠道{names}",
    "places": "限门店{names}",
    "weekdays": "限{names}",
    "month_days": "限每月{names}日",
    "cap_cents": "每单最多减{cents}",
    "per_member": "每位会员{times}次",
    "budget_cents": "总额{cents}",
    "end": "。",
}
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {"en": _EN, "zh-CN": _ZH}
_DAYS: Final[Mapping[Language, tuple[str, ...]]] = {
    "en": ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"),
    "zh-CN": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


def sentence(promotion: Promotion, language: Language, money: Money) -> str:
    """What a promotion gives and to whom, without its days: those are told beside it.

    >>> from datetime import UTC, datetime
    >>> day = datetime(2026, 9, 1, tzinfo=UTC)
    >>> tea = Goods(categories=frozenset({"Tea"}))
    >>> ten = Promotion("T", "Tea", Percent(1_000), "item", day, day, goods=tea, coupon=True)
    >>> sentence(ten, "en", str), sentence(ten, "zh-CN", str)
    ('10 % off Tea; with a coupon.', 'Tea减10%；凭优惠券。')
    """
    say = _Saying(language, money)
    told = [say.offer(promotion.offer, promotion.goods), *say.limits(promotion)]
    return say.words["between"].join(told) + say.words["end"]


class _Saying:
    """A language, and how money is written in it."""

    def __init__(self, language: Language, money: Money) -> None:
        self.language, self.words, self.money = language, _WORDS[language], money

    def told(self, name: str, **given: object) -> str:
        return self.words[name].format(**given)

    def share(self, points: int) -> str:
        whole, rest = divmod(points, 100)
        number = f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)
        return f"{number} %" if self.language == "en" else f"{number}%"

    def names(self, given: Collection[object]) -> str:
        return self.words["and"].join(str(one) for one in sorted(given, key=str))

    def goods(self, goods: Goods) -> str:
        named = [*sorted(goods.categories), *sorted(goods.brands), *sorted(goods.skus)]
        told = self.words["and"].join(named) or self.words["all"]
        out = [*sorted(goods.without_categories), *sorted(goods.without_skus)]
        return self.told("without", goods=told, out=self.words["and"].join(out)) if out else told

    def offer(self, offer: Offer, goods: Goods) -> str:
        on = self.goods(goods)
        match offer:
            case Percent(rate, of):
                return self.told(
                    "initial" if of == "initial" else "percent", share=self.share(rate), goods=on
                )
            case Off():
                return self.off(offer, on)
            case FixedPrice(price, pieces):
                most = self.told("pieces", pieces=pieces) if pieces else ""
                return self.told("fixed_price", goods=on, price=self.money(price)) + most
            case MemberPrice():
                return self.told("member_price", goods=on)
            case BuyGet(buy, get, rate, times):
                name = "free" if rate == ALL else "buy_get"
                told = self.told(name, all=buy + get, get=get, goods=on, share=self.share(rate))
                return told + (self.told("times", times=times) if times else "")
            case Bundle(parts, price, times):
                joined = self.words["plus"].join(
                    self.told("part", pieces=one.pieces, goods=self.goods(one.goods))
                    for one in parts
                )
                told = self.told("bundle", parts=joined, price=self.money(price))
                return told + (self.told("times", times=times) if times > 1 else "")
            case Gift(sku, units):
                return self.told("gift", units=units, sku=sku, goods=on)
            case FreePostage(most_cents):
                most = "" if most_cents is None else self.told("most", cents=self.money(most_cents))
                return self.told("free_postage", goods=on) + most

    def off(self, offer: Off, on: str) -> str:
        steps = [
            {"off": self.money(one.off_cents), "start": self.money(one.from_cents)}
            for one in offer.steps
        ]
        if offer.times > 1:
            return self.told("each", **steps[0], goods=on, times=offer.times)
        told = self.words["and"].join(self.told("step", **step) for step in steps)
        return self.told("off", steps=told, goods=on)

    def limits(self, one: Promotion) -> Iterator[str]:
        if one.coupon:
            yield self.words["coupon"]
        if one.minimum_cents:
            yield self.told("minimum_cents", cents=self.money(one.minimum_cents))
        if one.minimum_pieces:
            yield self.told("minimum_pieces", pieces=one.minimum_pieces)
        for name in ("tiers", "channels", "places"):
            if named := getattr(one, name):
                yield self.told(name, names=self.names(named))
        if one.newcomers:
            yield self.words["newcomers"]
        if one.weekdays:
            days = [_DAYS[self.language][day - 1] for day in sorted(one.weekdays)]
            yield self.told("weekdays", names=self.words["and"].join(days))
        if one.month_days:
            days = [str(day) for day in sorted(one.month_days)]
            yield self.told("month_days", names=self.words["and"].join(days))
        for name in ("cap_cents", "budget_cents"):
            if (cents := getattr(one, name)) is not None:
                yield self.told(name, cents=self.money(cents))
        if one.per_member is not None:
            yield self.told("per_member", times=one.per_member)
