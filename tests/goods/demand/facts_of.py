"""Small builders of facts, and a lake that holds them, for the tests of demand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from sanhe.core.facts import Fact, facts_table
from sanhe.core.lake import MemoryLake, write_facts
from sanhe.core.values import Json

MONDAY = date(2024, 6, 3)


def day(offset: int) -> date:
    """Day `offset` of the tests; day 0 is a Monday."""
    return MONDAY + timedelta(days=offset)


def moment(offset: int, hour: int = 4) -> datetime:
    """An hour (UTC) of day `offset`."""
    return datetime.combine(day(offset), datetime.min.time(), UTC) + timedelta(hours=hour)


def fact(
    type_: str,
    offset: int,
    /,
    *,
    sku: str | None = None,
    place: str | None = None,
    quantity: int | None = None,
    amount_cents: int | None = None,
    at: datetime | None = None,
    tag: str = "",
    **payload: Json,
) -> Fact:
    """One fact of day `offset`; its external id is made of its key and `tag`."""
    return Fact(
        type=type_,
        source="test",
        external_id=f"{type_}/{sku}/{place}/{offset}/{tag}",
        event_at=at or moment(offset),
        day=day(offset),
        sku=sku,
        place=place,
        quantity=quantity,
        amount_cents=amount_cents,
        payload=payload,
    )


def sold(sku: str, place: str, offset: int, quantity: int, **payload: Json) -> Fact:
    """A day's sales."""
    return fact("sale.day", offset, sku=sku, place=place, quantity=quantity, **payload)


def item(sku: str, **payload: Json) -> Fact:
    """A described item."""
    return fact("item.described", 0, sku=sku, **payload)


def shop(place: str, **payload: Json) -> Fact:
    """A described place."""
    return fact("place.described", 0, place=place, **payload)


def history(series: Mapping[tuple[str, str], Iterable[int]], first: int = 0) -> list[Fact]:
    """Daily sales of several series from day `first` on."""
    return [
        sold(sku, place, first + at, quantity)
        for (sku, place), quantities in series.items()
        for at, quantity in enumerate(quantities)
    ]


def lake_of(facts: Iterable[Fact]) -> MemoryLake:
    """A lake in memory that holds these facts."""
    lake = MemoryLake()
    write_facts(lake, facts_table(facts))
    return lake
