"""What a shopper wants: the basket, its checks, and what it costs. Pure functions.

Money is in integer minor units. A line costs quantity × price / units of the price, half a cent
rounded up; its tax is taken out of a price that includes tax, or added to one that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sanhe.core.errors import BadInput
from sanhe.core.values import half_up
from sanhe.goods.catalog import BaseUnit, Selling
from sanhe.people.coupons import masked

CHANNELS: Final = ("till", "miniprogram", "app", "web", "livestream", "marketplace")
"""Where an order can come from (渠道)."""
METHODS: Final = ("carry", "pickup", "courier")
"""How goods reach the shopper: taken along (自提即走), picked up (门店自提), delivered (配送)."""
MOST_LINES: Final = 200
MOST_UNITS: Final = 1_000_000
MOST_CUSTOM: Final = 40
MOST_COUPONS: Final = 20
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class BasketLine:
    """One wish: so many of an SKU, in base units, or in `unit` when it is given ("kg").

    `custom` are the shopper's own choices for it (engraving: "L"), kept and printed as given.
    """

    sku: str
    quantity: int
    unit: str | None = None
    custom: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the goods are to reach the shopper.

    `place`: where they are carried away or picked up; none for a courier. A courier needs
    `latitude` and `longitude` in degrees. `by`: no later than; None = as soon as can be.
    """

    method: str
    place: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    by: datetime | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """What a shopper of a channel wants, how, and in which currency it was shown.

    `substitutes`: something like it may come instead of what ran out. `member` is the
    shopper's code with the retailer, None for a guest. `coupons` are the codes
    that are shown; `points` and `stored_cents` of stored value are paid with, before money is.
    """

    channel: str
    currency: str
    lines: tuple[BasketLine, ...]
    delivery: Delivery
    member: str | None = None
    coupons: tuple[str, ...] = ()
    points: int = 0
    stored_cents: int = 0
    substitutes: bool = False


@dataclass(frozen=True, slots=True)
class Discount:
    """What a promotion takes off a line; `coupon` is the one it was given for, "" for none."""

    promotion: str
    coupon: str
    cents: int


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its price: `amount_cents` is what is paid for it, `tax_cents` the tax in it
    (None: the rate is not known). `components` are what stock must give for one unit.

    The `discounts` are taken off the price as it is told: before tax, where that comes on top.
    """

    line: int
    sku: str
    name: str
    quantity: int
    price_cents: int
    per_units: int
    amount_cents: int
    tax_cents: int | None
    custom: Mapping[str, str]
    components: tuple[tuple[str, int], ...]
    discounts: tuple[Discount, ...] = ()

    @property
    def needs(self) -> tuple[tuple[str, int], ...]:
        """SKU and base units that stock must give for the line."""
        return tuple((sku, self.quantity * units) for sku, units in self.components)


def check_basket(basket: Basket, *, currency: str) -> None:
    """Raise BadInput naming the first thing in the basket that can't be ordered."""
    if basket.channel not in CHANNELS:
        raise BadInput(
            f"no channel {basket.channel!r}", place="channel", remedy=f"one of {CHANNELS}"
        )
    if basket.currency != currency:
        raise BadInput(
            f"prices here are in {currency}, not {basket.currency}",
            place="currency",
            remedy=f"show and send amounts in {currency}",
        )
    if not basket.lines:
        raise BadInput("the basket is empty", place="lines", remedy="give at least one line")
    if len(basket.lines) > MOST_LINES:
        raise BadInput(
            f"{len(basket.lines)} lines are more than {MOST_LINES}",
            place="lines",
            remedy="part the basket into several orders",
        )
    for number, line in enumerate(basket.lines):
        _check_line(line, f"lines/{number}")
    _check_delivery(basket.delivery)
    _check_paid_with(basket)


def _check_paid_with(basket: Basket) -> None:
    if len(basket.coupons) > MOST_COUPONS:
        raise BadInput(f"more than {MOST_COUPONS} coupons", place="coupons")
    if len(set(basket.coupons)) < len(basket.coupons):
        raise BadInput("a coupon is shown twice", place="coupons", remedy="show each once")
    for name, amount in (("points", basket.points), ("stored_cents", basket.stored_cents)):
        if amount < 0:
            raise BadInput(f"{amount} can't be paid with", place=name, remedy="0 or more")
        if amount and basket.member is None:
            raise BadInput("a guest has none", place=name, remedy="name the member")


def _check_line(line: BasketLine, place: str) -> None:
    if not 1 <= line.quantity <= MOST_UNITS:
        raise BadInput(
            f"quantity {line.quantity} is not within 1 and {MOST_UNITS}",
            place=f"{place}/quantity",
            remedy="give whole units; what comes back is a return",
        )
    if len(line.custom) > MOST_CUSTOM:
        raise BadInput(f"more than {MOST_CUSTOM} choices", place=f"{place}/custom")


def _check_delivery(wanted: Delivery) -> None:
    if wanted.method not in METHODS:
        raise BadInput(
            f"no method {wanted.method!r}", place="delivery/method", remedy=f"one of {METHODS}"
        )
    here = wanted.method != "courier"
    if here and not wanted.place:
        raise BadInput(
            "no place is named", place="delivery/place", remedy="name the store to pick up at"
        )
    if not here and (wanted.latitude is None or wanted.longitude is None):
        raise BadInput(
            "a courier needs to know where to",
            place="delivery/latitude",
            remedy="give latitude and longitude in degrees",
        )


def priced_lines(
    lines: Sequence[BasketLine], selling: Mapping[str, Selling]
) -> tuple[PricedLine, ...]:
    """The lines with their prices; raises BadInput naming the line for an SKU without a price,
    a unit that doesn't fit its base unit, or a fraction of a base unit."""
    return tuple(_priced(number, line, selling.get(line.sku)) for number, line in enumerate(lines))


def discounted(line: PricedLine, sold: Selling, discounts: Sequence[Discount]) -> PricedLine:
    """The line with discounts, and the tax on what is left of it."""
    off = sum(one.cents for one in discounts)
    net = half_up(line.quantity * line.price_cents, line.per_units) - off
    tax = tax_cents(net, sold.tax_rate_ppm, included=sold.tax_included)
    amount = net if sold.tax_included or tax is None else net + tax
    return replace(line, amount_cents=amount, tax_cents=tax, discounts=tuple(discounts))


def _priced(number: int, line: BasketLine, sold: Selling | None) -> PricedLine:
    place = f"lines/{number}"
    if sold is None:
        raise BadInput(f"no SKU {line.sku!r}", place=f"{place}/sku", remedy="look the code up")
    if sold.price_cents is None:
        raise BadInput(
            f"{line.sku} has no price here", place=f"{place}/sku", remedy="set a price first"
        )
    quantity = line.quantity
    if line.unit is not None:
        try:
            quantity = BaseUnit.parse(sold.base_unit).quantity(line.quantity, line.unit)
        except BadInput as error:
            raise BadInput(error.what, place=f"{place}/unit", remedy=error.remedy) from error
    plain = PricedLine(
        line=number,
        sku=line.sku,
        name=sold.name,
        quantity=quantity,
        price_cents=sold.price_cents,
        per_units=sold.per_units,
        amount_cents=0,
        tax_cents=None,
        custom=line.custom,
        components=sold.components or ((line.sku, 1),),
    )
    return discounted(plain, sold, ())


def shown_as(code: str) -> str:
    """A coupon as an order names it: its code is nobody's business afterwards."""
    return masked(code) if code else ""


def tax_cents(amount_cents: int, rate_ppm: int | None, *, included: bool) -> int | None:
    """The tax in (`included`) or on top of an amount; the rate in parts per million.

    Of an amount A with rate r included it is A r / (1 + r), else A r. None: no rate is known.

    >>> tax_cents(11300, 130_000, included=True)
    1300
    """
    if rate_ppm is None:
        return None
    base = _MILLION + rate_ppm if included else _MILLION
    return half_up(amount_cents * rate_ppm, base)
