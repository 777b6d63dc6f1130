"""The façade: stores of one transaction, a projection of their facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sanhe.core.errors import NotFound
from sanhe.core.facts import follow, types_of
from sanhe.core.places import Place, Places, Point
from sanhe.core.storage import Transaction
from sanhe.place.stores import rules, store
from sanhe.place.stores.facts import COURIER_OFFERED, FACT_TYPES, STORE_DESCRIBED
from sanhe.place.stores.rules import Store

_AROUND_THE_EARTH: Final = 20_100_000.0


@dataclass(frozen=True, slots=True)
class Nearby:
    """A store and its distance in metres, as the crow flies."""

    store: Store
    metres: float


class Stores:
    """How places serve orders, as the current facts describe it.

    A place that nobody described as a store is a place only: it takes no orders. `day` is the
    day to read it as of; None = today in the installation's `default_time_zone`.
    """

    def __init__(
        self, tx: Transaction, places: Places, *, default_time_zone: str = "Asia/Shanghai"
    ) -> None:
        self._tx, self._places, self._zone = tx, places, default_time_zone

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        return frozenset(kind.name for kind in FACT_TYPES)

    def apply(self, batch: UUID) -> None:
        """Bring the tables in line with the facts a batch touched.

        Raises BadInput naming the store when hours or a courier can't be used, so that the batch
        is refused, and not the orders of some later day.
        """
        follow(self._tx, batch, "place.stores", mirrors=store.MIRRORS)
        touched = types_of(self._tx, batch)
        if STORE_DESCRIBED.name in touched:
            for row in store.read_recorded(self._tx, "store_description"):
                place = Place(row["place"], "", "store")
                rules.store_of(place, row, (), time_zone=self._zone, holidays=())
        if COURIER_OFFERED.name in touched:
            for row in store.read_recorded(self._tx, "courier_offer"):
                rules.courier_of(row)

    def all(self, *, day: date | None = None) -> list[Store]:
        """All stores, by place."""
        return self._stores(None, day)

    def get(self, place: str, *, day: date | None = None) -> Store:
        """One store. Raises NotFound for no such place, or one that takes no orders."""
        self._places.get(place)
        found = self._stores([place], day)
        if not found:
            raise NotFound(
                f"{place!r} takes no orders: import its hours and pick capacity with the stores"
            )
        return found[0]

    def of(self, places: Collection[str], *, day: date | None = None) -> list[Store]:
        """Those of these places that are stores, by place."""
        return self._stores(places, day)

    def near(
        self,
        point: Point,
        channel: str | None = None,
        *,
        within_metres: float | None = None,
        day: date | None = None,
    ) -> list[Nearby]:
        """The stores of a channel that serve an address, nearest first.

        Each store within its own service radius; with `within_metres` within that instead, as for
        a pick-up. Stores without coordinates are left out.
        """
        bound: float | None = within_metres
        if bound is None:
            bound = store.read_widest_radius(self._tx)
        around = _AROUND_THE_EARTH if bound is None else bound
        near = {p.id: metres for p, metres in self._places.near(point, within_metres=around)}
        found = []
        for one in self._stores(near, day):
            metres, radius = near[one.place.id], one.service_radius_metres
            served = within_metres is not None or radius is None or metres <= radius
            if served and one.sells_on(channel):
                found.append(Nearby(one, metres))
        return sorted(found, key=lambda nearby: (nearby.metres, nearby.store.place.id))

    def _stores(self, places: Collection[str] | None, day: date | None) -> list[Store]:
        if places is not None and not places:
            return []
        asked = day or self._tx.clock.now().astimezone(ZoneInfo(self._zone)).date()
        rows = store.read_descriptions(self._tx, asked, places)
        couriers: dict[str, list[store.Row]] = defaultdict(list)
        for row in store.read_couriers(self._tx, asked, places):
            couriers[row["place"]].append(row)
        known = self._places.of([row["place"] for row in rows])
        days_off = [one for one in self._places.holidays() if one.kind == "public"]
        return [
            rules.store_of(
                place := known[row["place"]],
                row,
                couriers[place.id],
                time_zone=self._places.time_zone(place),
                holidays={one.day for one in days_off if one.place in {None, place.id}},
            )
            for row in rows
            if row["place"] in known
        ]
