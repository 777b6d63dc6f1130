"""The façade: places and holidays of one transaction, a projection of their facts."""

from __future__ import annotations

import math
from collections.abc import Collection
from datetime import time
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import NotFound
from sanhe.core.facts import PostgresFacts, lock, table_facts
from sanhe.core.places import rules, store
from sanhe.core.places.facts import FACT_TYPES
from sanhe.core.places.rules import Holiday, Place, Point
from sanhe.core.storage import Transaction

if TYPE_CHECKING:
    import pyarrow as pa


class Places:
    """Places and holidays as the current facts describe them.

    `default_time_zone` is the zone of places that name none.
    """

    def __init__(
        self, tx: Transaction, facts: PostgresFacts, *, default_time_zone: str = "Asia/Shanghai"
    ) -> None:
        self._tx, self._facts, self._zone = tx, facts, default_time_zone

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        return frozenset(kind.name for kind in FACT_TYPES)

    def apply(self, batch: UUID) -> None:
        """Bring the tables in line with the facts; both are small and replaced whole.

        One transaction at a time: what is read here is what is written, with nothing that
        another one committed in between left out.
        """
        touched = set(self._facts.touched(batch, self.types)["type"].to_pylist())
        if touched:
            lock(self._tx, "core.places")
        if "place.described" in touched:
            described = table_facts(self._facts.current(["place.described"]))
            store.replace_places(self._tx, rules.places(described))
        if "holiday.declared" in touched:
            declared = table_facts(self._facts.current(["holiday.declared"]))
            store.replace_holidays(self._tx, rules.holidays(declared))

    def all(self) -> pa.Table:
        """Places by id: id, name, kind, parent, time_zone, cut_off, city, region, latitude,
        longitude."""
        return store.read_places(self._tx)

    def get(self, place: str) -> Place:
        """One place. Raises NotFound."""
        found = store.read_places_of(self._tx, [place])
        if not found:
            raise NotFound(f"no place {place!r}: import places first, or mend the code")
        return found[0]

    def of(self, ids: Collection[str]) -> dict[str, Place]:
        """Those of these places that there are, by id."""
        return {place.id: place for place in store.read_places_of(self._tx, ids)}

    def near(self, point: Point, *, within_metres: float) -> list[tuple[Place, float]]:
        """The places within a distance as the crow flies, with it in metres, nearest first.

        Places without coordinates are left out.
        """
        band = math.degrees(within_metres / rules.EARTH_RADIUS_METRES) + 1e-9
        south, north = point.latitude - band, point.latitude + band
        found = [
            (place, rules.metres_between(point, at))
            for place in store.read_places_between(self._tx, south, north)
            if (at := place.point) is not None
        ]
        close = [pair for pair in found if pair[1] <= within_metres]
        return sorted(close, key=lambda pair: (pair[1], pair[0].id))

    def time_zone(self, place: Place) -> str:
        """The place's IANA zone; the installation's where it names none."""
        return place.time_zone or self._zone

    def below(self, roots: Collection[str]) -> frozenset[str]:
        """These places and all that lie below them, by their parents."""
        return store.read_below(self._tx, roots)

    def unknown(self, places: Collection[str]) -> list[str]:
        """Those among these codes that are neither a place nor the parent of one, in order."""
        return store.read_unknown(self._tx, places) if places else []

    def calendars(self, others: Collection[str] = ()) -> dict[str, tuple[str, time]]:
        """Time zone and beginning of the business day of each place, and of `others`, which need
        not be described: then they are the installation's."""
        rows = store.read_place_rows(self._tx)
        described = {place.id: (self.time_zone(place), place.cut_off) for place in rows}
        return dict.fromkeys(others, (self._zone, time())) | described

    def holidays(self) -> list[Holiday]:
        """The declared days in order."""
        return store.read_holidays(self._tx)
