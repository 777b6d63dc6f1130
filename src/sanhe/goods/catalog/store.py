"""The catalogue's tables: descriptions and prices as stated, read as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

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
        "gtin": "payload->>'gtin'",
        "base_unit": "payload->>'base_unit'",
        "pack": "(payload->>'pack')::bigint",
        "case_size": "(payload->>'case')::bigint",
        "shelf_life_days": "(payload->>'shelf_life_days')::bigint",
        "variant_of": "payload->>'variant_of'",
        "attributes": "payload->>'attributes'",
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


def search_items(tx: Transaction, text: str, limit: int) -> pa.Table:
    """SKUs whose code, GTIN, name or category contains the text; the closest first."""
    plain = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    inside, start = f"%{plain}%", f"{plain}%"
    given = (None, None, None, inside, inside, inside, inside, text, text, start, start, start)
    return fetch_arrow(tx, _SEARCH, (*given, limit))
