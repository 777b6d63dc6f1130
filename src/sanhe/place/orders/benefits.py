"""What membership and promotions do to an order (权益): one place where people and orders meet.

Prices come out of `people.promotions`, a pure function. Coupons, budgets, points and stored value
are accounts on the ledger: an order holds them by pending transfers as it holds its stock, they
are posted when it is paid and voided when it is let go. The rules beyond that:

- A promotion bound to places holds where the shopper picks up or carries away; where a courier
  brings the goods the price does not depend on who has them.
- Points are earned once the order is complete, for what was handed over and did not come back,
  without the part paid by points. What comes back later takes its share of them along, whatever
  tier the member has by then, and counts no more towards the tier.
- What goes back goes back to each tender by its share, see `rules.split`.
- Coupons and budgets come back when nothing of the order is left, not for a part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from sanhe.core.errors import BadInput, NotFound, Shortage
from sanhe.core.values import business_day
from sanhe.goods.catalog import Catalog, Selling
from sanhe.people.coupons import Coupons, NotUsable, Use
from sanhe.people.loyalty import Points, Policy, Rewards, StoredValue, Tiers
from sanhe.people.promotions import (
    Asked,
    Book,
    Item,
    Present,
    Priced,
    Promotions,
    Refusal,
    Shopper,
    Why,
    priced,
)
from sanhe.place.orders.basket import (
    Basket,
    Discount,
    PricedLine,
    discounted,
    priced_lines,
    shown_as,
    tax_cents,
)
from sanhe.place.orders.rules import Tenders

if TYPE_CHECKING:
    from sanhe.place.orders.placing import Draft
    from sanhe.place.orders.reading import Order


@dataclass(frozen=True, slots=True)
class Offered:
    """A basket's lines with what is taken off them, what is used for it, and what is not and why.

    `unusable` are codes that are worth nothing, `refused` what does not count in this basket.
    Up to `postage_cents` of the delivery fee are given, None = all of it, by the promotion
    `postage_by`. `gifts` are lines besides.
    """

    lines: tuple[PricedLine, ...]
    uses: tuple[Use, ...]
    refused: tuple[Refusal, ...]
    unusable: Mapping[str, NotUsable]
    postage_cents: int | None
    postage_by: str = ""
    gifts: tuple[tuple[Use, PricedLine], ...] = ()

    @property
    def with_gifts(self) -> Offered:
        """With the gifts among the lines."""
        given = (line for _, line in self.gifts)
        return replace(self, lines=(*self.lines, *given), gifts=())

    @property
    def without_gifts(self) -> Offered:
        """As if the gifts were sold out: what they are given for is not used."""
        gone = {use for use, _ in self.gifts}
        return replace(
            self,
            uses=tuple(use for use in self.uses if use not in gone),
            refused=(
                *self.refused,
                *(Refusal(use.promotion, Why.SOLD_OUT, coupon=use.coupon_code) for use in gone),
            ),
            gifts=(),
        )

    def fee_cents(self, delivery_cents: int) -> int:
        """What is left of a delivery fee."""
        given = delivery_cents if self.postage_cents is None else self.postage_cents
        return max(delivery_cents - given, 0)

    def used(self, delivery_cents: int) -> tuple[Use, ...]:
        """What is used with a delivery fee: what is given of it comes out of a budget, too."""
        given = delivery_cents - self.fee_cents(delivery_cents)
        return tuple(
            replace(use, cents=use.cents + given) if use.promotion == self.postage_by else use
            for use in self.uses
        )


class Benefits:
    """Promotions, coupons, points and stored value of orders, within one transaction."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        promotions: Promotions,
        coupons: Coupons,
        points: Points,
        stored: StoredValue,
        tiers: Tiers,
        rewards: Rewards,
        policy: Policy,
        time_zone: str,
    ) -> None:
        self._catalog, self._promotions, self._coupons = catalog, promotions, coupons
        self._points, self._stored, self._tiers = points, stored, tiers
        self._rewards, self._policy, self._zone = rewards, policy, time_zone

    def selling(self, skus: Sequence[str], place: str, *, at: datetime) -> dict[str, Selling]:
        """What it takes to sell these SKUs at a place now; "" = wherever no price is its own."""
        day = business_day(at, time_zone=self._zone, cut_off=time())
        return self._catalog.selling(skus, place, day=day)

    def selling_like(self, sku: str, place: str, *, at: datetime) -> dict[str, Selling]:
        """Likewise of an SKU and of all that share its category."""
        return self.selling(self._catalog.alike(sku), place, at=at)

    def offer(self, basket: Basket, *, at: datetime, newcomer: Callable[[str], bool]) -> Offered:
        """What the basket's lines cost with the promotions of now and the coupons shown.

        `newcomer` tells whether a member has not ordered yet; asked where it matters. Raises
        BadInput naming the line that has no price, or a unit that doesn't fit.
        """
        place = basket.delivery.place or ""
        selling = self.selling([line.sku for line in basket.lines], place, at=at)
        lines = priced_lines(basket.lines, selling)
        shown = self._coupons.shown(basket.coupons, member=basket.member, at=at)
        book = self._promotions.book(at=at)
        limited = [one.id for one in book.promotions if one.budget_cents is not None]
        asked = Asked(
            items=tuple(_item(line, selling[line.sku]) for line in lines),
            channel=basket.channel,
            place=basket.delivery.place or "",
            at=at.astimezone(ZoneInfo(self._zone)),
            shopper=self._shopper(book, basket.member, at=at, newcomer=newcomer),
            coupons=shown.coupons,
            left_cents=self._promotions.left_cents(limited) if limited else {},
        )
        found = priced(asked, book)
        uses = {one.promotion: Use(one.promotion, one.coupon, one.cents) for one in found.applied}
        return Offered(
            tuple(_with_discounts(line, selling[line.sku], found) for line in lines),
            tuple(uses.values()),
            found.refused,
            shown.refused,
            found.postage_cents,
            found.postage_by,
            tuple(self._gifts(basket, found.presents, uses, at=at)),
        )

    def alike(self, baskets: Sequence[Basket], *, at: datetime) -> list[str]:
        """For each basket what its price looks at of who buys: baskets that are alike in this and
        in all else cost the same."""
        holding = self._promotions.book(at=at).promotions
        personal = any(one.newcomers or one.per_member is not None for one in holding)
        tiers = self._tiers.tiers({one.member for one in baskets if one.member}, at=at)

        def seen(one: Basket) -> str:
            member = one.member or ""
            own = personal or one.points or one.stored_cents or one.coupons
            return f"member {member}" if own else f"tier {tiers.get(member, '')}"

        return [seen(one) for one in baskets]

    def paid_with(self, basket: Basket, total_cents: int, *, at: datetime) -> Tenders:
        """How a total is paid: the points and stored value that the shopper names, then money.

        Raises Shortage for more than the member has, BadInput for more than may be paid so.
        """
        if basket.member is None or not (basket.points or basket.stored_cents):
            return Tenders(0, 0, 0, total_cents)
        points_cents = self._policy.worth_cents(basket.points)
        most = total_cents * self._policy.spend_percent // 100
        if points_cents > most:
            raise BadInput(
                f"{basket.points} points are {points_cents} cents, and {most} may be paid so",
                place="points",
                remedy="pay with fewer points",
            )
        left = total_cents - points_cents
        if basket.stored_cents > left:
            raise BadInput(
                f"{basket.stored_cents} cents are more than the {left} to be paid",
                place="stored_cents",
                remedy=f"at most {left}",
            )
        if basket.points > (has := self._points.balance(basket.member).available):
            raise Shortage(f"{has} points are left, not {basket.points}")
        if basket.stored_cents > (has := self._stored.balance(basket.member).available_cents):
            raise Shortage(f"{has} cents of stored value are left, not {basket.stored_cents}")
        return Tenders(basket.points, points_cents, basket.stored_cents, left - basket.stored_cents)

    def earns_points(self, member: str | None, cents: int, *, at: datetime) -> int:
        """The points that a member earns for goods of so many cents that no points paid."""
        return 0 if member is None else self._rewards.points_of(member, cents, at=at)

    def hold(self, order: Draft) -> list[UUID]:
        """The pending transfers that hold what an order uses and is paid with, all or none.

        Raises Shortage or Conflict naming what others took meanwhile.
        """
        quote, member, cause = order.quote, order.basket.member, cause_of(order.id)
        at, until = order.now, order.expires_at
        held: list[UUID] = []
        if quote.uses:
            held += self._coupons.hold(quote.uses, cause=cause, member=member, at=at, until=until)
        if member is not None and quote.tenders.points:
            points = quote.tenders.points
            held += self._points.hold(member, points, cause=cause, at=at, until=until)
        if member is not None and quote.tenders.stored_cents:
            cents = quote.tenders.stored_cents
            held += self._stored.hold(member, cents, cause=cause, at=at, until=until)
        return held

    def give_back(self, order: Order, back: Tenders, *, at: datetime) -> None:
        """Give points and stored value back that an order was paid with."""
        if order.member is None:
            return
        cause, step = cause_of(order.id), f"back after {order.refund_cents}"
        if back.points:
            self._points.give_back(order.member, back.points, cause=cause, step=step, at=at)
        if back.stored_cents:
            self._stored.give_back(order.member, back.stored_cents, cause=cause, step=step, at=at)

    def undo(self, order: Order, *, at: datetime) -> None:
        """Give coupons and budgets back, as nothing of the order is left."""
        self._coupons.give_back(order.uses, cause=cause_of(order.id), step="undone", at=at)

    def complete(self, order: Order, *, handed_cents: int, kept_cents: int, at: datetime) -> None:
        """Reward the member for a complete order: goods of so many cents were handed over, and of
        so many stay with them."""
        if order.member is None:
            return
        whole, kept = order.rewarded_cents(handed_cents), order.rewarded_cents(kept_cents)
        self._rewards.bought(order.member, whole, cause=cause_of(order.id), at=at)
        self._return(order, whole - kept, step="before it was complete", of=(whole, 0), at=at)

    def keep_less(self, order: Order, kept_cents: int, *, at: datetime) -> None:
        """Take the reward back for goods of a complete order that came back; what is kept now.

        `order` is as it was before.
        """
        whole, before = (
            order.rewarded_cents(order.handed_cents),
            order.rewarded_cents(order.kept_cents),
        )
        back = before - order.rewarded_cents(kept_cents)
        step = f"kept {order.kept_cents} then {kept_cents}"
        self._return(order, back, step=step, of=(whole, whole - before), at=at)

    def _return(
        self, order: Order, cents: int, *, step: str, of: tuple[int, int], at: datetime
    ) -> None:
        if order.member is not None and cents:
            cause = cause_of(order.id)
            self._rewards.returned(order.member, cents, cause=cause, step=step, whole=of, at=at)

    def _gifts(
        self,
        basket: Basket,
        presents: Sequence[Present],
        uses: Mapping[str, Use],
        *,
        at: datetime,
    ) -> Iterator[tuple[Use, PricedLine]]:
        """A line that costs nothing for each present."""
        if not presents:
            return
        place = basket.delivery.place or ""
        selling = self.selling([one.sku for one in presents], place, at=at)
        for number, one in enumerate(presents, len(basket.lines)):
            use, sold = uses[one.promotion], selling.get(one.sku)
            if sold is None:
                raise NotFound(f"promotion {one.promotion} gives {one.sku}, which is no SKU")
            yield (
                use,
                PricedLine(
                    line=number,
                    sku=one.sku,
                    name=sold.name,
                    quantity=one.units,
                    price_cents=0,
                    per_units=1,
                    amount_cents=0,
                    tax_cents=tax_cents(0, sold.tax_rate_ppm, included=True),
                    custom={},
                    components=sold.components or ((one.sku, 1),),
                    discounts=(Discount(one.promotion, shown_as(use.coupon_code), 0),),
                ),
            )

    def _shopper(
        self, book: Book, member: str | None, *, at: datetime, newcomer: Callable[[str], bool]
    ) -> Shopper:
        """What promotions may look at of a member; a guest is nobody in particular."""
        if member is None:
            return Shopper()
        limited = [one.id for one in book.promotions if one.per_member is not None]
        return Shopper(
            tier=self._tiers.tier(member, at=at),
            newcomer=any(one.newcomers for one in book.promotions) and newcomer(member),
            had=self._coupons.had(member, limited) if limited else {},
        )


def cause_of(order: UUID) -> str:
    """How an order is named as the cause of what its member gains and spends."""
    return f"order/{order}"


def _item(line: PricedLine, sold: Selling) -> Item:
    return Item(
        line=line.line,
        sku=line.sku,
        units=line.quantity,
        price_cents=line.price_cents,
        per_units=line.per_units,
        category=sold.category,
        brand=sold.brand,
        member_price_cents=sold.member_price_cents,
    )


def _with_discounts(line: PricedLine, sold: Selling, found: Priced) -> PricedLine:
    taken = [
        Discount(one.promotion, shown_as(one.coupon), cents)
        for one in found.applied
        for number, cents in one.shares
        if number == line.line
    ]
    return discounted(line, sold, taken) if taken else line
