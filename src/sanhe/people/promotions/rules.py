"""What a promotion (促销) is: who may have it, on which goods, and what it gives. Plain data.

Everything is an integer, a text or a moment, so that another language reads the same rules and
comes to the same cent: money in minor units, shares in basis points (10,000 = all of it), goods in
base units. A *piece* is one base unit of goods priced by one; goods sold by weight have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Discriminator

from sanhe.core.values import half_up

ALL: Final = 10_000
"""All of it, in basis points."""


@dataclass(frozen=True, slots=True)
class Goods:
    """Which goods: of one of these SKUs, categories or brands, and of none left out.

    Nothing named = all goods. A category stands for those below it: "Food" for "Food/Dairy".
    """

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    without_skus: frozenset[str] = frozenset()
    without_categories: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        """Whether no goods are named."""
        return not (self.skus or self.categories or self.brands)


@dataclass(frozen=True, slots=True)
class Percent:
    """A share off (打折): `rate` in basis points, of the `initial` or the `discounted` amount."""

    rate: int
    of: Literal["initial", "discounted"] = "discounted"
    kind: Literal["percent"] = "percent"


@dataclass(frozen=True, slots=True)
class Step:
    """From so much on, so much off."""

    from_cents: int
    off_cents: int


@dataclass(frozen=True, slots=True)
class Off:
    """Money off from a sum on (满减): the highest step reached counts, up to `times` the goods'
    sum holds it (每满)."""

    steps: tuple[Step, ...]
    times: int = 1
    kind: Literal["off"] = "off"


@dataclass(frozen=True, slots=True)
class FixedPrice:
    """A price for a piece (特价), for at most `pieces` of a basket; 0 = a free trial (0元试用)."""

    price_cents: int
    pieces: int | None = None
    kind: Literal["fixed_price"] = "fixed_price"


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """The price that goods have for members (会员价)."""

    kind: Literal["member_price"] = "member_price"


@dataclass(frozen=True, slots=True)
class BuyGet:
    """Of each `buy` + `get` pieces, the dearest first, the last `get` cost `rate` less, up to
    `times`: two and one free is (2, 1, 10,000), the second at half price (第二件半价)
    (1, 1, 5,000)."""

    buy: int
    get: int
    rate: int = ALL
    times: int | None = None
    kind: Literal["buy_get"] = "buy_get"


@dataclass(frozen=True, slots=True)
class Part:
    """Pieces of a bundle."""

    goods: Goods
    pieces: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """Pieces bought together at one price (套装), up to `times`. A piece counts for the first
    part that it fits, the dearest first."""

    parts: tuple[Part, ...]
    price_cents: int
    times: int = 1
    kind: Literal["bundle"] = "bundle"


@dataclass(frozen=True, slots=True)
class Gift:
    """Units of an SKU as a gift (赠品)."""

    sku: str
    units: int
    kind: Literal["gift"] = "gift"


@dataclass(frozen=True, slots=True)
class FreePostage:
    """The delivery fee is given (包邮), up to `most_cents`."""

    most_cents: int | None = None
    kind: Literal["free_postage"] = "free_postage"


Offer: TypeAlias = Annotated[
    Percent | Off | FixedPrice | MemberPrice | BuyGet | Bundle | Gift | FreePostage,
    Discriminator("kind"),
]
PIECEWISE: Final = (FixedPrice, BuyGet, Bundle)
"""What counts pieces, and so can't be given on goods sold by weight."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion: an offer on goods, to whom, where and when, and what limits it.

    `stage`: where in the hierarchy of stacking it stands, see `Stacking`. Within a stage the
    higher `priority` comes first. Of an exclusive `group` only the one that saves most counts.
    Where it counts, none of `excludes` does. `coupon`: only for who shows a coupon of it.

    Empty `channels`, `places`, `tiers`: all of them; a tier named makes it one for members, and
    `newcomers` for members who have not ordered yet. `weekdays` (Monday = 1) and `month_days`:
    local days; empty = each (会员日 is such a day). `minimum_cents` and `minimum_pieces` are of the
    goods that it bears on, as they stand when its turn comes.

    `cap_cents`: at most so much off a basket. `per_member`: so often for a member in all.
    `budget_cents`: so much in all.
    """

    id: str
    name: str
    offer: Offer
    stage: str
    begins_at: datetime
    ends_at: datetime
    goods: Goods = Goods()
    minimum_cents: int = 0
    minimum_pieces: int = 0
    channels: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    newcomers: bool = False
    weekdays: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    coupon: bool = False
    priority: int = 0
    group: str = ""
    excludes: frozenset[str] = frozenset()
    cap_cents: int | None = None
    per_member: int | None = None
    budget_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Stacking:
    """Which promotions may bear on the same line (叠加): the hierarchy, and the matrix.

    `stages` are worked out in this order. Two promotions bear on one line only if the pair of
    their stages is in `together`, in either order; a stage with itself too only if it is there.
    Gifts and free postage bear on no line.
    """

    stages: tuple[str, ...]
    together: frozenset[tuple[str, str]]

    def allows(self, one: str, other: str) -> bool:
        """Whether promotions of two stages may bear on the same line."""
        return (one, other) in self.together or (other, one) in self.together


USUAL: Final = Stacking(
    stages=("price", "item", "bundle", "basket", "coupon", "postage"),
    together=frozenset(
        {
            ("price", "basket"),
            ("price", "coupon"),
            ("item", "basket"),
            ("item", "coupon"),
            ("bundle", "coupon"),
            ("basket", "coupon"),
        }
    ),
)
"""A price or an item's discount, with one of the whole basket, with one coupon."""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a basket: `units` at `price_cents` for each `per_units`.

    `category` is a path ("Food/Dairy"). `member_price_cents`: its price for members, if any.
    """

    line: int
    sku: str
    units: int
    price_cents: int
    per_units: int = 1
    category: str = ""
    brand: str = ""
    member_price_cents: int | None = None

    def cents(self, price_cents: int) -> int:
        """What the line costs at a price, half a cent rounded up."""
        return half_up(self.units * price_cents, self.per_units)

    @property
    def pieces(self) -> int:
        """How many pieces it has: none where it is sold by weight."""
        return self.units if self.per_units == 1 else 0


@dataclass(frozen=True, slots=True)
class Shopper:
    """What promotions may look at of who buys: the tier ("" = no member), whether they have not
    ordered yet, and how often they had each promotion."""

    tier: str = ""
    newcomer: bool = False
    had: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon shown (优惠券): `code` names it, `promotion` what it gives, within its own time."""

    code: str
    promotion: str
    begins_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A basket to be priced: where, by whom and when. `at` is the place's local moment.

    `left_cents`: what is left of the budget of each promotion that has one and was used.
    """

    items: tuple[Item, ...]
    channel: str
    place: str
    at: datetime
    shopper: Shopper = Shopper()
    coupons: tuple[Coupon, ...] = ()
    left_cents: Mapping[str, int] = field(default_factory=dict)
