"""What coupons took off in the past, by member, campaign and week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanhe.core.lake import current_facts

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.core.lake import Lake


def used_by_week(lake: Lake) -> pa.Table:
    """Uses of coupons that were told as facts: member, campaign (null = not known), week (its
    Monday), uses, amount_cents, match_cents; by these.

    A use told without an amount counts, and adds nothing to the sums.
    """
    sources = current_facts(lake, ["coupon.used"])
    sql = f"""
    SELECT party AS member, json_extract_string(payload, '$.campaign') AS campaign,
        CAST(date_trunc('week', day) AS DATE) AS week,
        CAST(count(*) AS BIGINT) AS uses,
        CAST(coalesce(sum(amount_cents), 0) AS BIGINT) AS amount_cents,
        CAST(coalesce(sum(CAST(json_extract_string(payload, '$.match_cents') AS BIGINT)), 0)
            AS BIGINT) AS match_cents
    FROM ({sources.sql["coupon.used"]})
    GROUP BY 1, 2, 3
    ORDER BY 1, 2 NULLS FIRST, 3
    """  # noqa: S608 -- constants
    return lake.query(sql, {}, tables=sources.tables)
