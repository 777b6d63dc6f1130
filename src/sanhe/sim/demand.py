"""The true demand of a simulated retailer: its mean by day and line, and the draws around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sanhe.sim.arrays import Bools, Floats, Ints, Lines
from sanhe.sim.calendar import Calendar
from sanhe.sim.master import CITIES, Item, Place, categories

if TYPE_CHECKING:
    from sanhe.sim.settings import WorldSettings

STORE_WEEK = np.array([0.93, 0.92, 0.94, 0.97, 1.02, 1.12, 1.10], dtype=np.float32)
ONLINE_WEEK = np.array([1.08, 1.04, 1.01, 1.00, 0.98, 0.93, 0.96], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather by day and city, shape [days, cities]: °C, °C above the season's normal, mm."""

    temperature: Floats
    anomaly: Floats
    rain_mm: Floats


@dataclass(frozen=True, slots=True)
class Promotion:
    """A price cut announced ahead. Days are day indices, `last` included.

    `region` None = everywhere; `discount` is the price share paid; `activity` = with displays.
    """

    number: int
    name: str
    skus: tuple[int, ...]
    region: str | None
    first: int
    last: int
    published: int
    discount: float
    activity: bool


@dataclass(frozen=True, slots=True)
class Offers:
    """What the promotions do to each line, shape [days, lines].

    `discount`: price share paid (1 = none); `activity`; `published`: the day index on which
    the cell became known, -1 where there is no promotion.
    """

    discount: Floats
    activity: Bools
    published: Ints


def make_weather(settings: WorldSettings, calendar: Calendar, rng: np.random.Generator) -> Weather:
    """A yearly swing with warm and cold spells, and rain that comes in wet spells."""
    days, cities = settings.days, len(CITIES)
    start = calendar.first_day.timetuple().tm_yday
    phase = 2 * np.pi * (start + np.arange(days) - 200) / 365.25
    mean = np.array([city[4] for city in CITIES])
    swing = np.array([city[5] for city in CITIES])
    anomaly = np.zeros((days, cities))
    wet = np.zeros((days, cities), dtype=bool)
    steps, chance = rng.normal(0.0, 1.6, (days, cities)), rng.random((days, cities))
    for day in range(1, days):
        anomaly[day] = 0.8 * anomaly[day - 1] + steps[day]
        wet[day] = chance[day] < np.where(wet[day - 1], 0.55, 0.22)
    rain = np.where(wet, rng.gamma(0.9, 11.0, (days, cities)), 0.0)
    temperature = mean + swing * np.cos(phase)[:, None] + anomaly
    return Weather(
        temperature.astype(np.float32), anomaly.astype(np.float32), rain.astype(np.float32)
    )


def make_promotions(
    settings: WorldSettings, items: list[Item], rng: np.random.Generator
) -> list[Promotion]:
    """Weekly promotions, announced two to three weeks before they start."""
    if not settings.promotions_per_week:
        return []
    table = categories()
    skus_of = [[n for n, item in enumerate(items) if item.category == c] for c in range(len(table))]
    used = [number for number, skus in enumerate(skus_of) if skus]
    coming = settings.history_days + (-settings.history_days - settings.first_day.weekday()) % 7
    first_monday = -settings.first_day.weekday() % 7
    promotions: list[Promotion] = []
    for first in range(first_monday, settings.days, 7):
        count = int(rng.poisson(settings.promotions_per_week))
        for _ in range(max(count, 2) if first == coming else count):
            category = int(rng.choice(used))
            size = min(len(skus_of[category]), int(rng.integers(1, 4)))
            chosen = rng.choice(skus_of[category], size=size, replace=False)
            region = None if rng.random() < 0.65 else str(CITIES[int(rng.integers(0, 3))][1])
            discount = float(rng.choice((0.7, 0.75, 0.8, 0.85, 0.9)))
            branch = table[category].path.split("/")[1]
            promotions.append(
                Promotion(
                    number=len(promotions) + 1,
                    name=f"{branch} {round((1 - discount) * 100)} % off",
                    skus=tuple(sorted(int(sku) for sku in chosen)),
                    region=region,
                    first=first,
                    last=min(first + 6, settings.days - 1),
                    published=first - int(rng.integers(14, 22)),
                    discount=discount,
                    activity=bool(rng.random() < 0.5),
                )
            )
    return promotions


def lay_offers(
    promotions: list[Promotion], lines: Lines, places: list[Place], *, days: int
) -> Offers:
    """The promotions as arrays; where two overlap the deeper cut holds."""
    discount = np.ones((days, len(lines)), dtype=np.float32)
    activity = np.zeros((days, len(lines)), dtype=np.bool_)
    published = np.full((days, len(lines)), -1, dtype=np.int64)
    for promotion in promotions:
        inside = np.isin(lines.sku, promotion.skus)
        if promotion.region is not None:
            near = [n for n, place in enumerate(places) if place.region == promotion.region]
            inside &= np.isin(lines.place, near)
        span = slice(promotion.first, promotion.last + 1)
        chosen = np.flatnonzero(inside)
        deeper = promotion.discount < discount[span][:, chosen]
        rows, columns = np.nonzero(deeper)
        discount[rows + promotion.first, chosen[columns]] = promotion.discount
        activity[rows + promotion.first, chosen[columns]] = promotion.activity
        published[rows + promotion.first, chosen[columns]] = max(promotion.published, 0)
    return Offers(discount, activity, published)


def make_prices(settings: WorldSettings, items: list[Item], rng: np.random.Generator) -> Ints:
    """Shelf prices in cents by day and SKU, [days, skus]; some SKUs change theirs once."""
    base = np.array([item.price_cents for item in items], dtype=np.int64)
    prices = np.tile(base, (settings.days, 1))
    if not settings.shocks:
        return prices
    changing = np.flatnonzero(rng.random(len(items)) < 0.15)
    for sku in changing:
        day = int(rng.integers(14, max(15, settings.history_days)))
        step = float(rng.choice((0.92, 0.95, 1.05, 1.08)))
        prices[:day, sku] = np.maximum(1, np.round(base[sku] / step / 10) * 10)
    return prices


@dataclass(frozen=True, slots=True)
class Ground:
    """All that moves the demand but chance."""

    lines: Lines
    items: list[Item]
    places: list[Place]
    calendar: Calendar
    weather: Weather
    offers: Offers
    prices: Ints


def mean_demand(settings: WorldSettings, ground: Ground, rng: np.random.Generator) -> Floats:
    """The mean demand in base units by day and line, shape [days, lines].

    level of the line x weekday x year x holiday x weather x promotion x price x shock x drift.
    """
    lines = ground.lines
    kin = np.array([item.category for item in ground.items])
    level = np.array([item.daily_units for item in ground.items])[lines.sku]
    level = level * np.array([place.size for place in ground.places])[lines.place]
    level = level * np.exp(rng.normal(0.0, 0.25, len(lines)))
    by_sku = _life_of_skus(settings, ground, rng) * _season_of_skus(settings, ground, kin)
    by_place = _week_of_places(settings, ground, rng)
    mean = by_sku[:, lines.sku] * by_place[:, lines.place] * level
    mean *= _promotion_effect(ground, kin)
    mean *= _weather_effect(settings, ground, kin)
    days = np.arange(settings.days)[:, None]
    age = days - lines.listed_from
    launch = np.where(lines.listed_from > 0, 1 + 0.8 * np.exp(-np.maximum(age, 0) / 14), 1.0)
    mean = np.where(age >= 0, mean * launch, 0.0)
    return mean.astype(np.float32)


def _season_of_skus(settings: WorldSettings, ground: Ground, kin: Ints) -> Floats:
    """The year, the weekend and the holidays, by day and SKU."""
    table, calendar = categories(), ground.calendar
    day_of_year = calendar.first_day.timetuple().tm_yday + np.arange(settings.days)
    year = np.cos(2 * np.pi * (day_of_year - 200) / 365.25)[:, None]
    summer = np.array([category.summer for category in table])[kin]
    effect = np.exp(settings.season * summer * year)
    weekend = np.array([category.weekend for category in table])[kin]
    is_weekend = (calendar.feels >= 5)[:, None]
    effect = effect * np.where(is_weekend, 1 + settings.season * (weekend - 1) * 0.6, 1.0)
    holiday = np.array([category.holiday for category in table])[kin]
    near = np.clip(1 - calendar.eve / 6, 0, 1)[:, None]
    effect = effect * (1 + settings.season * (holiday - 1) * near)
    return np.asarray(effect, dtype=np.float32)


def _week_of_places(settings: WorldSettings, ground: Ground, rng: np.random.Generator) -> Floats:
    """Weekday traffic, wet days and chance by day and place; online trade has its own week."""
    feels, places = ground.calendar.feels, ground.places
    week = np.where(
        np.array([place.kind == "warehouse" for place in places])[None, :],
        ONLINE_WEEK[feels][:, None],
        STORE_WEEK[feels][:, None],
    )
    week = 1 + settings.season * (week - 1)
    chance = np.exp(settings.shocks * rng.normal(0.0, 0.05, week.shape))
    return (week * chance).astype(np.float32)


def _life_of_skus(settings: WorldSettings, ground: Ground, rng: np.random.Generator) -> Floats:
    """Drift, wandering level and slow death of single SKUs, by day and SKU."""
    days, skus = settings.days, len(ground.items)
    years = np.arange(days)[:, None] / 365.25
    drift = np.exp(settings.trend * rng.normal(0.0, 0.25, skus) * years)
    weeks = days // 7 + 2
    steps = settings.shocks * rng.normal(0.0, 0.07, (weeks, skus))
    walk = np.zeros((weeks, skus))
    for week in range(1, weeks):
        walk[week] = 0.95 * walk[week - 1] + steps[week]
    wander = np.exp(walk[np.arange(days) // 7])
    dying = rng.random(skus) < settings.dying_item_share
    from_day = rng.integers(days // 4, max(days // 2, days // 4 + 1), skus)
    age = np.maximum(np.arange(days)[:, None] - from_day, 0)
    fade = np.where(dying, np.exp(-age / 45), 1.0)
    return (drift * wander * fade).astype(np.float32)


def _promotion_effect(ground: Ground, kin: Ints) -> Floats:
    """More while the price is cut, somewhat less in the week after, and the price's own pull."""
    elasticity = np.array([category.elasticity for category in categories()])[kin]
    lines, offers = ground.lines, ground.offers
    uplift = offers.discount ** -elasticity[lines.sku]
    uplift = uplift * np.where(offers.activity, 1.15, 1.0)
    running = offers.discount < 1
    after = np.zeros_like(running)
    for lag in range(1, 8):
        after[lag:] |= running[:-lag]
    uplift = np.where(after & ~running, 0.9, uplift)
    base = np.array([item.price_cents for item in ground.items])
    price = (ground.prices / base) ** (-0.6 * elasticity)
    return np.asarray(uplift * price[:, lines.sku], dtype=np.float32)


def _weather_effect(settings: WorldSettings, ground: Ground, kin: Ints) -> Floats:
    heat = np.array([category.heat for category in categories()])[kin][ground.lines.sku]
    rain = np.array([category.rain for category in categories()])[kin][ground.lines.sku]
    city = np.array([place.city for place in ground.places])[ground.lines.place]
    warm = ground.weather.anomaly[:, city] / 10
    wet = ground.weather.rain_mm[:, city] > 1
    effect = np.exp(settings.weather * heat * warm) * (1 + settings.weather * rain * wet)
    return np.asarray(effect, dtype=np.float32)


def draw_demand(
    settings: WorldSettings, lines: Lines, mean: Floats, *, rng: np.random.Generator
) -> Ints:
    """Demand in base units by day and line: negative binomial around the mean.

    Variance = mean + mean² / k with the k of the velocity class; Poisson when the settings say
    so. It is drawn once, before any policy runs: no policy can move it.
    """
    if settings.poisson:
        return rng.poisson(mean).astype(np.int64)
    dispersion = np.array([kind.dispersion for kind in settings.classes])[lines.velocity]
    level = np.maximum(mean.astype(np.float64), 1e-9)
    drawn = rng.negative_binomial(dispersion, dispersion / (dispersion + level))
    return np.where(mean > 0, drawn, 0).astype(np.int64)
