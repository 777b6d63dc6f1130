"""From a basket to a quote, and to the order it would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sanhe.core.errors import SanheError, Shortage
from sanhe.core.storage import Transaction
from sanhe.place.orders import placing, store
from sanhe.place.orders.basket import Basket, check_basket
from sanhe.place.orders.benefits import Benefits
from sanhe.place.orders.choose import Sourcing
from sanhe.place.orders.placing import Draft, Placing, Quote


class Quoting:
    """What baskets cost, where they come from, what they are paid with; nothing is held."""

    def __init__(
        self, tx: Transaction, benefits: Benefits, *, currency: str, hold: timedelta
    ) -> None:
        self._tx, self._benefits, self._currency, self._hold = tx, benefits, currency, hold

    def quote(
        self,
        basket: Basket,
        sourcing: Sourcing,
        *,
        gifts: bool = True,
        at: datetime | None = None,
    ) -> Quote:
        """A quote; where no place has the gifts as well, or they are not wanted, without them.

        `at`: the moment whose prices and promotions count, now unless one is given; stock is
        that of now. Raises as `Orders.quote` does.
        """
        check_basket(basket, currency=self._currency)
        now = self._tx.clock.now()
        at = at or now
        offered = self._benefits.offer(
            basket, at=at, newcomer=lambda member: not store.has_ordered(self._tx, member)
        )
        try:
            given = offered.with_gifts if gifts else offered.without_gifts
            plan = sourcing.choose(basket, given.lines, now=now)
        except Shortage:
            if not (offered.gifts and gifts):
                raise
            given = offered.without_gifts
            plan = sourcing.choose(basket, given.lines, now=now)
        fee_cents = given.fee_cents(plan.delivery_cents)
        total_cents = fee_cents + sum(line.amount_cents for line in given.lines)
        tenders = self._benefits.paid_with(basket, total_cents, at=at)
        rewarded_cents = tenders.without_points(total_cents - fee_cents)
        return Quote(
            lines=given.lines,
            plan=plan,
            currency=self._currency,
            delivery_cents=fee_cents,
            uses=given.used(plan.delivery_cents),
            refused=given.refused,
            unusable=given.unusable,
            tenders=tenders,
            earns_points=self._benefits.earns_points(basket.member, rewarded_cents, at=at),
        )

    def draft(self, asked: Placing, sourcing: Sourcing, *, gifts: bool) -> Draft:
        """The order that a basket would be. Raises as `Orders.place` does."""
        quote = self.quote(asked.basket, sourcing, gifts=gifts)
        return placing.draft(asked, quote, now=self._tx.clock.now(), hold=self._hold)

    def drafts(self, asked: Sequence[Placing], sourcing: Sourcing) -> Iterator[Draft | SanheError]:
        """The orders, or why there is none; who wants the same in the same way has one quote."""
        now = self._tx.clock.now()
        quotes: dict[tuple[str, str], Quote | SanheError] = {}
        for one, alike in zip(
            asked, self._benefits.alike([one.basket for one in asked], at=now), strict=True
        ):
            wish = repr(replace(one.basket, member=None)), alike
            try:
                if wish not in quotes:
                    quotes[wish] = self.quote(one.basket, sourcing)
                quote = quotes[wish]
                if isinstance(quote, SanheError):
                    yield quote
                else:
                    yield placing.draft(one, quote, now=now, hold=self._hold)
            except SanheError as error:
                quotes.setdefault(wish, error)
                yield error
