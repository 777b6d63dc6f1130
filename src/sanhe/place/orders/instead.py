"""Something else instead of what a place ran out of (换货): which goods can stand in. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from sanhe.core.errors import BadInput, Conflict
from sanhe.goods.catalog import Selling
from sanhe.place.orders.basket import BasketLine, PricedLine, priced_lines, tax_cents
from sanhe.place.orders.choose import Piece
from sanhe.place.orders.reading import Order, OrderPart
from sanhe.place.orders.rules import State

MOST_CHOICES = 10


@dataclass(frozen=True, slots=True)
class Instead:
    """So many base units of another SKU."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Choice:
    """An SKU that can stand in for another: its price is for `per_units` base units, and
    `available` of them lie there for whoever wants them."""

    sku: str
    name: str
    price_cents: int
    per_units: int
    available: int


def check_may(order: Order, piece: Piece) -> None:
    """Raise Conflict for an order that takes nothing else, or a bundle, which is one as a whole."""
    if order.state is not State.PAID:
        raise Conflict(f"order {order.number} is {order.state}: nothing of it can be changed")
    if not order.substitutes:
        raise Conflict(f"order {order.number}: the shopper wants nothing else instead")
    if _is_bundle(order, piece):
        raise Conflict(f"order {order.number}, line {piece.line} is a bundle: nothing is like it")
    order.check_open([piece])


def check_alike(sku: str, instead: str, selling: Mapping[str, Selling]) -> None:
    """Raise BadInput for an SKU that can't stand in for another: see `is_alike`."""
    wanted, other = selling.get(sku), selling.get(instead)
    if instead == sku or other is None or wanted is None or not is_alike(wanted, other):
        raise BadInput(
            f"{instead!r} can't stand in for {sku}",
            place="instead",
            remedy="name an SKU of the same category that is sold here and is no bundle",
        )


def is_alike(wanted: Selling, other: Selling) -> bool:
    """Whether one SKU can stand in for another: of one category, priced, and no bundle."""
    return (
        bool(wanted.category)
        and wanted.category == other.category
        and other.price_cents is not None
        and not other.components
    )


def choices(sku: str, selling: Mapping[str, Selling], available: Mapping[str, int]) -> list[Choice]:
    """What can stand in for an SKU and lies there, the nearest in price first."""
    wanted = selling.get(sku)
    if wanted is None:
        return []
    price = (wanted.price_cents or 0) / wanted.per_units
    found = [
        (abs(other.price_cents / other.per_units - price), code, other)
        for code, other in selling.items()
        if code != sku
        and is_alike(wanted, other)
        and other.price_cents is not None
        and available.get(code, 0) > 0
    ]
    found.sort(key=lambda one: one[:2])
    return [
        Choice(code, other.name, other.price_cents or 0, other.per_units, available[code])
        for _, code, other in found[:MOST_CHOICES]
    ]


def standing_in(
    order: Order, instead: Instead, selling: Mapping[str, Selling], *, worth_cents: int
) -> PricedLine:
    """The line that stands in for something worth so much, which it never exceeds.

    Raises BadInput for a quantity that can't be sold.
    """
    if instead.quantity < 1:
        raise BadInput(
            f"{instead.quantity} is no quantity", place="instead", remedy="give at least 1"
        )
    (line,) = priced_lines([BasketLine(instead.sku, instead.quantity)], selling)
    amount = min(line.amount_cents, worth_cents)
    rate = selling[instead.sku].tax_rate_ppm
    return replace(
        line,
        line=1 + max(one.line for one in order.lines),
        amount_cents=amount,
        tax_cents=tax_cents(amount, rate, included=True),
    )


def lines_short(order: Order, pieces: Collection[Piece], sku: str) -> list[Piece]:
    """The pieces among these that are of an SKU by itself."""
    return [
        piece
        for piece in pieces
        if order.line(piece.line).sku == sku and not _is_bundle(order, piece)
    ]


def _is_bundle(order: Order, piece: Piece) -> bool:
    parts: list[OrderPart] = order.parts_at(piece.line, piece.place)
    return [part.sku for part in parts] != [order.line(piece.line).sku]
