"""What a channel may promise on product page, list and cart: by when, how, for how much."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from sanhe.core.errors import BadInput, SanheError
from sanhe.core.places import Point
from sanhe.place.orders import Basket, BasketLine, Delivery, Promise
from sanhe.web.asked import Closed, Code, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.storefront.asked import AskedLine
from sanhe.wiring import MOST_PICK_UPS, MOST_PROMISED, Promises, Where, promise_baskets

router = APIRouter(prefix="/shop", tags=["shop"])
Places = Annotated[Caller, depends("sales.place")]


class AskedWish(Closed):
    """A basket of its own: one SKU of a list, or all lines of a cart with the coupons shown."""

    lines: list[AskedLine] = Field(min_length=1, max_length=10_000)
    coupons: list[Word] = Field(default_factory=list, max_length=100)


class AskedPromises(Closed):
    """Baskets, and where the shopper wants them: an address in degrees, a store, or both.

    `pick_ups`: so many stores near the address are told at most, the nearest that have it.
    """

    channel: Code
    currency: Code
    baskets: list[AskedWish] = Field(min_length=1, max_length=MOST_PROMISED)
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    place: Code | None = None
    pick_ups: int = Field(default=1, ge=0, le=MOST_PICK_UPS)
    member: Code | None = None

    def where(self) -> Where:
        """Where to. Raises BadInput for half an address, or none and no store."""
        if (self.latitude is None) != (self.longitude is None):
            missing = "latitude" if self.latitude is None else "longitude"
            raise BadInput("half an address", place=missing, remedy="give both in degrees")
        point = None
        if self.latitude is not None and self.longitude is not None:
            point = Point(self.latitude, self.longitude)
        return Where(point, self.place, self.pick_ups)

    def wishes(self) -> list[Basket]:
        """As orders take them; how they are delivered is what is asked."""
        return [
            Basket(
                self.channel,
                self.currency,
                tuple(BasketLine(**line.model_dump()) for line in wish.lines),
                Delivery("pickup", self.place),
                self.member,
                coupons=tuple(wish.coupons),
            )
            for wish in self.baskets
        ]


class DeliveryTold(BaseModel):
    """The delivery to quote and order it with."""

    method: Literal["pickup", "courier"]
    place: str | None
    latitude: float | None
    longitude: float | None
    by: datetime | None


class PromiseTold(BaseModel):
    """A way to have a basket, there by `due_at` and expected at `arrives_at`.

    `ship` is the cheapest whenever it comes; `places` are those that send it.
    """

    method: Literal["two_hour", "same_day", "within_24_hours", "within_48_hours", "ship", "pick_up"]
    delivery: DeliveryTold
    due_at: datetime
    ready_at: datetime | None
    arrives_at: datetime | None
    delivery_cents: int
    total_cents: int
    places: list[str]

    @classmethod
    def of(cls, promise: Promise) -> PromiseTold:
        """A promise as it is told."""
        wanted, plan = promise.delivery, promise.quote.plan
        return cls.model_validate(
            {
                "method": promise.method.value,
                "delivery": {name: getattr(wanted, name) for name in DeliveryTold.model_fields},
                "due_at": promise.due_at,
                "ready_at": plan.ready_at,
                "arrives_at": plan.arrives_at,
                "delivery_cents": promise.delivery_cents,
                "total_cents": promise.quote.total_cents,
                "places": list(promise.places),
            }
        )


class RefusedTold(BaseModel):
    """Why a basket can't be had: `code` is stable, `place` names the field, if it is one."""

    code: str
    detail: str
    place: str
    remedy: str

    @classmethod
    def of(cls, error: SanheError) -> RefusedTold:
        """A refusal as it is told."""
        if isinstance(error, BadInput):
            return cls(code=error.code, detail=error.what, place=error.place, remedy=error.remedy)
        return cls(code=error.code, detail=str(error), place="", remedy="")


class WishTold(BaseModel):
    """The ways to have a basket, or why there is none."""

    promises: list[PromiseTold]
    refused: RefusedTold | None


class PromisedPlace(BaseModel):
    """A place that a promise names, and of which kind it is: store, dc, …"""

    id: str
    name: str
    kind: str


class WishesTold(BaseModel):
    """What is promised of each basket, in their order, with the places that are named."""

    currency: str
    baskets: list[WishTold]
    places: list[PromisedPlace]

    @classmethod
    def of(cls, found: Promises, currency: str) -> WishesTold:
        """Promises as they are told."""
        return cls(
            currency=currency,
            baskets=[
                WishTold(
                    promises=[PromiseTold.of(promise) for promise in one.promises],
                    refused=None if one.refused is None else RefusedTold.of(one.refused),
                )
                for one in found.baskets
            ],
            places=[
                PromisedPlace(id=place.id, name=place.name, kind=place.kind)
                for _, place in sorted(found.places.items())
            ],
        )


@router.post("/promises")
def promise(asked: AskedPromises, caller: Places) -> WishesTold:
    """In which ways each basket can be had alone, by when and for how much; nothing is held.

    A quote or order with a promise's `delivery` says the same, as long as nothing changes.
    """
    found = promise_baskets(caller.sanhe, asked.wishes(), asked.where(), by=caller.by)
    return WishesTold.of(found, asked.currency)
