"""The catalogue's tables: descriptions and prices as stated, read as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from sanhe.core.facts import Mirror
from sanhe.core.storage import Transaction, fetch_arrow

if TYPE_CHECKING:
    import pyarrow as pa

ITEMS = Mirror(
    "item_description",
    "item.described",
    {
        "sku": "sku",
        "name": "payload->>'name'",
        "category": "payload->>'category'",
        "brand": "payload->>'brand'",
        "gtin": "payload->>'gtin'",
        "base_unit": "payload->>'base_unit'",
        "pack": "(payload->>'pack')::bigint",
        "case_size": "(payload->>'case')::bigint",
        "shelf_life_days": "(payload->>'shelf_life_days')::bigint",
        "variant_of": "payload->>'variant_of'",
        "attributes": "payload->>'attributes'",
        "components": "payload->>'components'",
    },
)

PRICES = Mirror(
    "price_setting",
    "price.set",
    {
        "sku": "sku",
        "place": "place",
        "price_cents": "amount_cents",
        "currency": "currency",
        "per_units": "coalesce((payload->>'per_units')::bigint, 1)",
        "tax_included": "(payload->>'tax_included')::boolean",
        "tax_rate": "(payload->>'tax_rate')::double precision",
        "member_cents": "(payload->>'member_cents')::bigint",
    },
)

_ITEM_COLUMNS = (
    "sku, name, category, gtin, coalesce(base_unit, 'each') AS base_unit, pack, case_size, "
    "shelf_life_days, variant_of, attributes, day AS described_on"
)

# The description with the latest event counts; equal times are settled by name.
_ITEMS = """
    SELECT DISTINCT ON (sku) *
    FROM item_description
    WHERE day <= coalesce(%s::date, 'infinity'::date) AND (%s::text[] IS NULL OR sku = ANY(%s))
    ORDER BY sku, event_at DESC, source DESC, external_id DESC
"""

_PRICES = """
    SELECT DISTINCT ON (sku, place)
        sku, place, price_cents, currency, per_units, tax_included, tax_rate, day AS valid_from
    FROM price_setting
    WHERE day <= %s AND (%s::text[] IS NULL OR sku = ANY(%s))
    ORDER BY sku, place NULLS FIRST, day DESC, event_at DESC,
        source DESC, external_id DESC
"""

# Each price holds until the day before the next one of the same SKU and place.
_HISTORY = """
    SELECT sku, place, price_cents, currency, per_units, tax_included, tax_rate,
        day AS valid_from,
        lead(day) OVER (PARTITION BY sku, place ORDER BY day) AS valid_until
    FROM (
        SELECT DISTINCT ON (sku, place, day) *
        FROM price_setting
        WHERE %s::text[] IS NULL OR sku = ANY(%s)
        ORDER BY sku, place, day, event_at DESC,
            source DESC, external_id DESC
    ) AS stated
    ORDER BY sku, place NULLS FIRST, day
"""

# The place's own price wins over the one that holds everywhere.
_SELLING = sa.text("""
    SELECT item.sku, item.name, coalesce(item.base_unit, 'each') AS base_unit, item.components,
        coalesce(item.category, '') AS category, coalesce(item.brand, '') AS brand,
        price.member_cents AS member_price_cents, price.price_cents, price.currency,
        coalesce(price.per_units, 1) AS per_units,
        coalesce(price.tax_included, true) AS tax_included,
        round(price.tax_rate * 1000000)::bigint AS tax_rate_ppm
    FROM unnest(CAST(:skus AS text[])) AS wanted (code)
    CROSS JOIN LATERAL (
        SELECT * FROM item_description AS i WHERE i.sku = wanted.code AND i.day <= :day
        ORDER BY i.event_at DESC, i.source DESC, i.external_id DESC LIMIT 1
    ) AS item
    LEFT JOIN LATERAL (
        SELECT * FROM price_setting AS p
        WHERE p.sku = wanted.code AND p.day <= :day AND (p.place = :place OR p.place IS NULL)
        ORDER BY p.place NULLS LAST, p.day DESC, p.event_at DESC, p.source DESC, p.external_id DESC
        LIMIT 1
    ) AS price ON true
""")

_ALIKE = sa.text("""
    SELECT DISTINCT other.sku FROM item_description AS item
    JOIN item_description AS other USING (category)
    WHERE item.sku = :sku ORDER BY other.sku
""")

_BRANDS = sa.text("SELECT DISTINCT brand FROM item_description WHERE brand <> ''")

_SEARCH = f"""
    SELECT {_ITEM_COLUMNS}
    FROM ({_ITEMS}) AS item
    WHERE sku ILIKE %s OR gtin ILIKE %s OR name ILIKE %s OR category ILIKE %s
    ORDER BY
        CASE
            WHEN lower(sku) = lower(%s) OR gtin = %s THEN 0
            WHEN sku ILIKE %s OR gtin ILIKE %s THEN 1
            WHEN name ILIKE %s THEN 2
            ELSE 3
        END, name, sku
    LIMIT %s
"""  # noqa: S608 -- made of constants


def read_items(tx: Transaction, skus: Sequence[str] | None, day: date | None) -> pa.Table:
    """The description of each SKU that counts on the day (None = the newest)."""
    chosen = None if skus is None else list(skus)
    query = f"SELECT {_ITEM_COLUMNS} FROM ({_ITEMS}) AS item"  # noqa: S608 -- constants
    return fetch_arrow(tx, query, (day, chosen, chosen))


def read_prices(tx: Transaction, day: date, skus: Sequence[str] | None) -> pa.Table:
    """The price of each SKU and place that holds on the day."""
    chosen = None if skus is None else list(skus)
    return fetch_arrow(tx, _PRICES, (day, chosen, chosen))


def read_price_history(tx: Transaction, skus: Sequence[str] | None) -> pa.Table:
    """All prices with the days they hold."""
    chosen = None if skus is None else list(skus)
    return fetch_arrow(tx, _HISTORY, (chosen, chosen))


def read_selling(
    tx: Transaction, skus: Sequence[str], place: str, *, day: date
) -> Sequence[sa.Row[Any]]:
    """What is needed to sell these SKUs at a place on a day; SKUs that are not described miss."""
    given = {"skus": list(skus), "place": place, "day": day}
    return tx.connection.execute(_SELLING, given).all()


def read_alike(tx: Transaction, sku: str) -> list[str]:
    """The SKUs that were ever described as of a category that this one was."""
    return list(tx.connection.execute(_ALIKE, {"sku": sku}).scalars())


def read_brands(tx: Transaction) -> list[str]:
    """All brands that SKUs were described with."""
    return list(tx.connection.execute(_BRANDS).scalars())


def search_items(tx: Transaction, text: str, limit: int) -> pa.Table:
    """SKUs whose code, GTIN, name or category contains the text; the closest first."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    inside, start = f"%{plain}%", f"{plain}%"
    given = (None, None, None, inside, inside, inside, inside, text, text, start, start, start)
    return fetch_arrow(tx, _SEARCH, (*given, limit))
