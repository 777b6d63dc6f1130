"""The façade: what a promotion would have done and has done, and the proposal to publish it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sanhe.core.decisions import DecisionKind, Effect, Proposal, Subject
from sanhe.core.errors import BadInput, NotFound
from sanhe.loop.promoting import store
from sanhe.loop.promoting.evidence import Evidence, PastBasket, evidence
from sanhe.people.promotions import (
    PUBLISHING,
    Asked,
    Book,
    Coupon,
    Item,
    Promotion,
    Shopper,
    Stacking,
)

if TYPE_CHECKING:
    from sanhe.core.lake import Lake

DAYS: Final = 90
MOST_BASKETS: Final = 20_000
"""So many baskets are looked at: the rest is left to chance, the interval says how much."""
_ALWAYS: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
WEIGHED: Final[Mapping[str, int]] = {"g": 500, "ml": 500}
"""Base units in which goods sold by measure are priced; they have no pieces."""

PUBLISH = DecisionKind(
    name=PUBLISHING,
    owner="loop.promoting",
    version=1,
    unit="cents of margin",
    terms=("discount", "displaced", "tax"),
    meaning="Whether a promotion is published (发布促销): its margin if nobody buys more",
)


@dataclass(frozen=True, slots=True)
class Given:
    """What a promotion took off so far: on so many receipts, from the first day to the last."""

    receipts: int
    discount_cents: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class Offered:
    """What is known of an SKU: its category, base unit, tax, and what one unit costs."""

    category: str = ""
    base_unit: str = "each"
    tax_rate_ppm: int = 0
    unit_cost_cents: int | None = None


class Promoting:
    """Past baskets of the lake under promotions that are not published yet."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def evidence(
        self,
        promotion: Promotion,
        holding: Sequence[Promotion],
        *,
        stacking: Stacking,
        goods: Mapping[str, Offered],
        as_of: date,
        time_zone: str,
        days: int = DAYS,
    ) -> Evidence:
        """What the promotion would have done in the days before `as_of`, each line at its price of
        then before promotions, with those that hold now beside it.

        Promotions count here as if they held on every day and everywhere their places are, with a
        coupon in every basket. A receipt does not name who bought: one for members is weighed as
        if all were. Raises NotFound without receipts in these days.
        """
        first, last = as_of - timedelta(days=days), as_of - timedelta(days=1)
        found = store.count_receipts(self._lake, first, last)
        if not found:
            raise NotFound(
                f"no receipts from {first} to {last}: import till receipts with their numbers "
                "(sale.line), as daily sums tell no baskets"
            )
        lines = store.receipt_lines(
            self._lake, first, last, share=min(1.0, MOST_BASKETS / found)
        ).to_pylist()
        always = [_always(one) for one in (*holding, promotion)]
        shopper = Shopper(tier=next(iter(sorted(promotion.tiers)), "member"), newcomer=True)
        coupons = tuple(
            Coupon(one.id, one.id, one.begins_at, one.ends_at) for one in always if one.coupon
        )
        asked = Asked((), "till", "", _noon(as_of, time_zone), shopper, coupons)
        return evidence(
            _baskets(lines, goods, asked),
            without=Book(always[:-1], stacking),
            including=Book(always, stacking),
            promotion=promotion.id,
        )

    def given(self, promotion: str) -> Given:
        """What a promotion took off goods that have left, as the facts tell it."""
        (row,) = store.given(self._lake, promotion).to_pylist()
        return Given(**row)


def proposal(promotion: Promotion, found: Evidence, *, version: int, days: int = DAYS) -> Proposal:
    """The decision to publish this version of a promotion, with its evidence.

    The value is the change of margin if nobody buys more: what is taken off, less what other
    promotions no longer take off, less the tax in both. Raises BadInput where no basket was
    reached: such a promotion has no evidence.
    """
    if not found.reached:
        why = ", ".join(f"{count} {name}" for name, count in found.refused.items()) or "no goods"
        raise BadInput(
            f"none of {found.baskets} past baskets would have had it ({why})",
            place=f"promotions/{promotion.id}",
            remedy="mend its goods or minimum, or publish it as a test in one place",
        )
    taken, displaced = -found.discount_cents, -found.displaced_cents
    more = found.breakeven_share
    enough = "never pays" if more is None else f"pays from {more:.0%} more on"
    told: dict[str, Any] = asdict(found)
    return Proposal(
        kind=PUBLISH.name,
        subject=Subject(party=promotion.id),
        value=found.change_cents,
        value_cents=abs(found.change_cents),
        terms=(taken, displaced, found.change_cents - taken - displaced),
        reason=(
            f"reaches {found.reached} of {found.baskets} baskets of {days} days, "
            f"takes {found.discount_cents} cents off, {enough}"
        ),
        inputs={"promotion": promotion.id, "version": version, "days": days, **told},
        method="past baskets",
        expected=Effect(
            "margin_change_cents",
            float(found.change_cents),
            float(found.low_cents),
            float(found.high_cents),
        ),
        guard_rails=("cost_known_share",) if found.cost_known_share < 1 else (),
        label=promotion.stage,
    )


def _always(one: Promotion) -> Promotion:
    """The promotion as if it held on all days in all channels, without limits that other baskets
    use up."""
    return replace(
        one,
        begins_at=_ALWAYS[0],
        ends_at=_ALWAYS[1],
        weekdays=frozenset(),
        month_days=frozenset(),
        channels=frozenset(),
        per_member=None,
        budget_cents=None,
    )


def _noon(day: date, time_zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(time_zone))


def _baskets(
    lines: Sequence[Mapping[str, Any]], goods: Mapping[str, Offered], asked: Asked
) -> Iterator[PastBasket]:
    """The baskets of lines that stand receipt by receipt."""

    def receipt(line: Mapping[str, Any]) -> tuple[Any, ...]:
        return line["place"], line["day"], line["source"], line["receipt"]

    for (place, *_), several in groupby(lines, key=receipt):
        bought = list(several)
        known = [goods.get(line["sku"], Offered()) for line in bought]
        items = tuple(
            _item(number, line, offered)
            for number, (line, offered) in enumerate(zip(bought, known, strict=True))
        )
        yield PastBasket(
            replace(asked, items=items, place=place),
            cost_cents=tuple(
                None if one.unit_cost_cents is None else one.unit_cost_cents * line["units"]
                for one, line in zip(known, bought, strict=True)
            ),
            tax_rate_ppm=tuple(one.tax_rate_ppm for one in known),
        )


def _item(number: int, line: Mapping[str, Any], offered: Offered) -> Item:
    """A line at the price paid, to the cent a piece."""
    per = WEIGHED.get(offered.base_unit, 1)
    units, cents = line["units"], line["cents"]
    price = (2 * cents * per + units) // (2 * units)
    return Item(number, line["sku"], units, price, per, category=offered.category)
