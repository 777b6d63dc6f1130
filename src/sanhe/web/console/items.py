"""Items: what one is, what it costs, and where it lies."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from pydantic import BaseModel

from sanhe.web.asked import Word
from sanhe.web.caller import Caller, depends

router = APIRouter(tags=["items"])


class PlaceStock(BaseModel):
    """An item at a place; null where the stock was never counted or no price is set.

    `price_cents` is for `per_units` base units.
    """

    place: str
    place_name: str | None
    on_hand: int | None
    reserved: int | None
    counted_at: datetime | None
    price_cents: int | None
    per_units: int | None


class ItemTold(BaseModel):
    """An item as it is described, with its stock and price at each place the caller sees."""

    sku: str
    name: str
    category: str | None
    gtin: str | None
    base_unit: str
    places: list[PlaceStock]


@router.get("/items/{sku:path}")
def read_item(
    sku: Annotated[Word, Path()], caller: Annotated[Caller, depends("stock.read")]
) -> ItemTold:
    """One item: its description, and what lies where at which price."""
    sanhe = caller.sanhe
    today = sanhe.clock.now().astimezone(ZoneInfo(sanhe.settings.time_zone)).date()
    with caller.work() as work:
        item = work.catalog.item(sku)
        places = work.places.all().to_pylist()
        pairs = [(sku, place["id"]) for place in places]
        stock = {row["place"]: row for row in work.stock.positions(pairs).to_pylist()}
        prices = {row["place"]: row for row in work.catalog.prices(today, skus=[sku]).to_pylist()}
    rows = []
    for place in places:
        lies = stock.get(place["id"], {})
        price = prices.get(place["id"], prices.get(None, {}))
        rows.append(
            PlaceStock(
                place=place["id"],
                place_name=place["name"],
                on_hand=lies.get("on_hand"),
                reserved=lies.get("reserved"),
                counted_at=lies.get("counted_at"),
                price_cents=price.get("price_cents"),
                per_units=price.get("per_units"),
            )
        )
    return ItemTold(
        sku=item.sku,
        name=item.name or item.sku,
        category=item.category,
        gtin=item.gtin,
        base_unit=item.base_unit,
        places=rows,
    )
