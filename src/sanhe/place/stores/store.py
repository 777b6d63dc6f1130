"""The tables of stores: what each serves orders with, and its couriers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from sanhe.core.facts import Mirror
from sanhe.core.storage import Transaction

MIRRORS = (
    Mirror(
        "store_description",
        "store.described",
        {
            "place": "place",
            "hours": "payload->>'hours'",
            "pick_capacity_per_hour": "(payload->>'pick_capacity_per_hour')::bigint",
            "pick_minutes": "(payload->>'pick_minutes')::bigint",
            "service_radius_metres": "(payload->>'service_radius_metres')::bigint",
            "channels": "payload->>'channels'",
            "safety_units": "(payload->>'safety_units')::bigint",
        },
    ),
    Mirror(
        "courier_offer",
        "courier.offered",
        {
            "place": "place",
            "courier": "payload->>'courier'",
            "base_fee_cents": "(payload->>'base_fee_cents')::bigint",
            "per_km_cents": "(payload->>'per_km_cents')::bigint",
            "speed_km_per_hour": "(payload->>'speed_km_per_hour')::double precision",
            "collect_minutes": "(payload->>'collect_minutes')::bigint",
            "cut_off": "payload->>'cut_off'",
            "radius_metres": "(payload->>'radius_metres')::bigint",
            "offered": "coalesce((payload->>'offered')::boolean, true)",
        },
    ),
)

_LATEST = "event_at DESC, source DESC, external_id DESC"
_OF = "(CAST(:places AS text[]) IS NULL OR place = ANY(CAST(:places AS text[])))"
_DESCRIPTIONS = sa.text(f"""
    SELECT DISTINCT ON (place)
        place, hours, pick_capacity_per_hour, pick_minutes, service_radius_metres, channels,
        safety_units
    FROM store_description
    WHERE day <= CAST(:day AS date) AND {_OF}
    ORDER BY place, {_LATEST}
""")  # noqa: S608 -- made of constants
_COURIERS = sa.text(f"""
    SELECT * FROM (
        SELECT DISTINCT ON (place, courier)
            place, courier, base_fee_cents, per_km_cents, speed_km_per_hour, collect_minutes,
            cut_off, radius_metres, offered
        FROM courier_offer
        WHERE day <= CAST(:day AS date) AND {_OF}
        ORDER BY place, courier, {_LATEST}
    ) AS last
    WHERE offered
""")  # noqa: S608 -- made of constants
_WIDEST = sa.text(
    "SELECT bool_or(service_radius_metres IS NULL), max(service_radius_metres) "
    "FROM store_description"
)

Row = Mapping[str, Any]


def read_descriptions(tx: Transaction, day: date, places: Collection[str] | None) -> list[Row]:
    """How each place serves orders on a day, by place; None = all places."""
    return _rows(tx, _DESCRIPTIONS, {"day": day, "places": places and list(places)})


def read_couriers(tx: Transaction, day: date, places: Collection[str] | None) -> list[Row]:
    """The couriers offered on a day, by place and name; None = of all places."""
    return _rows(tx, _COURIERS, {"day": day, "places": places and list(places)})


def read_recorded(tx: Transaction, table: str) -> list[Row]:
    """Every row of one of the mirrors, whichever day it holds from."""
    (known,) = (mirror.table for mirror in MIRRORS if mirror.table == table)
    return _rows(tx, sa.text(f"SELECT * FROM {known}"), {})  # noqa: S608 -- a constant


def read_widest_radius(tx: Transaction) -> int | None:
    """The widest service radius ever told in metres; None = one of them has no bound."""
    unbounded, widest = tx.connection.execute(_WIDEST).one()
    return None if unbounded else int(widest or 0)


def _rows(tx: Transaction, query: sa.TextClause, given: Mapping[str, Any]) -> list[Row]:
    return [dict(row) for row in tx.connection.execute(query, dict(given)).mappings()]
