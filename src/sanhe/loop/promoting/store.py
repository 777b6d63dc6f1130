"""The receipts of the past in the lake."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sanhe.core.lake import current_facts

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake
    from sanhe.core.values import Json

_SHARES = 1_000_000


def receipt_lines(lake: Lake, first: date, last: date, *, share: float) -> pa.Table:
    """What was bought on receipts from day to day, both included: place, day, receipt, moment,
    source, sku, units, cents before promotions; by receipt, and within it by SKU.

    `share` of the receipts, the same ones each time. Returns and lines without a receipt or an
    amount are left out.
    """
    sources = current_facts(lake, ["sale.line", "discount.given"])
    sql = f"""
    WITH sold AS (
        SELECT place, day, source, sku, quantity, amount_cents, event_at,
            json_extract_string(payload, '$.receipt') AS receipt
        FROM ({sources.sql["sale.line"]})
        WHERE day BETWEEN CAST($first AS DATE) AND CAST($last AS DATE)
            AND quantity > 0 AND amount_cents >= 0
    ), given AS (
        SELECT place, day, source, sku, 0, amount_cents, event_at,
            json_extract_string(payload, '$.receipt') AS receipt
        FROM ({sources.sql["discount.given"]})
        WHERE day BETWEEN CAST($first AS DATE) AND CAST($last AS DATE)
    ), line AS (SELECT * FROM sold UNION ALL SELECT * FROM given)
    SELECT place, day, receipt, CAST(min(event_at) AS TIMESTAMP) AS moment, source, sku,
        CAST(sum(quantity) AS BIGINT) AS units, CAST(sum(amount_cents) AS BIGINT) AS cents
    FROM line
    WHERE receipt IS NOT NULL
        AND hash(source, place, day, receipt) % {_SHARES} < CAST($most AS BIGINT)
    GROUP BY place, day, source, receipt, sku
    ORDER BY place, day, source, receipt, sku
    """  # noqa: S608 -- constants
    given: dict[str, Json] = {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "most": round(share * _SHARES),
    }
    return lake.query(sql, given, tables=sources.tables)


def count_receipts(lake: Lake, first: date, last: date) -> int:
    """How many receipts there are from day to day."""
    sources = current_facts(lake, ["sale.line"])
    sql = f"""
    SELECT count(DISTINCT (source, place, day, json_extract_string(payload, '$.receipt'))) AS n
    FROM ({sources.sql["sale.line"]})
    WHERE day BETWEEN CAST($first AS DATE) AND CAST($last AS DATE)
        AND json_extract_string(payload, '$.receipt') IS NOT NULL AND quantity > 0
    """  # noqa: S608 -- constants
    given: dict[str, Json] = {"first": first.isoformat(), "last": last.isoformat()}
    return int(lake.query(sql, given, tables=sources.tables)["n"][0].as_py())


def given(lake: Lake, promotion: str) -> pa.Table:
    """What a promotion took off so far, one row: `receipts`, `discount_cents`, `first` and `last`
    day (none without any)."""
    sources = current_facts(lake, ["discount.given"])
    sql = f"""
    SELECT count(DISTINCT (source, place, day, json_extract_string(payload, '$.receipt')))
            AS receipts,
        CAST(coalesce(sum(amount_cents), 0) AS BIGINT) AS discount_cents,
        min(day) AS first, max(day) AS last
    FROM ({sources.sql["discount.given"]})
    WHERE json_extract_string(payload, '$.promotion') = $promotion
    """  # noqa: S608 -- constants
    return lake.query(sql, {"promotion": promotion}, tables=sources.tables)
