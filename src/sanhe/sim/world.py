"""The simulated retailer: everything that is so before any policy decides anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.sim.arrays import Floats, Ints, Lines
from sanhe.sim.calendar import calendar_of
from sanhe.sim.demand import (
    Ground,
    draw_demand,
    lay_offers,
    make_prices,
    make_promotions,
    make_weather,
    mean_demand,
)
from sanhe.sim.master import (
    Item,
    Place,
    Supplier,
    categories,
    make_items,
    make_places,
    make_suppliers,
)
from sanhe.sim.settings import WorldSettings

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.sim.book import Outcome

_CONCERNS = (
    "master",
    "assortment",
    "promotions",
    "prices",
    "weather",
    "mean",
    "demand",
    "supply",
    "moments",
    "opening",
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What no retailer knows: demand as it came, and its mean, shape [days, lines].

    Demand includes what could not be sold. It is never written into facts.
    """

    demand: Ints
    mean: Floats


@dataclass(frozen=True, slots=True)
class Supply:
    """How suppliers behave, drawn before any policy orders.

    `delay_days` [days, suppliers, places]: days a delivery ordered that day comes late.
    `filled` [days, lines]: share of a line ordered that day that is delivered (1 = in full).
    `opening_stock` [lines]: base units put on the shelf on the first day on sale.
    """

    delay_days: Ints
    filled: Floats
    opening_stock: Ints


class World:
    """A retailer made from a seed: master data, calendar, weather, promotions, demand, supply.

    Each concern draws from its own random stream, and all is drawn before a policy runs, so
    two policies meet the same shoppers and the same suppliers (common random numbers).

    `truth` holds the demand; `moment` [days, lines] says when in the day, 0 to 1, the last
    unit goes once a line sells out. Arrays run [days, lines]; day 0 is `settings.first_day`.
    """

    def __init__(self, settings: WorldSettings) -> None:
        """Make the world; the same settings make the same world."""
        self.settings = settings
        streams = np.random.SeedSequence(settings.seed).spawn(len(_CONCERNS))
        self._streams = dict(zip(_CONCERNS, streams, strict=True))
        master = self._generator("master")
        self.places: list[Place] = make_places(settings, master)
        self.suppliers: list[Supplier] = make_suppliers(settings, master)
        self.items: list[Item] = make_items(settings, master)
        self.calendar = calendar_of(settings.first_day, settings.days)
        self.lines = self._make_lines(self._generator("assortment"))
        self.promotions = make_promotions(settings, self.items, self._generator("promotions"))
        self.offers = lay_offers(self.promotions, self.lines, self.places, days=settings.days)
        self.prices = make_prices(settings, self.items, self._generator("prices"))
        self.weather = make_weather(settings, self.calendar, self._generator("weather"))
        mean = mean_demand(settings, self.ground, self._generator("mean"))
        demand = draw_demand(settings, self.lines, mean, rng=self._generator("demand"))
        self.truth = Truth(demand, mean)
        self.supply = self._make_supply(self._generator("supply"))
        moments = self._generator("moments")
        self.moment: Floats = moments.random(demand.shape, dtype=np.float32)

    @property
    def ground(self) -> Ground:
        """All that moves the demand but chance."""
        return Ground(
            lines=self.lines,
            items=self.items,
            places=self.places,
            calendar=self.calendar,
            weather=self.weather,
            offers=self.offers,
            prices=self.prices,
        )

    @cached_property
    def sku_ids(self) -> list[str]:
        """The SKU of each line."""
        return [self.items[sku].id for sku in self.lines.sku]

    @cached_property
    def place_ids(self) -> list[str]:
        """The place of each line."""
        return [self.places[place].id for place in self.lines.place]

    def line_numbers(self, skus: list[str], places: list[str]) -> Ints:
        """The line of each (SKU, place); raises BadInput for one this retailer does not sell."""
        known = {
            key: number for number, key in enumerate(zip(self.sku_ids, self.place_ids, strict=True))
        }
        numbers = np.array([known.get(key, -1) for key in zip(skus, places, strict=True)])
        if numbers.size and numbers.min() < 0:
            lost = int(np.argmin(numbers))
            raise BadInput(f"{skus[lost]} is not sold in {places[lost]}", place="World")
        return numbers.astype(np.int64)

    def day(self, index: int) -> date:
        """The date of a day index."""
        return self.settings.first_day + timedelta(days=index)

    def index(self, day: date) -> int:
        """The day index of a date; raises BadInput when the world has no such day."""
        index = (day - self.settings.first_day).days
        if not 0 <= index < self.settings.days:
            raise BadInput(
                f"{day} is outside {self.day(0)} … {self.day(self.settings.days - 1)}",
                place="World",
                remedy="raise history_days or future_days",
            )
        return index

    def facts(
        self,
        outcome: Outcome,
        *,
        counted_days: int = 1,
        orders_days: int = 90,
        dense: bool = False,
    ) -> dict[str, pa.Table]:
        """All that the retailer's systems know on the evening of the last day of `outcome`.

        Deliveries by name, each an Arrow table in FACT_SCHEMA, in an order in which they may be
        recorded: places, holidays, items, prices, suppliers, supply, promotions, weather,
        sales, orders, receipts, waste, stock. The shelves are counted on the last `counted_days`
        evenings; orders and receipts reach back `orders_days`. `dense` reports days without a
        sale too. Truth is not among them.
        """
        from sanhe.sim.history import history_facts

        return history_facts(
            self, outcome, counted_days=counted_days, orders_days=orders_days, dense=dense
        )

    def digest(self) -> str:
        """A SHA-256 over all that was drawn: equal worlds have equal digests."""
        total = hashlib.sha256(repr((self.settings, self.places, self.suppliers)).encode())
        total.update(repr((self.items, self.promotions)).encode())
        arrays = (
            self.truth.demand,
            self.truth.mean,
            self.supply.delay_days,
            self.supply.filled,
            self.supply.opening_stock,
            self.moment,
            self.prices,
            self.weather.temperature,
            self.weather.rain_mm,
        )
        for array in arrays:
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def _generator(self, concern: str) -> np.random.Generator:
        return np.random.default_rng(self._streams[concern])

    def _make_lines(self, rng: np.random.Generator) -> Lines:
        """Which SKU is sold where, with its terms; a warehouse carries the whole range."""
        settings, items, places = self.settings, self.items, self.places
        chance = rng.random((len(places), len(items)))
        everything = np.array([place.kind == "warehouse" for place in places])[:, None]
        place, sku = np.nonzero(everything | (chance < settings.assortment_share))
        chosen = [items[number] for number in sku]
        supplier = np.array([item.supplier for item in chosen])
        lead = np.array([self.suppliers[number].lead_time_days for number in supplier])
        at_warehouse = everything[place, 0]
        weekdays = np.zeros((len(self.suppliers), 7), dtype=np.bool_)
        for number, each in enumerate(self.suppliers):
            weekdays[number, np.array(each.order_weekdays) - 1] = True
        price = np.array([item.price_cents for item in chosen])
        cost = np.array([item.unit_cost_cents for item in chosen])
        tax = np.array([categories()[item.category].tax_rate for item in chosen])
        return Lines(
            sku=sku,
            place=place,
            supplier=supplier,
            price_cents=price,
            unit_cost_cents=cost,
            margin_cents=np.round(price / (1 + tax)).astype(np.int64) - cost,
            case_size=np.array([item.case_size for item in chosen]),
            moq=np.array([item.moq for item in chosen]),
            shelf_life_days=np.array([item.shelf_life_days for item in chosen]),
            lead_time_days=np.where(at_warehouse, np.maximum(lead - 1, 1), lead),
            order_weekday=weekdays[supplier],
            velocity=np.array([item.velocity for item in chosen]),
            listed_from=self._listing_days(rng)[sku],
        )

    def _listing_days(self, rng: np.random.Generator) -> Ints:
        """The first day on sale of each SKU: 0, or within the last three months for new ones."""
        settings = self.settings
        new = rng.random(len(self.items)) < settings.new_item_share
        low, high = max(1, settings.history_days - 90), max(2, settings.history_days - 14)
        return np.where(new, rng.integers(low, high, len(self.items)), 0).astype(np.int64)

    def _make_supply(self, rng: np.random.Generator) -> Supply:
        settings, lines = self.settings, self.lines
        shape = (settings.days, len(self.suppliers), len(self.places))
        late_share = np.array([supplier.late_share for supplier in self.suppliers])
        late = rng.random(shape) < late_share[None, :, None]
        delay = np.where(late, rng.geometric(0.5, shape), 0)
        short_share = np.array([supplier.short_share for supplier in self.suppliers])
        chance = rng.random((settings.days, len(lines)), dtype=np.float32)
        part = rng.uniform(0.3, 0.95, (settings.days, len(lines)))
        filled = np.where(chance < short_share[lines.supplier], part, 1.0)
        return Supply(delay.astype(np.int64), filled.astype(np.float32), self._opening_stock())

    def _opening_stock(self) -> Ints:
        """Some weeks of the buyer's guess of the demand, in whole cases, never past shelf life."""
        lines, rng = self.lines, self._generator("opening")
        mean = self.truth.mean[lines.listed_from, np.arange(len(lines))]
        guess = mean * np.exp(rng.normal(0.0, 0.15, len(lines)))
        cover = np.full(len(lines), self.settings.opening_cover_days)
        spoils = lines.shelf_life_days > 0
        cover[spoils] = np.minimum(cover, lines.shelf_life_days * 0.4)[spoils]
        cases = np.ceil(guess * cover / lines.case_size)
        return np.asarray(cases * lines.case_size, dtype=np.int64)
