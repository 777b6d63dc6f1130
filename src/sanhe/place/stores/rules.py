"""What a place can do for an order, from what is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final

from sanhe.core.errors import BadInput
from sanhe.core.places import Place
from sanhe.place.stores.hours import OpeningHours, opening_hours

PICK_MINUTES: Final = 15
"""Minutes from beginning an order to its being ready, where a store names none."""


@dataclass(frozen=True, slots=True)
class Courier:
    """A courier that fetches orders from a place.

    A parcel costs `base_fee_cents` and `per_km_cents` for each km of road. It comes
    `collect_minutes` after the order is ready, on the same day only until `cut_off` (local time;
    None = always), and goes `speed_km_per_hour` on the road, as far as `radius_metres` as the
    crow flies (None = anywhere).
    """

    name: str
    base_fee_cents: int
    speed_km_per_hour: float
    per_km_cents: int = 0
    collect_minutes: int = 0
    cut_off: time | None = None
    radius_metres: int | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """A place and how it serves orders.

    `pick_capacity_per_hour` counts orders in an hour of opening; 0 = it picks none.
    `service_radius_metres` None = it delivers anywhere its couriers go. `channels` None = all.
    `safety_units` of each SKU are kept for who walks in. `holidays` are the public holidays
    that its hours go by.
    """

    place: Place
    time_zone: str
    hours: OpeningHours
    pick_capacity_per_hour: int
    pick_minutes: int = PICK_MINUTES
    service_radius_metres: int | None = None
    channels: frozenset[str] | None = None
    safety_units: int = 0
    couriers: tuple[Courier, ...] = ()
    holidays: frozenset[date] = frozenset()

    def sells_on(self, channel: str | None) -> bool:
        """Whether it belongs to a channel; None = whichever."""
        return channel is None or self.channels is None or channel in self.channels


def store_of(
    place: Place,
    row: Mapping[str, Any],
    couriers: Iterable[Mapping[str, Any]],
    *,
    time_zone: str,
    holidays: Collection[date],
) -> Store:
    """A store of its rows. Raises BadInput naming the place where they can't be used."""
    try:
        return Store(
            place=place,
            time_zone=time_zone,
            hours=opening_hours(row["hours"]),
            pick_capacity_per_hour=_least("pick_capacity_per_hour", row, 0) or 0,
            pick_minutes=_or(_least("pick_minutes", row, 0), PICK_MINUTES),
            service_radius_metres=_least("service_radius_metres", row, 0),
            channels=_channels(row["channels"]),
            safety_units=_least("safety_units", row, 0) or 0,
            couriers=tuple(courier_of(one) for one in couriers),
            holidays=frozenset(holidays),
        )
    except BadInput as error:
        raise BadInput(error.what, place=f"store {place.id}", remedy=error.remedy) from error


def courier_of(row: Mapping[str, Any]) -> Courier:
    """A courier of its row. Raises BadInput naming it where the row can't be used."""
    try:
        speed, cut_off = float(row["speed_km_per_hour"]), row["cut_off"]
        if speed <= 0:
            raise BadInput("speed_km_per_hour is not positive", remedy="give km in an hour")
        return Courier(
            name=row["courier"],
            base_fee_cents=_least("base_fee_cents", row, 0) or 0,
            speed_km_per_hour=speed,
            per_km_cents=_least("per_km_cents", row, 0) or 0,
            collect_minutes=_least("collect_minutes", row, 0) or 0,
            cut_off=None if cut_off is None else _time(cut_off),
            radius_metres=_least("radius_metres", row, 0),
        )
    except BadInput as error:
        name = f"courier {row['courier']}"
        raise BadInput(error.what, place=name, remedy=error.remedy) from error


def _least(name: str, row: Mapping[str, Any], least: int) -> int | None:
    value = row[name]
    if value is not None and value < least:
        raise BadInput(f"{name} is {value}", remedy=f"give {least} or more")
    return None if value is None else int(value)


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _channels(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    named = text.replace("，", ",").replace("、", ",").split(",")
    return frozenset(filter(None, (name.strip() for name in named)))


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"cut_off {text!r} is no time", remedy="write it as HH:MM") from error
