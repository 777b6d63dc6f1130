"""What a simulated retailer's systems announce: master data, calendar, promotions, weather."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from sanhe.core.places import official_days
from sanhe.sim.columns import (
    empty_facts,
    fact_rows,
    moment_of,
    payload_text,
    together,
)
from sanhe.sim.master import CITIES, categories
from sanhe.sim.store_facts import position

if TYPE_CHECKING:
    from sanhe.sim.demand import Promotion
    from sanhe.sim.world import World

FORECAST_DAYS = 7
"""How many days ahead the weather is forecast."""


def place_facts(world: World) -> pa.Table:
    """Every place, described on the first day."""
    first = world.settings.first_day
    positions = [position(world, place) for place in world.places]
    payload = [
        payload_text(
            {
                "name": place.name,
                "kind": place.kind,
                "parent": place.parent,
                "time_zone": "Asia/Shanghai",
                "cut_off": "00:00",
                "city": CITIES[place.city][3],
                "region": place.region,
                "latitude": latitude,
                "longitude": longitude,
            }
        )
        for place, (latitude, longitude) in zip(world.places, positions, strict=True)
    ]
    ids = [place.id for place in world.places]
    return fact_rows(
        "place.described",
        ids=[f"place/{name}" for name in ids],
        days=[first] * len(ids),
        hour=0,
        place=ids,
        payload=payload,
    )


def holiday_facts(world: World) -> pa.Table:
    """Public holidays and worked weekend days, declared for the whole span and 60 days on."""
    last = world.day(world.settings.days - 1) + timedelta(days=60)
    rows = official_days(world.settings.first_day, last)
    known_from = moment_of(world.settings.first_day, 0)
    return fact_rows(
        "holiday.declared",
        ids=[f"holiday/{day}" for day, _, _ in rows],
        days=[day for day, _, _ in rows],
        hour=0,
        payload=[payload_text({"name": name, "kind": kind}) for _, name, kind in rows],
        moments=[known_from] * len(rows),
    )


def item_facts(world: World, first: int, last: int) -> pa.Table:
    """Items that come on sale from day index `first` to `last`, with their first price."""
    listed = _listing_of_items(world)
    chosen = [n for n, day in enumerate(listed) if first <= day <= last]
    items = [world.items[n] for n in chosen]
    return fact_rows(
        "item.described",
        ids=[f"item/{item.id}" for item in items],
        days=[world.day(listed[n]) for n in chosen],
        hour=0,
        sku=[item.id for item in items],
        payload=[
            payload_text(
                {
                    "name": item.name,
                    "category": categories()[item.category].path,
                    "gtin": item.gtin,
                    "base_unit": "each",
                    "pack": 1,
                    "case": item.case_size,
                    "shelf_life_days": item.shelf_life_days or None,
                    "variant_of": item.variant_of,
                }
            )
            for item in items
        ],
    )


def price_facts(world: World, first: int, last: int) -> pa.Table:
    """Prices that begin to hold from day index `first` to `last`."""
    listed = _listing_of_items(world)
    rows: list[tuple[int, int]] = []
    for sku in range(len(world.items)):
        changes = 1 + np.flatnonzero(np.diff(world.prices[:, sku]))
        starts = [listed[sku], *(int(day) for day in changes if day > listed[sku])]
        rows += [(sku, day) for day in starts if first <= day <= last]
    items = [world.items[sku] for sku, _ in rows]
    return fact_rows(
        "price.set",
        ids=[f"price/{world.items[sku].id}/{world.day(day)}" for sku, day in rows],
        days=[world.day(day) for _, day in rows],
        hour=0,
        sku=[item.id for item in items],
        amount_cents=[int(world.prices[day, sku]) for sku, day in rows],
        payload=[payload_text({"tax_included": True, "tax_rate": item.tax_rate}) for item in items],
    )


def supplier_facts(world: World) -> pa.Table:
    """Every supplier with its order weekdays."""
    first, suppliers = world.settings.first_day, world.suppliers
    return fact_rows(
        "supplier.described",
        ids=[f"supplier/{supplier.id}" for supplier in suppliers],
        days=[first] * len(suppliers),
        hour=0,
        party=[supplier.id for supplier in suppliers],
        payload=[
            payload_text(
                {
                    "name": supplier.name,
                    "order_weekdays": ",".join(str(day) for day in supplier.order_weekdays),
                }
            )
            for supplier in suppliers
        ],
    )


def supply_facts(world: World, first: int, last: int) -> pa.Table:
    """Supply terms of items that come on sale from day index `first` to `last`.

    One row for all places; a warehouse that is served sooner has a row of its own.
    """
    listed = _listing_of_items(world)
    ids, skus, places, parties, amounts, days, payload = [], [], [], [], [], [], []
    warehouses: list[str | None] = [p.id for p in world.places if p.kind == "warehouse"]
    for number, item in enumerate(world.items):
        if not first <= listed[number] <= last:
            continue
        supplier = world.suppliers[item.supplier]
        for place in [None, *warehouses]:
            lead = supplier.lead_time_days
            if place is not None:
                if lead == 1:
                    continue
                lead -= 1
            ids.append(f"supply/{item.id}/{place or 'all'}")
            skus.append(item.id)
            places.append(place)
            parties.append(supplier.id)
            amounts.append(item.unit_cost_cents)
            days.append(world.day(listed[number]))
            terms = {"lead_time_days": lead, "moq": item.moq, "case": item.case_size}
            payload.append(payload_text({**terms, "priority": 1}))
    return fact_rows(
        "supply.agreed",
        ids=ids,
        days=days,
        hour=0,
        sku=skus,
        place=places,
        party=parties,
        amount_cents=amounts,
        payload=payload,
    )


def promotion_facts(world: World, first: int, last: int) -> pa.Table:
    """Promotions published from day index `first` to `last`; `event_at` is the announcement.

    One fact per SKU, and per store where a promotion is for one region only.
    """
    ids: list[str] = []
    skus: list[str] = []
    places: list[str | None] = []
    days: list[date] = []
    payload: list[str] = []
    moments: list[datetime] = []
    for promotion in world.promotions:
        published = max(promotion.published, 0)
        if not first <= published <= last:
            continue
        for sku in promotion.skus:
            for place in _places_of(world, promotion):
                name = world.items[sku].id
                ids.append(f"promotion/{promotion.number}/{name}/{place or 'all'}")
                skus.append(name)
                places.append(place)
                days.append(world.day(promotion.first))
                moments.append(moment_of(world.day(published), 9))
                payload.append(_promotion_payload(world, promotion))
    if not ids:
        return empty_facts()
    return fact_rows(
        "promotion.published",
        ids=ids,
        days=days,
        hour=9,
        sku=skus,
        place=places,
        payload=payload,
        moments=moments,
    )


def _promotion_payload(world: World, promotion: Promotion) -> str:
    return payload_text(
        {
            "until": str(world.day(promotion.last)),
            "discount": promotion.discount,
            "name": promotion.name,
            "activity": promotion.activity,
        }
    )


def _places_of(world: World, promotion: Promotion) -> list[str | None]:
    if promotion.region is None:
        return [None]
    return [place.id for place in world.places if place.region == promotion.region]


def weather_facts(world: World, first: int, last: int) -> pa.Table:
    """Weather observed from day index `first` to `last`, and the forecasts issued on `last`.

    A forecast errs by 0.6 °C for each day ahead, and misses the rain ever more often. One fact
    per city and target day; each new issue is a revision of it.
    """
    cities = sorted({place.city for place in world.places})
    observed = [(day, city) for day in range(first, last + 1) for city in cities]
    ahead = range(last + 1, min(last + 1 + FORECAST_DAYS, world.settings.days))
    forecast = [(day, city) for day in ahead for city in cities]
    return together(
        [
            fact_rows(
                "weather.observed",
                ids=[f"weather/{CITIES[city][3]}/{world.day(day)}" for day, city in observed],
                days=[world.day(day) for day, _ in observed],
                hour=23,
                payload=[_weather_payload(world, day, city) for day, city in observed],
            ),
            fact_rows(
                "weather.forecast",
                ids=[f"forecast/{CITIES[city][3]}/{world.day(day)}" for day, city in forecast],
                days=[world.day(day) for day, _ in forecast],
                hour=20,
                payload=[_weather_payload(world, day, city, issued=last) for day, city in forecast],
                moments=[moment_of(world.day(last), 20)] * len(forecast),
                revision=[last] * len(forecast),
            ),
        ]
    )


def _weather_payload(world: World, day: int, city: int, *, issued: int | None = None) -> str:
    temperature = float(world.weather.temperature[day, city])
    rain = float(world.weather.rain_mm[day, city])
    if issued is not None:
        ahead = day - issued
        rng = np.random.default_rng((world.settings.seed, issued, day, city))
        temperature += float(rng.normal(0.0, 0.6 * ahead))
        rain = rain if rng.random() > 0.06 * ahead else 5.0 - min(rain, 5.0)
    return payload_text(
        {
            "city": CITIES[city][3],
            "temperature_c": round(temperature, 1),
            "precipitation_mm": round(rain, 1),
        }
    )


def _listing_of_items(world: World) -> list[int]:
    """The first day on sale of each item; an item that no place sells comes on day 0."""
    listed = np.zeros(len(world.items), dtype=np.int64)
    listed[world.lines.sku] = world.lines.listed_from
    return [int(day) for day in listed]
