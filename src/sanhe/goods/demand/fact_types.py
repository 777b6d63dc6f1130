"""The fact types of demand: sales, promotions, weather, overrides, who bought."""

from __future__ import annotations

from typing import Final

from sanhe.core.facts import FactField, FactType

OWNER: Final = "goods.demand"
DOORS: Final = ("connectors.files", "sim")

_WEATHER: Final = {
    "city": FactField("str", "city it holds for; needed where the fact names no place"),
    "precipitation_mm": FactField("float", "rain and melted snow of the day, mm"),
    "temperature_c": FactField("float", "mean temperature of the day, degrees Celsius"),
    "humidity": FactField("float", "mean relative humidity of the day, percent"),
    "wind": FactField("float", "mean wind of the day, in the unit of the source"),
}

SALE_DAY: Final = FactType(
    "sale.day",
    OWNER,
    "Gross sales of one SKU at one place on one business day (日销). Returns are not netted.",
    needs=("sku", "place", "quantity"),
    payload={
        "in_stock_share": FactField("float", "share of the selling hours in stock, 0..1"),
        "opened_empty": FactField("bool", "the day opened without stock"),
        "discount": FactField("float", "price paid / list price, 1 = no discount"),
    },
    writers=DOORS,
    readers=(OWNER, "goods.stock", "goods.health", "loop.desk"),
)
SALE_LINE: Final = FactType(
    "sale.line",
    OWNER,
    "One line of a till receipt (小票). A return is a line of negative quantity.",
    needs=("sku", "place", "quantity"),
    payload={
        "receipt": FactField("str", "number of the receipt"),
        "line": FactField("int", "line of the receipt"),
        "return_of": FactField("str", "external id of the line that comes back"),
    },
    writers=("connectors.files", "place.devices", "place.orders"),
    readers=(OWNER, "goods.stock", "goods.health", "loop.desk", "loop.promoting"),
)
PROMOTION_PUBLISHED: Final = FactType(
    "promotion.published",
    OWNER,
    "A promotion (促销) from `day` to `until`, for a SKU, a place, a category, or everything."
    " `event_at` is the moment of its announcement.",
    payload={
        "until": FactField("date", "last day, included", required=True),
        "discount": FactField("float", "price paid / list price, 1 = none", required=True),
        "open_ended": FactField("bool", "its end is unknown; until is the last day it was seen"),
        "name": FactField("str", "what the retailer calls it"),
        "category": FactField("str", "category path it covers, where the fact names no SKU"),
        "activity": FactField("bool", "backed by display, leaflet or a campaign"),
    },
    writers=DOORS,
    everywhere=True,
    readers=(OWNER,),
)
WEATHER_OBSERVED: Final = FactType(
    "weather.observed",
    OWNER,
    "The weather of a past day at a place or in a city.",
    payload=_WEATHER,
    writers=DOORS,
    everywhere=True,
    readers=(OWNER,),
)
WEATHER_FORECAST: Final = FactType(
    "weather.forecast",
    OWNER,
    "A weather forecast for `day`, published at `event_at`.",
    payload=_WEATHER,
    writers=("sim",),
    everywhere=True,
    readers=(OWNER,),
)
FORECAST_OVERRIDDEN: Final = FactType(
    "forecast.overridden",
    OWNER,
    "A planner's override of the forecast from `day` to `until`, for a SKU, a category, a region,"
    " a city, a place or what they have in common. `event_at` is the moment it was said.",
    payload={
        "until": FactField("date", "last day, included", required=True),
        "factor": FactField("float", "the forecast times this; 1.3 = 30 % more"),
        "units_per_day": FactField("float", "base units a day of all it covers together"),
        "category": FactField("str", "category path it covers"),
        "region": FactField("str", "region it covers"),
        "city": FactField("str", "city it covers"),
        "reason": FactField("str", "why", required=True),
        "author": FactField("str", "who says so", required=True),
        "expires": FactField(
            "date", "no forecast made for a later morning applies it", required=True
        ),
    },
    writers=(OWNER,),
    readers=(OWNER,),
)
DEMAND_CUSTOMERS: Final = FactType(
    "demand.customers",
    OWNER,
    "Who bought (客群): the customers of a category at a place from `day` to `until`, added up,"
    " mostly by week. No person is named or can be told from it.",
    needs=("place",),
    payload={
        "until": FactField("date", "last day, included", required=True),
        "category": FactField("str", "category path it counts", required=True),
        "buyers": FactField("int", "different customers that bought"),
        "member_share": FactField("float", "share of units bought by members, 0..1"),
        "high_value_share": FactField("float", "share of units bought by high-value members"),
        "new_share": FactField("float", "share of units bought by members new in four weeks"),
        "returning_share": FactField("float", "share of units bought by members long away"),
    },
    writers=("connectors.files",),
    readers=(OWNER,),
)

FACT_TYPES: Final = (
    SALE_DAY,
    SALE_LINE,
    PROMOTION_PUBLISHED,
    WEATHER_OBSERVED,
    WEATHER_FORECAST,
    FORECAST_OVERRIDDEN,
    DEMAND_CUSTOMERS,
)
"""What goods.demand owns."""
