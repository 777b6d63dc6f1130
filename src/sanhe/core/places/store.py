"""The places' tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import sqlalchemy as sa

from sanhe.core.places.rules import Holiday, Place
from sanhe.core.storage import Transaction, fetch_arrow

if TYPE_CHECKING:
    import pyarrow as pa

_INSERT_PLACE = sa.text(
    "INSERT INTO place (id, name, kind, parent, time_zone, cut_off, city, region, latitude, "
    "longitude) VALUES (:id, :name, :kind, :parent, :time_zone, :cut_off, :city, :region, "
    ":latitude, :longitude)"
)
_INSERT_HOLIDAY = sa.text(
    "INSERT INTO holiday (number, day, place, name, kind) "
    "VALUES (:number, :day, :place, :name, :kind)"
)
_PLACES = (
    "SELECT id, name, kind, parent, time_zone, cut_off, city, region, latitude, longitude "
    "FROM place"
)
_ALL_PLACES = sa.text(f"{_PLACES} ORDER BY id")
_PLACES_OF = sa.text(f"{_PLACES} WHERE id = ANY(:ids) ORDER BY id")
_BETWEEN = sa.text(f"{_PLACES} WHERE latitude BETWEEN :south AND :north ORDER BY id")
_PLACE_TABLE = (
    "SELECT id, name, kind, parent, time_zone, to_char(cut_off, 'HH24:MI') AS cut_off, "
    "city, region, latitude, longitude FROM place ORDER BY id"
)
# UNION, not UNION ALL: places that are their own ancestors by mistake end it.
_BELOW = sa.text(
    "WITH RECURSIVE below (id) AS (SELECT unnest(CAST(:roots AS text[])) "
    "UNION SELECT place.id FROM place JOIN below ON place.parent = below.id) SELECT id FROM below"
)
_UNKNOWN = sa.text(
    "SELECT asked.id FROM unnest(CAST(:places AS text[])) AS asked (id) WHERE NOT EXISTS "
    "(SELECT FROM place WHERE place.id = asked.id OR place.parent = asked.id) ORDER BY 1"
)
_HOLIDAYS = "SELECT day, place, name, kind FROM holiday ORDER BY number"


def replace_places(tx: Transaction, places: Iterable[Place]) -> None:
    """Keep exactly these places. The caller holds the lock `core.places`."""
    tx.connection.execute(sa.text("DELETE FROM place"))
    rows = [{name: getattr(place, name) for name in place.__slots__} for place in places]
    if rows:
        tx.connection.execute(_INSERT_PLACE, rows)


def replace_holidays(tx: Transaction, holidays: Iterable[Holiday]) -> None:
    """Keep exactly these days. The caller holds the lock `core.places`."""
    tx.connection.execute(sa.text("DELETE FROM holiday"))
    rows = [
        {"number": number} | {name: getattr(holiday, name) for name in holiday.__slots__}
        for number, holiday in enumerate(holidays)
    ]
    if rows:
        tx.connection.execute(_INSERT_HOLIDAY, rows)


def read_places(tx: Transaction) -> pa.Table:
    """All places by id; `cut_off` as HH:MM."""
    return fetch_arrow(tx, _PLACE_TABLE, ())


def read_place_rows(tx: Transaction) -> list[Place]:
    """All places by id, as values."""
    return [Place(**row) for row in tx.connection.execute(_ALL_PLACES).mappings()]


def read_places_of(tx: Transaction, ids: Collection[str]) -> list[Place]:
    """Those of these places that there are, by id."""
    found = tx.connection.execute(_PLACES_OF, {"ids": list(ids)}).mappings()
    return [Place(**row) for row in found]


def read_places_between(tx: Transaction, south: float, north: float) -> list[Place]:
    """The places between two latitudes, by id; those without coordinates are left out."""
    found = tx.connection.execute(_BETWEEN, {"south": south, "north": north}).mappings()
    return [Place(**row) for row in found]


def read_below(tx: Transaction, roots: Collection[str]) -> frozenset[str]:
    """These places and all below them."""
    return frozenset(tx.connection.execute(_BELOW, {"roots": list(roots)}).scalars())


def read_unknown(tx: Transaction, places: Collection[str]) -> list[str]:
    """Those that are neither a place nor the parent of one, in order."""
    return list(tx.connection.execute(_UNKNOWN, {"places": list(places)}).scalars())


def read_holidays(tx: Transaction) -> list[Holiday]:
    """All declared days in order."""
    return [Holiday(**row) for row in tx.connection.execute(sa.text(_HOLIDAYS)).mappings()]
