"""Master data of a simulated retailer: places, suppliers and items, made by rules from a seed.

No brand, company or person is named: names are put together from the words of
`assortment.toml`, and GTINs carry GS1 prefix 2 (restricted circulation) with right check digits.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from sanhe.sim.settings import VELOCITIES, WorldSettings

CITIES = (
    ("华东", "East", "上海", "Shanghai", 17.0, 12.0, 31.2304, 121.4737),
    ("华东", "East", "杭州", "Hangzhou", 17.5, 12.5, 30.2741, 120.1551),
    ("华南", "South", "广州", "Guangzhou", 22.5, 7.5, 23.1291, 113.2644),
    ("华北", "North", "北京", "Beijing", 13.0, 15.5, 39.9042, 116.4074),
    ("西南", "Southwest", "成都", "Chengdu", 16.5, 10.0, 30.5728, 104.0668),
    ("华东", "East", "南京", "Nanjing", 16.0, 13.0, 32.0603, 118.7969),
)
"""Region (zh, en), city (zh, en), mean temperature and half its yearly swing in °C,
latitude and longitude of its middle (WGS 84)."""


@dataclass(frozen=True, slots=True)
class Category:
    """One category of the assortment and how its demand behaves (see assortment.toml)."""

    path: str
    nouns: tuple[tuple[str, str], ...]
    variants: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[str, str], ...]
    price_cents: tuple[int, int]
    margin_rate: float
    tax_rate: float
    shelf_life_days: tuple[int, int]
    summer: float
    heat: float
    rain: float
    holiday: float
    weekend: float
    elasticity: float

    @property
    def perishable(self) -> bool:
        """Whether its goods spoil within three weeks."""
        return 0 < self.shelf_life_days[0] <= 21


@dataclass(frozen=True, slots=True)
class Place:
    """A node: a store, or a warehouse that serves online orders. `size` scales its trade."""

    id: str
    name: str
    kind: str
    parent: str | None
    region: str
    city: int
    size: float


@dataclass(frozen=True, slots=True)
class Supplier:
    """A supplier: ISO weekdays it takes orders on, agreed lead time, and its true faults.

    `late_share` of its deliveries come late, `short_share` of its lines come short.
    """

    id: str
    name: str
    order_weekdays: tuple[int, ...]
    lead_time_days: int
    late_share: float
    short_share: float


@dataclass(frozen=True, slots=True)
class Item:
    """A SKU. Money in cents per base unit; `shelf_life_days` 0 = does not spoil."""

    id: str
    name: str
    category: int
    gtin: str
    case_size: int
    moq: int
    shelf_life_days: int
    price_cents: int
    unit_cost_cents: int
    tax_rate: float
    supplier: int
    velocity: int
    daily_units: float
    variant_of: str | None


@cache
def categories() -> tuple[Category, ...]:
    """The categories of the assortment table."""
    text = files("sanhe.sim").joinpath("assortment.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["category"]
    return tuple(Category(**{name: _frozen(value) for name, value in row.items()}) for row in rows)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(part) for part in value) if isinstance(value, list) else value


def check_digit(digits: str) -> int:
    """The GS1 check digit of a number without one (GS1 General Specifications 7.9).

    From the right, digits count three and one in turn; the check digit fills up to ten.
    """
    total = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))
    )
    return -total % 10


def gtin_13(number: int) -> str:
    """The GTIN-13 of an item number, in GS1 prefix 20 (restricted circulation)."""
    digits = f"20{number:010d}"
    return digits + str(check_digit(digits))


def make_places(settings: WorldSettings, rng: np.random.Generator) -> list[Place]:
    """Warehouses first, then stores; each store belongs to a warehouse, or to none."""
    places = []
    for number in range(1, settings.warehouses + 1):
        city = (number - 1) % len(CITIES)
        _, region, city_zh, city_en, *_ = CITIES[city]
        name = f"{city_zh}{number}号仓 {city_en} warehouse {number}"
        size = float(rng.uniform(1.8, 2.6))
        places.append(Place(f"DC-{number:02d}", name, "warehouse", None, region, city, size))
    for number in range(1, settings.stores + 1):
        city = (number - 1) % len(CITIES)
        _, region, city_zh, city_en, *_ = CITIES[city]
        parent = None
        if settings.warehouses:
            parent = f"DC-{1 + (number - 1) % settings.warehouses:02d}"
        name = f"{city_zh}{number}号店 {city_en} store {number}"
        size = float(np.exp(rng.normal(0.0, 0.35)))
        places.append(Place(f"ST-{number:03d}", name, "store", parent, region, city, size))
    return places


def make_suppliers(settings: WorldSettings, rng: np.random.Generator) -> list[Supplier]:
    """Suppliers; those of perishable goods deliver sooner and take orders more often."""
    fresh = {
        _supplier_of(number, settings.suppliers)
        for number, category in enumerate(categories())
        if category.perishable
    }
    low, high = settings.lead_time_days
    suppliers = []
    for number in range(settings.suppliers):
        lead_time = int(rng.integers(low, high + 1))
        start = int(rng.integers(1, 6))
        days: tuple[int, ...] = (start,) if rng.random() < 0.5 else (start, (start + 2) % 7 + 1)
        if number in fresh:
            lead_time, days = settings.fresh_lead_time_days or low, (1, 2, 3, 4, 5, 6)
        late, short = rng.uniform(0.3, 1.7, size=2)
        suppliers.append(
            Supplier(
                id=f"SUP-{number + 1:02d}",
                name=f"供应商{number + 1:02d} Supplier {number + 1:02d}",
                order_weekdays=settings.order_weekdays or tuple(sorted(set(days))),
                lead_time_days=lead_time,
                late_share=float(settings.late_share * late),
                short_share=float(settings.short_share * short),
            )
        )
    return suppliers


def _supplier_of(category: int, suppliers: int) -> int:
    """Neighbouring categories share a supplier when there are fewer suppliers than them."""
    count = len(categories())
    return category * suppliers // count if suppliers < count else category


def make_items(settings: WorldSettings, rng: np.random.Generator) -> list[Item]:
    """Items, spread evenly over the categories; perishable goods are rarely slow."""
    table = categories()
    velocity = _velocities(settings, rng)
    rotation = rng.integers(0, 60, size=len(table))
    items: list[Item] = []
    for number in range(settings.skus):
        index = number % len(table)
        order = number // len(table) + int(rotation[index])
        item = _make_item(number, settings, rng, velocity=int(velocity[number]))
        # The first size of a noun and variant leads; the other sizes are its variants.
        first = order // 12 * 12 + order % 4
        leader = number - (order - first) * len(table)
        items.append(
            replace(
                item,
                name=_name(table[index], order),
                variant_of=items[leader].id if 0 <= leader < number else None,
            )
        )
    return items


def _velocities(settings: WorldSettings, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """A velocity class per SKU in the settings' shares, perishables drawn towards the fast."""
    table = categories()
    chance = rng.random(settings.skus)
    fresh = np.array([table[n % len(table)].perishable for n in range(settings.skus)])
    rank = np.argsort(np.argsort(chance - 0.35 * fresh))
    edges = np.cumsum([kind.share for kind in settings.classes])[:-1] * settings.skus
    return np.searchsorted(edges, rank, side="right").clip(0, len(VELOCITIES) - 1)


def _make_item(
    number: int,
    settings: WorldSettings,
    rng: np.random.Generator,
    *,
    velocity: int,
) -> Item:
    category = number % len(categories())
    kind, table = settings.classes[velocity], categories()[category]
    low, high = table.price_cents
    raw = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    price = round(raw / 100) * 100 - 10 if raw > 1000 else round(raw / 10) * 10
    margin = table.margin_rate * float(rng.uniform(0.8, 1.2))
    life_low, life_high = table.shelf_life_days
    life = int(rng.integers(life_low, life_high + 1))
    case = 1 if settings.case_of_one else int(rng.choice(kind.cases))
    if table.perishable:
        case = min(case, *kind.cases)
    units_low, units_high = kind.daily_units
    supplier = _supplier_of(category, settings.suppliers)
    if settings.suppliers > len(categories()):
        choices = range(category, settings.suppliers, len(categories()))
        supplier = int(rng.choice(np.array(choices)))
    return Item(
        id=f"SKU-{number + 1:04d}",
        name="",
        category=category,
        gtin=gtin_13(number + 1),
        case_size=case,
        moq=case * (1 if settings.case_of_one else int(rng.choice((1, 1, 1, 2)))),
        shelf_life_days=life,
        price_cents=price,
        unit_cost_cents=max(1, round(price / (1 + table.tax_rate) * (1 - margin))),
        tax_rate=table.tax_rate,
        supplier=supplier,
        velocity=velocity,
        daily_units=float(np.exp(rng.uniform(np.log(units_low), np.log(units_high)))),
        variant_of=None,
    )


def _name(category: Category, order: int) -> str:
    """Variant + noun + size, in Chinese and English; a number when all are used up."""
    noun = category.nouns[order % 4]
    size = category.sizes[order // 4 % 3]
    variant = category.variants[order // 12 % 5]
    series = order // 60
    more = f" {series + 1}" if series else ""
    return f"{variant[0]}{noun[0]}{size[0]}{more} {variant[1]} {noun[1]} {size[1]}{more}"
